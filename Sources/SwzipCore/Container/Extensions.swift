/// Extension records (spec/FORMAT.md, section 7): none are known yet.
package enum Extensions {
  package static func write(_ writer: inout ByteWriter) { writer.varint(0) }

  /// Skips records that may be ignored; throws at one that must be understood.
  package static func read(_ reader: inout ByteReader) throws(SwzipError) {
    for _ in 0..<(try reader.count(itemBytes: 6, atMost: 1 << 16)) {
      let type = try reader.integer(UInt16.self)
      guard type & 0x8000 == 0 else { throw reader.failure(.unknownExtension, .unsupported) }
      let byteCount = try reader.integer(UInt32.self)
      guard Int(byteCount) <= reader.remaining else { throw reader.failure(.truncated) }
      _ = try reader.array(Int(byteCount))
    }
  }
}
