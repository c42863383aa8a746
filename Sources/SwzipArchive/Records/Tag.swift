package import SwzipCore

/// A name for a checkpoint (spec/ARCHIVE.md, section 2).
package struct Tag: Equatable, Sendable {
  package let name: String
  /// Of the checkpoint.
  package let identity: Digest
  package let step: UInt64

  static let suffix = ".tag"

  init(_ name: String, identity: Digest, step: UInt64) {
    (self.name, self.identity, self.step) = (name, identity, step)
  }

  var text: String { SummedText.make(["swztag 1", "checkpoint \(identity)", "step \(step)"]) }

  /// Nil for a damaged one.
  init?(_ name: String, _ bytes: [UInt8]) {
    guard let lines = SummedText.lines(bytes), lines.count == 3, lines[0] == "swztag 1",
      let identity = SummedText.value("checkpoint", lines[1]).flatMap({ Digest(hexadecimal: $0) }),
      identity.bytes.count == 32, let step = SummedText.value("step", lines[2]).flatMap({ UInt64($0) })
    else { return nil }
    self.init(name, identity: identity, step: step)
  }

  /// A letter first, so that it is no step, and nothing that a file system would take for another name.
  package static func isName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard let first = bytes.first, (0x61...0x7A).contains(first), bytes.count <= 64, name != "latest" else {
      return false
    }
    return bytes.allSatisfy { isDigit($0) || (0x61...0x7A).contains($0) || [0x2E, 0x5F, 0x2D].contains($0) }
  }
}
