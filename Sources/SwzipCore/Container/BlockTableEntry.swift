/// One block in the block tables (spec/FORMAT.md, section 5).
package struct BlockTableEntry: Equatable, Sendable {
  package static let byteCount = 16

  package var frameByteCount: Int
  package var storedHashLow: UInt32
  package var decodedHash: UInt64

  package init(frameByteCount: Int, storedHash: UInt64, decodedHash: UInt64) {
    self.frameByteCount = frameByteCount
    self.storedHashLow = UInt32(truncatingIfNeeded: storedHash)
    self.decodedHash = decodedHash
  }

  package func write(_ writer: inout ByteWriter) {
    writer.integer(UInt32(frameByteCount / 16))
    writer.integer(storedHashLow)
    writer.integer(decodedHash)
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> BlockTableEntry {
    let units = try reader.integer(UInt32.self)
    guard units >= 2, units < 1 << 24 else { throw reader.failure(.frameSize) }
    let low = try reader.integer(UInt32.self)
    return BlockTableEntry(
      frameByteCount: Int(units) * 16, storedHash: UInt64(low), decodedHash: try reader.integer(UInt64.self))
  }
}
