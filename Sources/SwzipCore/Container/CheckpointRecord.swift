/// Says which checkpoint of an archive a container holds (spec/FORMAT.md, section 7; spec/ARCHIVE.md).
package struct CheckpointRecord: Equatable, Sendable {
  static let type: UInt16 = 16
  /// Without the group.
  private static let leastBytes = 32
  static let groupBytes = 16

  /// Of the archive that it was made for, 16 bytes.
  package var archive: [UInt8]
  package var step: UInt64
  /// Counts what was added for one step, from 1.
  package var attempt: UInt32
  /// The part of the checkpoint, from 0, of `parts`.
  package var part: UInt16
  package var parts: UInt16
  /// What the parts of a checkpoint have in common, 16 bytes; empty where it is one part.
  package var group: [UInt8]

  package init(
    archive: [UInt8], step: UInt64, attempt: UInt32, part: UInt16 = 0, parts: UInt16 = 1, group: [UInt8] = []
  ) {
    self.archive = archive
    self.step = step
    self.attempt = attempt
    self.part = part
    self.parts = parts
    self.group = group
  }

  var byteCount: Int { Self.leastBytes + group.count }

  func write(_ writer: inout ByteWriter) {
    writer.array(archive)
    writer.integer(step)
    writer.integer(attempt)
    writer.integer(part)
    writer.integer(parts)
    writer.array(group)
  }

  /// Nil for fewer bytes than the fields have, and for a part that is none of its checkpoint's, which say nothing; more may be
  /// a newer version's.
  init?(_ bytes: [UInt8]) {
    guard bytes.count >= Self.leastBytes else { return nil }
    var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
    guard let archive = try? reader.array(16), let step = try? reader.integer(UInt64.self),
      let attempt = try? reader.integer(UInt32.self), let part = try? reader.integer(UInt16.self),
      let parts = try? reader.integer(UInt16.self), part < parts
    else { return nil }
    var group: [UInt8] = []
    if parts > 1 {
      guard let found = try? reader.array(Self.groupBytes) else { return nil }
      group = found
    }
    self.init(archive: archive, step: step, attempt: attempt, part: part, parts: parts, group: group)
  }
}
