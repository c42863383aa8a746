/// Extension records (spec/FORMAT.md, section 7).
package struct Extensions: Equatable, Sendable {
  /// Of a directory.
  package var checkpoint: CheckpointRecord?
  package var inexact: InexactRecord?

  package init() {}

  package func write(_ writer: inout ByteWriter) {
    var records: [(type: UInt16, bytes: [UInt8])] = []
    func add(_ type: UInt16, _ write: (inout ByteWriter) -> Void) {
      var record = ByteWriter()
      write(&record)
      records.append((type, record.bytes))
    }
    if let checkpoint { add(CheckpointRecord.type, checkpoint.write) }
    if let inexact { add(InexactRecord.type, inexact.write) }
    writer.varint(UInt64(records.count))
    for record in records {
      writer.integer(record.type)
      writer.integer(UInt32(record.bytes.count))
      writer.array(record.bytes)
    }
  }

  /// Skips unknown records that may be ignored; throws at one that must be understood.
  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Extensions {
    var extensions = Extensions()
    for _ in 0..<(try reader.count(itemBytes: 6, atMost: 1 << 16)) {
      let type = try reader.integer(UInt16.self)
      guard type & 0x8000 == 0 else { throw reader.failure(.unknownExtension, .unsupported) }
      let byteCount = try reader.integer(UInt32.self)
      guard Int(byteCount) <= reader.remaining else { throw reader.failure(.truncated) }
      let position = reader.position
      let bytes = try reader.array(Int(byteCount))
      switch type {
      case CheckpointRecord.type: extensions.checkpoint = CheckpointRecord(bytes)
      case InexactRecord.type: extensions.inexact = try InexactRecord(bytes, at: position)
      default: break
      }
    }
    return extensions
  }
}
