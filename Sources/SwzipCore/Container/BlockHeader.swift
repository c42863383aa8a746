/// The common part of a block frame (spec/FORMAT.md, section 4.3).
package struct BlockHeader: Equatable, Sendable {
  package static let byteCount = 32

  package var frame: Frame
  package var decodedHash: UInt64
  package var mode: UInt8
  package var flags: UInt8

  package var valueCount: Int { Int(frame.tag) }

  /// Reads 32 bytes at `position` of the container.
  package static func read(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) -> BlockHeader {
    var reader = unsafe ByteReader(bytes.bytes, at: position)
    let frame = try Frame.read(&reader)
    guard frame.kind == .block else { throw SwzipError(.corrupt, .frameKind, at: position) }
    guard frame.byteCount >= byteCount else { throw SwzipError(.corrupt, .frameSize, at: position) }
    return BlockHeader(
      frame: frame, decodedHash: try reader.integer(UInt64.self), mode: try reader.integer(UInt8.self),
      flags: try reader.integer(UInt8.self))
  }

  /// Whether it may be the header of block `index` of a segment, by its number of values and its size.
  package func fits(_ segment: SegmentHeader, index: UInt64) -> Bool {
    let valueCount = segment.valueCount(ofBlock: index)
    return self.valueCount == valueCount
      && frame.byteCount <= (valueCount * segment.width + 15) & ~15 + Limits.blockOverhead
  }

  /// Completes a block frame whose payload is written; returns its line in the block table.
  package static func seal(
    _ frame: UnsafeMutableRawBufferPointer, mode: BlockMode, flags: UInt8 = 0, decodedHash: UInt64, valueCount: Int,
    number: UInt32
  ) -> BlockTableEntry {
    unsafe frame.storeBytes(of: decodedHash.littleEndian, toByteOffset: 16, as: UInt64.self)
    unsafe frame.storeBytes(of: mode.rawValue, toByteOffset: 24, as: UInt8.self)
    unsafe frame.storeBytes(of: flags, toByteOffset: 25, as: UInt8.self)
    let hash = unsafe Frame.seal(frame, .block, tag: UInt32(valueCount), ordinal: number)
    return BlockTableEntry(frameByteCount: frame.count, storedHash: hash, decodedHash: decodedHash)
  }
}

/// Zero bytes from `offset` to the next multiple of 16; returns that.
package func padFrame(_ frame: UnsafeMutableRawPointer, from offset: Int) -> Int {
  let end = (offset + 15) & ~15
  for index in offset..<end { unsafe frame.storeBytes(of: 0, toByteOffset: index, as: UInt8.self) }
  return end
}

/// Throws unless `bytes` are zero in `range`.
package func checkPadding(
  _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, at position: UInt64
) throws(SwzipError) {
  for index in range {
    guard unsafe bytes[index] == 0 else { throw SwzipError(.corrupt, .padding, at: position) }
  }
}
