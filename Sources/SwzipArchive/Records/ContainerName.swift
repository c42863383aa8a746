internal import SwzipCore
internal import SwzipNames

/// The name of a container in an archive (spec/ARCHIVE.md, section 1): `s000000000900.p000-001.0123456789abcdef.swz`.
package struct ContainerName: Hashable, Comparable, Sendable {
  package let text: String
  /// What the name says; the record in the container is the truth.
  package let step: UInt64

  package static let mostStep: UInt64 = 999_999_999_999

  package static let mostParts: UInt16 = 999

  /// With a new nonce.
  init(step: UInt64, part: UInt16 = 0, parts: UInt16 = 1) {
    let part = "p\(padded(String(part), to: 3))-\(padded(String(parts), to: 3))"
    self.init(step: step, start: "s\(padded(String(step), to: 12)).\(part)")
  }

  init(_ record: CheckpointRecord) { self.init(step: record.step, part: record.part, parts: record.parts) }

  /// The same with a new nonce.
  var renewed: ContainerName {
    ContainerName(step: step, start: String(text.prefix("s000000000900.p000-001".count)))
  }

  private init(step: UInt64, start: String) {
    let nonce = padded(String(UInt64.random(in: 0 ... .max), radix: 16), to: 16)
    text = "\(start).\(nonce).swz"
    self.step = step
  }

  /// Exactly such a name, or nil.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].count == 13, parts[0].first == UInt8(ascii: "s"),
      parts[0].dropFirst().allSatisfy(isDigit), Self.isPart(parts[1]), parts[2].count == 16,
      parts[2].allSatisfy(isHexadecimal), parts[3].elementsEqual("swz".utf8),
      let step = UInt64(String(Substring(parts[0].dropFirst())))
    else { return nil }
    self.text = text
    self.step = step
  }

  /// `p000-001`.
  private static func isPart(_ part: Substring.UTF8View) -> Bool {
    let bytes = Array(part)
    return bytes.count == 8 && bytes[0] == UInt8(ascii: "p") && bytes[4] == UInt8(ascii: "-")
      && (bytes[1..<4] + bytes[5...]).allSatisfy(isDigit)
  }

  package static func < (left: ContainerName, right: ContainerName) -> Bool { Exact(left.text) < Exact(right.text) }
}

func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte) }

/// With zeros in front.
func padded(_ digits: String, to count: Int) -> String {
  String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
}
