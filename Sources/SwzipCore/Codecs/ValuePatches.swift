/// Values that replace what a block gives otherwise: u32 position, then the value, strictly ascending
/// (spec/codecs/cast.md, lattice.md).
enum ValuePatches {
  /// Bytes of so many.
  static func byteCount(_ count: Int, width: Int) -> Int { count * (4 + width) }

  /// Writes those of `values` at `offset` of a frame; returns their end.
  static func write(
    _ positions: some Sequence<UInt32>, of values: UnsafeRawBufferPointer, width: Int,
    into frame: UnsafeMutableRawBufferPointer, at offset: Int
  ) -> Int {
    var end = offset
    for position in positions {
      let start = Int(position) * width
      unsafe frame.storeBytes(of: position.littleEndian, toByteOffset: end, as: UInt32.self)
      unsafe UnsafeMutableRawBufferPointer(rebasing: frame[(end + 4)...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: values[start..<(start + width)]))
      end += 4 + width
    }
    return end
  }

  /// Puts `count` of them, which lie in the frame from `offset` on, over values.
  static func apply(
    _ frame: UnsafeRawBufferPointer, at offset: Int, _ count: Int, to out: UnsafeMutableRawBufferPointer, width: Int,
    position: UInt64
  ) throws(SwzipError) {
    var last = -1
    for index in 0..<count {
      let at = offset + index * (4 + width)
      let place = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
      guard place > last, place < out.count / width else { throw SwzipError(.corrupt, .patches, at: position) }
      last = place
      unsafe UnsafeMutableRawBufferPointer(rebasing: out[(place * width)...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: frame[(at + 4)..<(at + 4 + width)]))
    }
  }
}
