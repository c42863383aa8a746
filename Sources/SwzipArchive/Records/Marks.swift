package import SwzipNames

/// Says that the checkpoint in a container is forgotten: by its name, whatever it holds (spec/ARCHIVE.md, section 2).
enum Tombstone {
  static let suffix = ".gone"

  /// `isWithdrawn`: by the add that wrote the container and could not rely on it; nobody asked to forget the checkpoint.
  static func text(_ name: ContainerName, isWithdrawn: Bool = false) -> String {
    SummedText.make(lines(name) + (isWithdrawn ? [withdrawn] : []))
  }

  static func isWhole(_ name: ContainerName, _ bytes: [UInt8]) -> Bool {
    bytes.isEmpty || SummedText.lines(bytes) == lines(name) || isWithdrawn(name, bytes)
  }

  static func isWithdrawn(_ name: ContainerName, _ bytes: [UInt8]) -> Bool {
    SummedText.lines(bytes) == lines(name) + [withdrawn]
  }

  private static let withdrawn = "withdrawn"

  private static func lines(_ name: ContainerName) -> [String] { ["gone \(name.text)"] }
}

/// Says that a container is about to be deleted: an empty file.
package struct DoomMark: Sendable {
  static let suffix = ".doom"

  package let name: ContainerName
  /// When it was made, by the clock of the file system.
  package let made: FileTime
}
