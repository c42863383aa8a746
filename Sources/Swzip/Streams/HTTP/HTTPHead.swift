/// What the head of an answer says, as far as it matters here.
struct HTTPHead {
  private(set) var status = 0
  /// The server's words for it.
  private(set) var reason = ""
  /// Of the body.
  private(set) var byteCount: UInt64?
  private(set) var type = ""
  /// A coding that was not asked for.
  private(set) var isEncoded = false
  private(set) var part: Part?
  private(set) var version = Version()

  /// Which part of a file a body is, by Content-Range.
  struct Part: Equatable {
    /// Empty where none of it was asked for ("bytes */N").
    var range: Range<UInt64>
    var fileByteCount: UInt64

    /// Nil for anything but "bytes 0-63/1000", with places inside the file, or "bytes */1000".
    init?(_ text: String) {
      guard text.lowercased().hasPrefix("bytes ") else { return nil }
      let sides = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
      guard sides.count == 2, let total = HTTPHead.number(sides[1]) else { return nil }
      fileByteCount = total
      range = 0..<0
      guard sides[0] != "*" else { return }
      let places = sides[0].split(separator: "-", omittingEmptySubsequences: false)
      guard places.count == 2, let first = HTTPHead.number(places[0]), let last = HTTPHead.number(places[1]),
        first <= last, last < total
      else { return nil }
      range = first..<(last + 1)
    }
  }

  /// By what a server tells whether a file is still the same.
  struct Version: Equatable {
    fileprivate(set) var tag: String?
    fileprivate(set) var modified: String?

    /// What of both is known is the same.
    func agrees(with other: Version) -> Bool {
      if let tag, let tag2 = other.tag { return tag == tag2 }
      if let modified, let modified2 = other.modified { return modified == modified2 }
      return true
    }

    /// The header that asks for this version alone. A weak tag fits none.
    var condition: String? {
      if let tag, !tag.hasPrefix("W/") { return "If-Match: " + tag }
      return modified.map { "If-Unmodified-Since: " + $0 }
    }
  }

  /// Takes a line: a status, with which a head begins anew (of a redirection, or behind that of a proxy), or a field.
  mutating func add(_ line: String) {
    if line.hasPrefix("HTTP/") {
      let parts = line.split(separator: " ", maxSplits: 2)
      self = HTTPHead()
      status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
      reason = parts.count > 2 ? HTTPHead.trimmed(parts[2].prefix(64)) : ""
      return
    }
    guard let colon = line.firstIndex(of: ":") else { return }
    let value = HTTPHead.trimmed(line[line.index(after: colon)...])
    switch line[..<colon].lowercased() {
    case "content-length": byteCount = HTTPHead.number(value[...])
    case "content-type": type = value
    case "content-encoding": isEncoded = !["", "identity"].contains(value.lowercased())
    case "content-range": part = Part(value)
    case "etag": version.tag = value
    case "last-modified": version.modified = value
    default: break
    }
  }

  /// The boundary of a body in several parts.
  var boundary: String? {
    let fields = type.split(separator: ";").map { HTTPHead.trimmed($0) }
    guard fields.first?.lowercased() == "multipart/byteranges" else { return nil }
    guard let field = fields.first(where: { $0.lowercased().hasPrefix("boundary=") }) else { return nil }
    let value = field.dropFirst(9).filter { $0 != "\"" }
    return (1...70).contains(value.utf8.count) ? value : nil
  }

  /// What is for people to read, not a file.
  var isPage: Bool { type.lowercased().hasPrefix("text/html") }

  /// "404 Not Found".
  var text: String { reason.isEmpty ? String(status) : "\(status) \(reason)" }

  /// Digits alone, of a length that a file can have.
  private static func number(_ text: Substring) -> UInt64? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt64(text).flatMap { $0 <= UInt64(Int64.max) ? $0 : nil }
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in character.isWhitespace }
    return String(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
