internal import CSwzipKernels

/// Blocks of mode delta (spec/codecs/delta.md).
enum DeltaBlock {
  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, width: Int) -> Int { RansStreams.bound(count) + count * width + 64 }

  /// Writes the payload; returns the frame's size.
  static func encode(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, block: Int, plan: DeltaPlan,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> Int {
    let count = values.count / plan.kind.width
    return unsafe withUnsafePointer(to: plan.kind.kernel) { kernel in
      unsafe swzip_delta_symbols(kernel, values.baseAddress!, base.baseAddress!, count, scratch.symbols)
      let end = unsafe plan.writeSymbols(base, block: block, count: count, to: frame, scratch: scratch)
      let lowBytes = unsafe swzip_delta_low_bits(
        kernel, values.baseAddress!, base.baseAddress!, scratch.symbols, count, frame.mutable(end))
      return unsafe padFrame(frame.baseAddress!, from: end + lowBytes)
    }
  }

  /// Decodes a block, given the base of its values.
  static func decode(
    _ frame: UnsafeRawBufferPointer, of segment: SegmentHeader, kind: DeltaKind, tables: RansDecodeTables,
    base: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    let count = out.count / kind.width
    let layout = try unsafe RansStreams.read(
      frame, count: count, rowLength: Int(segment.rowLength), coding: segment.rans!, scratch: scratch,
      position: position)
    let words = (layout.end + 15) & ~15
    let low = words + 2 * layout.wordCount
    guard low <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    try unsafe checkPadding(frame, layout.end..<words, at: position)
    let numbers = unsafe kind.numbers(
      base.baseAddress!, count: count, classes: layout.classes, rowLength: Int(segment.rowLength),
      top: segment.topExponent, coding: segment.rans!, map: tables.map, into: scratch.tableNumbers)
    // Within the frame and its slack by the checks above.
    guard
      unsafe swzip_rans_decode(
        frame.pointer(words), layout.wordCount, layout.states, count, numbers, tables.first, scratch.symbols)
    else { throw SwzipError(.corrupt, .subStreams, at: position) }
    // How many bytes the low bits fill follows from the symbols.
    let lowBytes = unsafe withUnsafePointer(to: kind.kernel) {
      unsafe swzip_delta_apply(
        $0, scratch.symbols, frame.pointer(low), frame.count - low, base.baseAddress!, count, out.baseAddress!)
    }
    guard (low + lowBytes + 15) & ~15 == frame.count, low + lowBytes <= frame.count else {
      throw SwzipError(.corrupt, .frameSize, at: position)
    }
    try unsafe checkPadding(frame, (low + lowBytes)..<frame.count, at: position)
  }
}
