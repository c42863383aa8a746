internal import SwzipCore

/// Tensors that cost themselves their map, never the file: one warning for each cause names the first and counts the others.
struct OddTensors {
  enum Cause: CaseIterable {
    /// Its type is not known here.
    case type
    /// Type and shape do not give the length that is there.
    case shape
    /// It overlaps another.
    case place
    /// There is no place at which it could be.
    case entry
    /// Its name is that of another, no UTF-8, or too long.
    case name
  }

  private var found: [Cause: (text: String, count: Int)] = [:]

  /// `detail`: what the warning says of the first.
  mutating func add(_ name: String, _ cause: Cause, _ detail: String) {
    let first = found[cause]
    found[cause] = (first?.text ?? "tensor \(Self.shown(name)) \(detail)", (first?.count ?? 0) + 1)
  }

  var warnings: [String] {
    Cause.allCases.compactMap { found[$0] }.map { text, count in
      count > 1 ? "\(text) (and \(count - 1) more of this kind)" : text
    }
  }

  private static func shown(_ name: String) -> String {
    let text = String(name.unicodeScalars.prefix(200)).printable
    return text.isEmpty ? "without a name" : text
  }
}
