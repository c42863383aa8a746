internal import SwzipSystem

/// Text in columns.
struct Table {
  enum Alignment { case left, right }

  private let columns: [(title: String, alignment: Alignment)]
  private var rows: [[String]] = []
  /// Spaces before each line.
  var indent = 0
  /// The column whose names are cut where a line would be wider than the terminal, but not below `leastCut`.
  var cutColumn: Int?
  private static let leastCut = 16

  init(_ columns: [(String, Alignment)]) { self.columns = columns.map { (title: $0.0, alignment: $0.1) } }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// An empty line between groups of rows.
  mutating func addGap() { rows.append([]) }

  func text(_ style: Style) -> String {
    let titles = columns.map(\.title)
    var widths = titles.map { $0.unicodeScalars.count }
    for row in rows {
      for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.unicodeScalars.count) }
    }
    if let cutColumn, let width = style.width {
      let others = indent + widths.reduce(0) { $0 + $1 + 2 } - 2 - widths[cutColumn]
      widths[cutColumn] = min(widths[cutColumn], max(width - others, Self.leastCut))
    }
    var text = style.bold(line(titles, widths)) + "\n"
    for row in rows { text += row.isEmpty ? "\n" : line(row, widths) + "\n" }
    return text
  }

  private func line(_ row: [String], _ widths: [Int]) -> String {
    var line = String(repeating: " ", count: indent)
    for (column, cell) in row.enumerated() {
      let cell = column == cutColumn ? cut(cell, to: widths[column]) : cell
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

/// Bold type, and lines no wider than the screen, where somebody looks at it.
struct Style {
  private let isOn: Bool
  /// Columns of the terminal; nil where nobody looks.
  let width: Int?

  init() {
    let isTerminal = FileHandle.standardOutput.isTerminal
    isOn = isTerminal && (Process.environment("NO_COLOR") ?? "").isEmpty
    let columns = Process.environment("COLUMNS").flatMap { Int($0) }.flatMap { $0 > 0 ? $0 : nil }
    width = isTerminal ? columns ?? FileHandle.standardOutput.columnCount : nil
  }

  func bold(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
}
