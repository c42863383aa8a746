internal import SwzipCore

/// A small text of lines, the last of which is a sum of those before it (spec/ARCHIVE.md, section 2).
enum SummedText {
  static let mostBytes = 4096

  static func make(_ lines: [String]) -> String {
    let text = lines.map { $0 + "\n" }.joined()
    return text + "sum \(sum(text))\n"
  }

  /// The lines; nil where the text is not what its sum was made of.
  static func lines(_ bytes: [UInt8], mostBytes: Int = mostBytes) -> [String]? {
    guard bytes.count <= mostBytes, let text = String(validating: bytes, as: UTF8.self) else { return nil }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard lines.count >= 2, lines.popLast() == "", let last = lines.popLast() else { return nil }
    return text == make(lines) && last.hasPrefix("sum ") ? lines : nil
  }

  /// What follows `key ` in a line.
  static func value(_ key: String, _ line: String) -> String? {
    line.hasPrefix(key + " ") ? String(line.dropFirst(key.count + 1)) : nil
  }

  private static func sum(_ text: String) -> String { padded(String(xxh3(Array(text.utf8)), radix: 16), to: 16) }
}
