/// One block in the block tables (spec/FORMAT.md, section 5).
package struct BlockTableEntry: Equatable, Sendable {
  package var frameByteCount: Int
  /// Version 0.1 alone has it in the tables.
  package var storedHashLow: UInt32?
  package var decodedHash: UInt64

  package init(frameByteCount: Int, storedHash: UInt64, decodedHash: UInt64) {
    self.init(
      frameByteCount: frameByteCount, storedHashLow: UInt32(truncatingIfNeeded: storedHash), decodedHash: decodedHash)
  }

  package init(frameByteCount: Int, storedHashLow: UInt32?, decodedHash: UInt64) {
    self.frameByteCount = frameByteCount
    self.storedHashLow = storedHashLow
    self.decodedHash = decodedHash
  }

  /// Bytes of the lines of a segment with so many blocks: from version 0.2 on, the directory says all of a single one.
  package static func tableByteCount(_ blockCount: UInt64, _ version: FormatVersion) -> UInt64 {
    // So that what a hostile directory claims does not overflow: it is beyond any container.
    let count = min(blockCount, 1 << 56)
    return version == .oldest ? 16 * count : count > 1 ? 12 * count : 0
  }

  package func write(_ writer: inout ByteWriter, _ version: FormatVersion) {
    writer.integer(UInt32(frameByteCount / 16))
    if version == .oldest { writer.integer(storedHashLow ?? 0) }
    writer.integer(decodedHash)
  }

  package static func read(
    _ reader: inout ByteReader, _ version: FormatVersion
  ) throws(SwzipError) -> BlockTableEntry {
    let units = try reader.integer(UInt32.self)
    guard units >= 2, units < 1 << 24 else { throw reader.failure(.frameSize) }
    let low = version == .oldest ? try reader.integer(UInt32.self) : nil
    return BlockTableEntry(
      frameByteCount: Int(units) * 16, storedHashLow: low, decodedHash: try reader.integer(UInt64.self))
  }

  /// Whether it is the line of a block with this header.
  package func agrees(with block: BlockHeader) -> Bool {
    decodedHash == block.decodedHash && frameByteCount == block.frame.byteCount
      && storedHashLow ?? UInt32(truncatingIfNeeded: block.frame.storedHash)
        == UInt32(truncatingIfNeeded: block.frame.storedHash)
  }
}
