package import SwzipNames

/// Says which files of a checkpoint are not what was added, but within a bound of it (spec/FORMAT.md, section 7;
/// spec/ARCHIVE.md, section 2).
package struct InexactRecord: Equatable, Sendable {
  static let type: UInt16 = 17

  package struct File: Equatable, Sendable {
    @Exact package var name: String
    /// Of the file that was added.
    package var sourceSHA256: Digest
    /// Tensors of which some value is another one.
    package var tensorCount: UInt64

    package init(name: String, sourceSHA256: Digest, tensorCount: UInt64) {
      self.name = name
      self.sourceSHA256 = sourceSHA256
      self.tensorCount = tensorCount
    }
  }

  /// What was allowed, as it was asked for: "update:1/64".
  @Exact package var policy: String
  /// At least one.
  package var files: [File]

  package init(policy: String, files: [File]) {
    self.policy = policy
    self.files = files
  }

  func write(_ writer: inout ByteWriter) {
    func add(_ text: String) {
      writer.varint(UInt64(text.nameBytes.count))
      writer.array(text.nameBytes)
    }
    add(policy)
    writer.varint(UInt64(files.count))
    for file in files {
      add(file.name)
      writer.array(file.sourceSHA256.bytes)
      writer.varint(file.tensorCount)
    }
  }

  /// What follows the fields may be a newer version's.
  init(_ bytes: [UInt8], at position: UInt64) throws(SwzipError) {
    var reader = unsafe ByteReader(bytes.span.bytes, at: position)  // bytes of the array, which outlives it
    policy = try Self.text(&reader)
    files = []
    for _ in 0..<(try reader.count(itemBytes: 34, atMost: Limits.members)) {
      files.append(
        File(
          name: try Self.text(&reader), sourceSHA256: Digest(try reader.array(32)),
          tensorCount: try reader.varint()))
    }
    guard !files.isEmpty else { throw reader.failure(.limit) }
  }

  private static func text(_ reader: inout ByteReader) throws(SwzipError) -> String {
    String(nameBytes: try reader.array(try reader.count(itemBytes: 1, atMost: Limits.nameBytes)))
  }
}
