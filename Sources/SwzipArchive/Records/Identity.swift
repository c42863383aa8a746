package import SwzipCore

/// What SWZARCHIVE says (spec/ARCHIVE.md, section 2).
package struct Identity: Equatable, Sendable {
  package static let fileName = "SWZARCHIVE"
  private static let version = "1"

  private static let versions = "versions"

  /// 16 bytes.
  package let id: Digest
  /// Whether it was made for the versions of a file, the old ones of which go by themselves.
  let holdsVersions: Bool

  init(id: Digest) { (self.id, holdsVersions) = (id, false) }

  /// A new one.
  init(holdsVersions: Bool) {
    id = Digest((0..<16).map { _ in UInt8.random(in: 0...255) })
    self.holdsVersions = holdsVersions
  }

  /// Of which archive something is says the number alone.
  package static func == (left: Self, right: Self) -> Bool { left.id == right.id }

  var text: String {
    SummedText.make([
      "swzip-archive \(Self.version)", "id \(id)", "must -", "may \(holdsVersions ? Self.versions : "-")",
    ])
  }

  init(_ bytes: [UInt8]) throws(SwzipError) {
    // A newer version may have another form: its first line is read before the sum is compared.
    if let first = String(decoding: bytes.prefix(SummedText.mostBytes), as: UTF8.self).split(separator: "\n").first,
      let version = SummedText.value("swzip-archive", String(first)), version != Self.version, UInt32(version) != nil
    {
      throw Self.newer("version \(version) of archives")
    }
    guard let lines = SummedText.lines(bytes), lines.count == 4, lines[0] == "swzip-archive \(Self.version)",
      let id = SummedText.value("id", lines[1]).flatMap({ Digest(hexadecimal: $0) }), id.bytes.count == 16,
      let must = SummedText.value("must", lines[2]), let may = SummedText.value("may", lines[3])
    else { throw SwzipError(.corrupt, .system, detail: "damaged: it does not match its sum") }
    guard must == "-" else { throw Self.newer(must) }
    self.id = id
    holdsVersions = may.split(separator: ",").contains { $0 == Self.versions }
  }

  private static func newer(_ what: String) -> SwzipError {
    SwzipError(.unsupported, .reservedBits, detail: what)
  }
}
