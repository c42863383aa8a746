internal import CSwzipKernels

/// Blocks of mode rans in codec float (spec/codecs/rans.md, float.md).
extension FloatBlock {
  /// Room that a frame may take while it is being written.
  static func ransBound(_ count: Int, kind: FloatKind) -> Int {
    RansStreams.bound(count) + kind.rawPlaneBytes(count) + (kind.isWide ? 2 * PlaneSection.bound(count) : 0)
      + 6 * (count / 16) + 512
  }

  /// The raw bits of values with symbol 0 are left out: these values are zero.
  static let skipsZerosFlag: UInt8 = 8

  /// Writes the payload of mode rans; returns the frame's size and flags, nil where another mode must serve.
  static func encodeRans(
    _ source: UnsafeRawBufferPointer, block: Int, plan: RansPlan, kind: FloatKind, windowBase: UInt16,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch, effort: Effort
  ) -> (byteCount: Int, flags: UInt8)? {
    let count = source.count / kind.width
    let start = frame.baseAddress!
    // The raw plane follows the words, whose number is not known yet.
    let rawPlane = unsafe scratch.plane(2)
    var kept = count
    var outside = false
    var flags: UInt8 = 0
    if let left = unsafe splitSkippingZeros(
      source, kind: kind, windowBase: windowBase, rawPlane: rawPlane, scratch: scratch)
    {
      kept = left
      flags |= skipsZerosFlag
    } else {
      outside = unsafe swzip_float_split(
        kind.kernel, source.baseAddress!, UInt32(count), windowBase, scratch.symbols, rawPlane, scratch.plane(0),
        scratch.plane(1))
    }
    var offset = unsafe plan.writeSymbols(block: block, count: count, to: frame, scratch: scratch)
    unsafe (start + offset).copyMemory(from: rawPlane, byteCount: kind.rawPlaneBytes(kept))
    offset += kind.rawPlaneBytes(kept)
    if kind.isWide {
      for plane in 0..<2 {
        offset = unsafe PlaneSection.encode(
          UnsafeRawBufferPointer(start: scratch.plane(plane), count: kept), into: start, at: offset, scratch: scratch,
          effort: effort)
      }
    }
    guard outside else { return unsafe (padFrame(start, from: offset), flags) }
    guard
      let end = unsafe writePatches(
        source, count: count, kind: kind, windowBase: windowBase, missing: [], outside: true, into: frame, at: offset,
        scratch: scratch)
    else { return nil }
    return unsafe (padFrame(start, from: end), flags | patchesFlag)
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
      kind.kernel, values.baseAddress!, UInt32(kept), windowBase, scratch.sorted, rawPlane, scratch.plane(0),
      scratch.plane(1))
    guard !outside else { return nil }
    for index in 0..<kept where unsafe scratch.sorted[index] == 0 { return nil }
    unsafe swzip_sparse_expand(scratch.mask, UInt32(count), 1, scratch.sorted, scratch.symbols)
    return kept
  }

  /// Decodes a block of mode rans into `out` and returns the hash of what it wrote.
  static func decodeRans(
    _ frame: UnsafeRawBufferPointer, by coding: FloatCoding, _ rans: RansCoding, tables: RansDecodeTables,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, streaming: Bool, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let kind = coding.kind
    let count = out.count / kind.width
    let rowLength = Int(coding.rowLength)
    let layout = try unsafe RansStreams.read(
      frame, count: count, rowLength: rowLength, coding: rans, scratch: scratch, position: position)
    let numbers = unsafe RansStreams.numbers(
      layout.classes, count: count, rowLength: rowLength, coding: rans, map: tables.map,
      into: scratch.tableNumbers)
    let flags = unsafe frame[25]
    guard flags & ~(patchesFlag | skipsZerosFlag) == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let words = (layout.end + 15) & ~15
    let wordsEnd = words + 2 * layout.wordCount
    guard wordsEnd <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    try unsafe checkPadding(frame, layout.end..<words, at: position)
    // Within the frame and its slack by the checks above.
    guard
      unsafe swzip_rans_decode(
        frame.pointer(words), layout.wordCount, layout.states, count, numbers,
        tables.first(for: numbers, count: count), scratch.symbols)
    else { throw SwzipError(.corrupt, .subStreams, at: position) }
    var block = unsafe swzip_float_block()
    unsafe block.kind = kind.kernel
    unsafe block.window_base = coding.windowBase
    guard flags & skipsZerosFlag != 0 else {
      unsafe block.count = UInt32(count)
      unsafe block.symbols = unsafe UnsafePointer(scratch.symbols)
      return try unsafe decodePlanes(
        frame, &block, kind: kind, at: wordsEnd, patches: flags & patchesFlag != 0, into: out.baseAddress!,
        scratch: scratch, streaming: streaming, position: position)
    }
    let symbols = unsafe scratch.tableNumbers  // the tables' numbers have served
    let kept = unsafe Int(swzip_sparse_compact(scratch.symbols, UInt32(count), 1, .max, scratch.mask, symbols))
    guard kept > 0, flags & patchesFlag == 0 else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    unsafe block.count = UInt32(kept)
    unsafe block.symbols = unsafe UnsafePointer(symbols)
    let values = try unsafe scratch.nonZeros(kept * kind.width + Limits.slack)
    _ = try unsafe decodePlanes(
      frame, &block, kind: kind, at: wordsEnd, patches: false, into: values.baseAddress!, scratch: scratch,
      streaming: false, position: position)
    unsafe swzip_sparse_expand(
      scratch.mask, UInt32(count), UInt32(kind.width), values.baseAddress!, out.baseAddress!)
    return unsafe xxh3(UnsafeRawBufferPointer(out))
  }

  /// Merges the symbols of `block` with the planes that follow in the frame.
  private static func decodePlanes(
    _ frame: UnsafeRawBufferPointer, _ block: inout swzip_float_block, kind: FloatKind, at offset: Int, patches: Bool,
    into out: UnsafeMutableRawPointer, scratch: DecodeScratch, streaming: Bool, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let end = try unsafe readPlanes(frame, &block, kind: kind, at: offset, scratch: scratch, position: position)
    try unsafe readEnd(frame, &block, patches: patches, at: end, position: position)
    var hash: UInt64 = 0
    guard unsafe swzip_float_decode(&block, out, scratch.tile, streaming, &hash) else {
      throw SwzipError(.corrupt, .blockHeader, at: position)
    }
    return hash
  }
}
