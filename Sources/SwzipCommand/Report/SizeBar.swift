internal import SwzipNames

/// What a group of bytes takes, original and packed: a row of a table, with its picture.
struct SizeBar: Sized {
  let name: HTML
  let note: String
  let byteCount: UInt64
  let packedByteCount: Double

  init(_ name: HTML, note: String = "", _ byteCount: UInt64, _ packedByteCount: Double) {
    self.name = name
    self.note = note
    self.byteCount = byteCount
    self.packedByteCount = packedByteCount
  }

  init(_ name: HTML, note: String = "", of group: some Sequence<some Sized>) {
    self.init(name, note: note, group.byteCount, group.packedByteCount)
  }

  /// A bar for each group of items that have a name in common, the largest first; one for all beyond the most that help.
  static func groups<Item: Sized>(
    _ items: [Item], by name: (Item) -> String, note: ([Item]) -> String = { _ in "" }
  ) -> [SizeBar] {
    let groups = Dictionary(grouping: items) { Exact(name($0)) }
      .map { (name: $0, items: $1, sum: SizeBar("", of: $1)) }
      .sorted {
        ($1.sum.packedByteCount, $1.sum.byteCount, $0.name) < ($0.sum.packedByteCount, $0.sum.byteCount, $1.name)
      }
    let bars = groups.prefix(mostGroups).map {
      SizeBar(.name($0.name.wrappedValue), note: note($0.items), of: $0.items)
    }
    let others = groups.dropFirst(mostGroups).map(\.sum)
    return others.isEmpty ? bars : bars + [SizeBar("\(others.count) others", of: others)]
  }

  /// What its picture needs room for.
  var length: Double { max(Double(byteCount), packedByteCount) }

  private var roundedPacked: UInt64 { UInt64(packedByteCount.rounded()) }

  /// "86.7 MiB, packed 71.0 MiB (81.9%)".
  var sizes: String {
    "\(formatSize(byteCount)), packed \(formatSize(roundedPacked)) (\(formatRatio(roundedPacked, of: byteCount)))"
  }

  /// `longest`: the length that fills the width.
  func picture(longest: Double, of kind: HTML = "bar") -> HTML {
    """
    <svg class="\(kind)" aria-hidden="true"><rect width="\(percent(Double(byteCount), of: longest))" height="100%"/>\
    <rect width="\(percent(packedByteCount, of: longest))" height="100%"/></svg>
    """
  }

  private func row(longest: Double) -> HTML {
    let small: HTML = note.isEmpty ? "" : " <small>\(note)</small>"
    return "<tr><th scope=\"row\">\(name)\(small)\(picture(longest: longest))</th>\(cells)</tr>\n"
  }

  private var cells: HTML {
    """
    <td>\(formatSize(byteCount))</td><td>\(formatSize(roundedPacked))</td>\
    <td>\(formatRatio(roundedPacked, of: byteCount))</td>
    """
  }

  /// `total`: what they add up to.
  static func table(_ title: HTML, _ bars: [SizeBar], total: SizeBar) -> HTML {
    let longest = bars.map(\.length).max() ?? 0
    return """
      <table>
      <thead><tr><th scope="col">\(title)</th><th scope="col">Original</th><th scope="col">Packed</th>\
      <th scope="col">Ratio</th></tr></thead>
      <tbody>
      \(bars.map { $0.row(longest: longest) })</tbody>
      <tfoot><tr><th scope="row">\(total.name)</th>\(total.cells)</tr></tfoot>
      </table>
      """
  }

  /// Standing side by side, with their names below where there is room for them.
  static func columns(_ bars: [SizeBar]) -> HTML {
    let longest = bars.map(\.length).max() ?? 0
    let width = 100 / Double(max(bars.count, 1))
    let step = (bars.count + mostLabels - 1) / mostLabels
    // The last eighth is for the names.
    func rectangle(_ size: Double, _ left: Double) -> HTML {
      let height = longest > 0 ? 87.5 * size / longest : 0
      return """
        <rect x="\(percent(left + width / 8))" width="\(percent(width * 0.75))" y="\(percent(87.5 - height))" \
        height="\(percent(height))"/>
        """
    }
    let drawn = bars.enumerated().map { number, bar -> HTML in
      let left = Double(number) * width
      let name: HTML =
        number % step == 0 ? "<text x=\"\(percent(left + width / 2))\" y=\"100%\">\(bar.name)</text>" : ""
      return "<g>\(rectangle(Double(bar.byteCount), left))\(rectangle(bar.packedByteCount, left))\(name)</g>"
    }
    return """
      <svg class="columns" width="\(bars.count * 56)" role="img" aria-label="Sizes, as in the table below">\(drawn)</svg>
      """
  }

  private static let mostGroups = 40
  private static let mostLabels = 12
}

/// A length in a picture; what is there can be seen.
private func percent(_ part: Double, of whole: Double = 100) -> String {
  part <= 0 || whole <= 0 ? "0" : fixed(max(100 * part / whole, 0.1), places: 2) + "%"
}
