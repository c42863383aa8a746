/// Extension records (spec/FORMAT.md, section 7).
package struct Extensions: Equatable, Sendable {
  /// Of a directory.
  package var checkpoint: CheckpointRecord?

  package init() {}

  package func write(_ writer: inout ByteWriter) {
    writer.varint(checkpoint == nil ? 0 : 1)
    guard let checkpoint else { return }
    writer.integer(CheckpointRecord.type)
    writer.integer(UInt32(checkpoint.byteCount))
    checkpoint.write(&writer)
  }

  /// Skips unknown records that may be ignored; throws at one that must be understood.
  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Extensions {
    var extensions = Extensions()
    for _ in 0..<(try reader.count(itemBytes: 6, atMost: 1 << 16)) {
      let type = try reader.integer(UInt16.self)
      guard type & 0x8000 == 0 else { throw reader.failure(.unknownExtension, .unsupported) }
      let byteCount = try reader.integer(UInt32.self)
      guard Int(byteCount) <= reader.remaining else { throw reader.failure(.truncated) }
      let bytes = try reader.array(Int(byteCount))
      if type == CheckpointRecord.type { extensions.checkpoint = CheckpointRecord(bytes) }
    }
    return extensions
  }
}
