internal import CSwzipKernels

/// Blocks of mode rans in codec float (spec/codecs/rans.md, float.md).
extension FloatBlock {
  /// Room that a frame may take while it is being written.
  static func ransBound(_ count: Int, kind: FloatKind) -> Int {
    RansStreams.bound(count) + kind.rawPlaneBytes(count) + (kind.isWide ? 2 * PlaneSection.bound(count) : 0)
      + 6 * (count / 16) + 512
  }

  /// Writes the payload of mode rans; returns the frame's size and flags, nil where another mode must serve.
  static func encodeRans(
    _ source: UnsafeRawBufferPointer, block: Int, plan: RansPlan, kind: FloatKind, windowBase: UInt16,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch, effort: Effort
  ) -> (byteCount: Int, flags: UInt8)? {
    let count = source.count / kind.width
    let start = frame.baseAddress!
    // The raw plane follows the words, whose number is not known yet.
    let rawPlane = unsafe scratch.area(SplitArea.rawPlane)
    var kept = count
    var outside = false
    var flags: UInt8 = 0
    if let left = unsafe splitSkippingZeros(
      source, kind: kind, windowBase: windowBase, rawPlane: rawPlane, scratch: scratch)
    {
      kept = left
      flags |= FloatFrame.skipsZerosFlag
    } else {
      outside = unsafe swzip_float_split(
        kind.kernel, source.baseAddress!, UInt32(count), windowBase, scratch.symbols, rawPlane,
        scratch.area(SplitArea.low),
        scratch.area(SplitArea.high))
    }
    var offset = unsafe plan.writeSymbols(block: block, count: count, to: frame, scratch: scratch)
    unsafe (start + offset).copyMemory(from: rawPlane, byteCount: kind.rawPlaneBytes(kept))
    offset += kind.rawPlaneBytes(kept)
    if kind.isWide {
      for plane in [SplitArea.low, .high] {
        offset = unsafe PlaneSection.encode(
          UnsafeRawBufferPointer(start: scratch.area(plane), count: kept), into: start, at: offset, scratch: scratch,
          effort: effort)
      }
    }
    guard outside else { return unsafe (padFrame(start, from: offset), flags) }
    guard
      let end = unsafe writePatches(
        source, count: count, kind: kind, windowBase: windowBase, missing: [], outside: true, into: frame, at: offset,
        scratch: scratch)
    else { return nil }
    return unsafe (padFrame(start, from: end), flags | FloatFrame.patchesFlag)
  }

  /// Splits a block whose zeros are many and which has no value of symbol 0 besides zeros, nor one that needs a patch:
  /// symbols of all values, raw bits of those that are not zero. Returns how many these are, nil for other blocks.
  private static func splitSkippingZeros(
    _ source: UnsafeRawBufferPointer, kind: FloatKind, windowBase: UInt16, rawPlane: UnsafeMutablePointer<UInt8>,
    scratch: EncodeScratch
  ) -> Int? {
    let count = source.count / kind.width
    let values = unsafe scratch.nonZeros
    let kept = unsafe Int(
      swzip_sparse_compact(
        source.baseAddress!, UInt32(count), UInt32(kind.width), .max, scratch.mask, values.baseAddress!))
    guard kept > 0, (count - kept) * 32 > count else { return nil }
    let outside = unsafe swzip_float_split(
      kind.kernel, values.baseAddress!, UInt32(kept), windowBase, scratch.sorted, rawPlane, scratch.area(SplitArea.low),
      scratch.area(SplitArea.high))
    guard !outside else { return nil }
    for index in 0..<kept where unsafe scratch.sorted[index] == 0 { return nil }
    unsafe swzip_sparse_expand(scratch.mask, UInt32(count), 1, scratch.sorted, scratch.symbols)
    return kept
  }

  /// Decodes the symbols of a block into the scratch.
  static func decodeSymbols(
    _ frame: UnsafeRawBufferPointer, _ part: RansFrame, by coding: FloatCoding, count: Int, tables: RansDecodeTables,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> UnsafePointer<UInt8> {
    guard let rans = coding.coder.rans else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    let (classes, symbols) = unsafe (scratch.area(Area.rowClasses), scratch.area(Area.symbols))
    unsafe part.unpackClasses(frame, by: rans, into: classes)
    let numbers = unsafe RansStreams.numbers(
      classes, count: count, rowLength: Int(coding.rowLength), coding: rans, map: tables.map,
      into: scratch.area(Area.tableNumbers))
    try unsafe part.decode(frame, count: count, numbers: numbers, tables: tables, into: symbols, position: position)
    return unsafe UnsafePointer(symbols)
  }

  /// Decodes a block whose raw bits are those of values that are not zero.
  static func decodeSkippingZeros(
    _ frame: UnsafeRawBufferPointer, _ part: RansFrame, _ symbols: UnsafePointer<UInt8>, by coding: FloatCoding,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let width = coding.kind.width
    let count = UInt32(out.count / width)
    // The tables' numbers have served.
    let (mask, kept) = unsafe (scratch.area(Area.mask), scratch.area(Area.tableNumbers))
    let keptCount = unsafe Int(swzip_sparse_compact(symbols, count, 1, .max, mask, kept))
    guard keptCount > 0 else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    let raw = try unsafe FloatFrame.raw(
      frame, of: coding.kind, count: keptCount, at: part.words.upperBound, position: position)
    var block = try unsafe block(
      frame, raw, patches: 0..<0, by: coding, count: keptCount, scratch: scratch, position: position)
    unsafe block.symbols = unsafe UnsafePointer(kept)
    let values = try unsafe scratch.values(keptCount * width + Limits.slack)
    _ = try unsafe decode(&block, into: values.baseAddress!, scratch: scratch, streaming: false, position: position)
    unsafe swzip_sparse_expand(mask, count, UInt32(width), values.baseAddress!, out.baseAddress!)
    return unsafe xxh3(UnsafeRawBufferPointer(out))
  }
}
