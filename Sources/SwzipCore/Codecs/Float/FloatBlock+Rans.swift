internal import CSwzipKernels

/// Blocks of mode rans in codec float (spec/codecs/rans.md, float.md).
extension FloatBlock {
  /// Room that a frame may take while it is being written.
  static func ransBound(_ count: Int, kind: FloatKind) -> Int {
    RansStreams.fixedBytes + count + kind.rawPlaneBytes(count) + (kind.isWide ? 2 * PlaneSection.bound(count) : 0)
      + 2 * count + 6 * (count / 16) + 512
  }

  /// Writes the payload of mode rans; returns the frame's size and flags, nil where another mode must serve.
  static func encodeRans(
    _ source: UnsafeRawBufferPointer, block: Int, plan: RansPlan, kind: FloatKind, windowBase: UInt16,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch, effort: Effort
  ) -> (byteCount: Int, flags: UInt8)? {
    let count = source.count / kind.width
    let start = frame.baseAddress!
    let classesEnd = unsafe plan.writeClasses(block: block, count: count, to: frame)
    var offset = (classesEnd + 15) & ~15
    for index in classesEnd..<offset { unsafe frame[index] = 0 }
    let outside = unsafe swzip_float_split(
      kind.kernel, source.baseAddress!, UInt32(count), windowBase, scratch.symbols, frame.mutable(offset),
      scratch.plane(0), scratch.plane(1))
    offset += kind.rawPlaneBytes(count)
    if kind.isWide {
      for plane in 0..<2 {
        offset = unsafe PlaneSection.encode(
          UnsafeRawBufferPointer(start: scratch.plane(plane), count: count), into: start, at: offset, scratch: scratch,
          effort: effort)
      }
    }
    offset = unsafe plan.writeWords(block: block, count: count, to: frame, at: offset, scratch: scratch)
    guard outside else { return unsafe (padFrame(start, from: offset), 0) }
    guard
      let end = unsafe writePatches(
        source, count: count, kind: kind, windowBase: windowBase, missing: [], outside: true, into: frame, at: offset,
        scratch: scratch)
    else { return nil }
    return unsafe (padFrame(start, from: end), patchesFlag)
  }

  /// Decodes a block of mode rans into `out` and returns the hash of what it wrote.
  static func decodeRans(
    _ frame: UnsafeRawBufferPointer, of segment: SegmentHeader, kind: FloatKind, tables: RansDecodeTables,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, streaming: Bool, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let count = out.count / kind.width
    let layout = try unsafe RansStreams.read(
      frame, count: count, rowLength: Int(segment.rowLength), coding: segment.rans!, map: tables.map, scratch: scratch,
      position: position)
    let flags = unsafe frame[25]
    guard flags & ~patchesFlag == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    var block = unsafe swzip_float_block()
    unsafe block.kind = kind.kernel
    unsafe block.count = UInt32(count)
    unsafe block.window_base = segment.windowBase
    let words = try unsafe readPlanes(
      frame, &block, kind: kind, at: layout.end, scratch: scratch, position: position)
    let wordsEnd = words + 2 * layout.wordCount
    guard wordsEnd <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    try unsafe readEnd(frame, &block, patches: flags & patchesFlag != 0, at: wordsEnd, position: position)
    // Within the frame and its slack by the checks above.
    guard
      unsafe swzip_rans_decode(
        frame.pointer(words), layout.wordCount, layout.states, count, layout.numbers, tables.first, scratch.tile)
    else { throw SwzipError(.corrupt, .subStreams, at: position) }
    unsafe block.symbols = unsafe UnsafePointer(scratch.tile)
    var hash: UInt64 = 0
    guard unsafe swzip_float_decode(&block, out.baseAddress!, scratch.tile, streaming, &hash) else {
      throw SwzipError(.corrupt, .blockHeader, at: position)
    }
    return hash
  }
}
