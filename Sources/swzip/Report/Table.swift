internal import SwzipSystem

/// Text in columns.
struct Table {
  enum Alignment { case left, right }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []
  /// Spaces before each line.
  var indent = 0

  init(_ columns: [(String, Alignment)]) { self.columns = columns.map { (title: $0.0, alignment: $0.1) } }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// An empty line between groups of rows.
  mutating func addGap() { rows.append([]) }

  func text(_ style: Style) -> String {
    let all = [columns.map(\.title)] + rows
    let widths = columns.indices.map { column in
      all.map { $0.indices.contains(column) ? $0[column].unicodeScalars.count : 0 }.max() ?? 0
    }
    var text = style.bold(line(all[0], widths)) + "\n"
    for row in rows { text += row.isEmpty ? "\n" : line(row, widths) + "\n" }
    return text
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = String(repeating: " ", count: indent)
    for (column, cell) in row.enumerated() {
      if column > 0 { line += "  " }
      let pad = String(repeating: " ", count: max(0, widths[column] - cell.unicodeScalars.count))
      switch columns[column].alignment {
      case .left: line += cell + pad
      case .right: line += pad + cell
      }
    }
    // Nothing is padded at the end of a line.
    while line.hasSuffix(" ") { line.removeLast() }
    return line
  }
}

/// Bold type where somebody looks at it.
struct Style {
  private let isOn: Bool

  init() { isOn = FileHandle.standardOutput.isTerminal && (Process.environment("NO_COLOR") ?? "").isEmpty }

  func bold(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}
