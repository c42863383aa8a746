internal import SwzipNames

/// Reads the literals of Python that the headers of arrays consist of, by NumPy or by hand. `nil` and false mean that something
/// else stands there.
struct PythonLiteral {
  private let text: [UInt8]
  private var offset = 0
  private static let mostDepth = 32

  init(_ text: [UInt8]) { self.text = text }

  private mutating func skipSpace() {
    while offset < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[offset]) { offset += 1 }
  }

  /// Whether only space is left.
  mutating func isAtEnd() -> Bool {
    skipSpace()
    return offset == text.count
  }

  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard text[offset...].starts(with: word.utf8) else { return false }
    offset += word.utf8.count
    return true
  }

  /// Items up to `end`, with commas between them; one may follow the last.
  private mutating func items(until end: String, _ item: (inout PythonLiteral) -> Bool) -> Bool {
    while !take(end) {
      guard item(&self) else { return false }
      guard take(",") else { return take(end) }
    }
    return true
  }

  /// A dictionary of texts; `entry` reads the value of a key.
  mutating func dictionary(_ entry: (inout PythonLiteral, Exact) -> Bool) -> Bool {
    take("{")
      && items(until: "}") { literal in
        guard let key = literal.string(), literal.take(":") else { return false }
        return entry(&literal, Exact(key))
      }
  }

  /// A text without escapes in it, in quotes of either kind.
  mutating func string() -> String? {
    skipSpace()
    for prefix in ["u", "b"] where take(prefix) { break }
    guard offset < text.count, [0x22, 0x27].contains(text[offset]) else { return nil }
    guard let end = text[(offset + 1)...].firstIndex(of: text[offset]), !text[offset..<end].contains(0x5C) else {
      return nil
    }
    defer { offset = end + 1 }
    return String(decoding: text[(offset + 1)..<end], as: UTF8.self)
  }

  mutating func boolean() -> Bool? { take("True") ? true : take("False") ? false : nil }

  /// A tuple or a list of integers.
  mutating func integers(atMost limit: Int) -> [UInt64]? {
    let isTuple = take("(")
    guard isTuple || take("[") else { return nil }
    var values: [UInt64] = []
    let good = items(until: isTuple ? ")" : "]") { literal in
      guard values.count < limit, let value = literal.integer() else { return false }
      values.append(value)
      return true
    }
    return good ? values : nil
  }

  /// Python 2 marked long ones by an L.
  private mutating func integer() -> UInt64? {
    skipSpace()
    let start = offset
    while offset < text.count, 0x30...0x39 ~= text[offset] { offset += 1 }
    defer { _ = take("L") }
    return UInt64(String(decoding: text[start..<offset], as: UTF8.self))
  }

  /// Steps over any value.
  mutating func skipValue(depth: Int = 0) -> Bool {
    guard depth < Self.mostDepth else { return false }
    if take("(") { return items(until: ")") { $0.skipValue(depth: depth + 1) } }
    if take("[") { return items(until: "]") { $0.skipValue(depth: depth + 1) } }
    if take("{") {
      return items(until: "}") { $0.skipValue(depth: depth + 1) && $0.take(":") && $0.skipValue(depth: depth + 1) }
    }
    if string() != nil { return true }
    skipSpace()
    let start = offset
    let ends = Array(",:()[]{}'\" \n".utf8)
    while offset < text.count, !ends.contains(text[offset]) { offset += 1 }
    return offset > start
  }
}
