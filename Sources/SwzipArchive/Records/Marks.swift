package import SwzipNames

/// Says that the checkpoint in a container is forgotten: by its name, whatever it holds (spec/ARCHIVE.md, section 2).
enum Tombstone {
  static let suffix = ".gone"

  static func text(_ name: ContainerName) -> String { SummedText.make(["gone \(name.text)"]) }

  static func isWhole(_ name: ContainerName, _ bytes: [UInt8]) -> Bool {
    bytes.isEmpty || SummedText.lines(bytes) == ["gone \(name.text)"]
  }
}

/// Says that a container is about to be deleted: an empty file.
package struct DoomMark: Sendable {
  static let suffix = ".doom"

  package let name: ContainerName
  /// When it was made, by the clock of the file system.
  package let made: FileTime
}
