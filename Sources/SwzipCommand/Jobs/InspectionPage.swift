internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// `inspect --html`: where the bytes are, and what packs badly, as one page that refers to nothing outside.
struct InspectionPage {
  let inspection: Inspection
  private let total: SizeBar

  // Beyond these a table or a picture is no help; what is left out is summed up.
  static let mostTensors = 3000
  private static let mostColumns = 128
  private static let mostStacks = 6
  private static let mostBases = 8

  init(_ inspection: Inspection) {
    self.inspection = inspection
    total = SizeBar("total", inspection.byteCount, Double(inspection.packedByteCount))
  }

  var html: HTML {
    let title = splitPath(inspection.name)?.name ?? inspection.name
    return PageStyle.page(
      title,
      """
      <p class="sum">\(inspection.summary)</p>
      \(total.picture(longest: total.length, of: "whole"))
      <p class="note">In all pictures the outline is the original size, and what is filled is the packed size.</p>
      \(facts)
      \(kinds)
      \(layers)
      \(ratios)
      \(types)
      \(codecs)
      \(files)
      \(tensors)
      """)
  }

  private var facts: HTML {
    var facts: [(name: HTML, value: HTML)] = [
      ("Original", "\(formatCount(inspection.byteCount)) bytes"),
      (
        inspection.container == nil ? "Predicted" : "Packed",
        "\(formatCount(inspection.packedByteCount)) bytes"
      ),
      ("Tensors", "\(formatCount(UInt64(inspection.rows.count)))"),
    ]
    if let file = inspection.container {
      facts += self.facts(of: file)
    } else {
      facts.append(("Format", "not packed: packed sizes are estimates"))
    }
    return "<dl>\n\(facts.map { "<dt>\($0.name)</dt><dd>\($0.value)</dd>\n" as HTML })</dl>"
  }

  private func facts(of file: Container) -> [(name: HTML, value: HTML)] {
    let members = file.members
    var facts: [(name: HTML, value: HTML)] = []
    if file.isFolder {
      let links = members.count { $0.link != nil }
      facts.append(("Files", "\(members.count - links)\(links > 0 ? ", and \(links) links" : "")"))
    }
    facts.append(("Format", "container \(file.index.header.version.description)"))
    facts.append(("Root", "SHA-256 <code>\(file.root.description)</code>"))
    var known: Set<Digest> = []
    let bases = members.flatMap(\.bases).filter { known.insert($0.sha256).inserted }
    for base in bases.prefix(Self.mostBases) {
      facts.append(
        (
          "Needs",
          """
          base \(HTML.name(base.hint)) of \(formatCount(base.byteCount)) bytes, SHA-256 \
          <code>\(base.sha256.description)</code>
          """
        ))
    }
    if bases.count > Self.mostBases { facts.append(("Needs", "\(bases.count - Self.mostBases) bases more")) }
    return facts
  }

  private var kinds: HTML {
    section(
      "By kind of tensor", "Kind", restIsIndex: false,
      SizeBar.groups(inspection.rows, by: \.kind) { rows in
        let types = Set(rows.map(\.tensor.elementType)).sorted().joined(separator: ", ")
        let shapes = Set(rows.map(\.tensor.shape))
        let shape = shapes.count == 1 ? formatShape(rows[0].tensor.shape) : "\(shapes.count) shapes"
        return (rows.count == 1 ? "" : "\(rows.count) × ") + "\(types), \(shape)"
      })
  }

  private var types: HTML {
    inspection.rows.isEmpty
      ? section("By type of values", "Type", restIsIndex: true, SizeBar.groups(inspection.parts, by: \.elementType))
      : section(
        "By type of values", "Type", restIsIndex: false,
        SizeBar.groups(inspection.rows, by: \.tensor.elementType, note: Self.count))
  }

  private static let codecNotes = [
    "bytes": "plain bytes", "float": "exponents coded, most of the rest kept",
    "planes": "each field of values on its own",
    "symbols": "few distinct values", "copy": "same as in a base, or as data before it",
    "lattice": "codes of few bits times scales", "cast": "other data in another type",
    "replay": "quants of other data",
    "delta": "differences to a base, or to data before it",
  ]

  private var codecs: HTML {
    section(
      "By codec", "Codec", restIsIndex: true,
      SizeBar.groups(inspection.parts, by: \.codec) { Self.codecNotes[$0[0].codec] ?? "" })
  }

  /// Tensors by what is left of them.
  private var ratios: HTML {
    let bounds = [25, 50, 75, 90, 99]
    let names =
      ["below 25%"] + zip(bounds, bounds.dropFirst()).map { "\($0)% to \($1)%" } + ["99% and more"]
    let bars = Dictionary(grouping: inspection.rows.filter { $0.byteCount > 0 }) { row in
      bounds.count { row.packedByteCount * 100 >= Double(row.byteCount) * Double($0) }
    }.sorted { $0.key < $1.key }.map { SizeBar("\(names[$0.key])", note: Self.count($0.value), of: $0.value) }
    return section("How well tensors pack", "Packed to", restIsIndex: false, bars)
  }

  private var files: HTML {
    guard let file = inspection.container, file.isFolder else { return "" }
    let names = file.members.map(\.name)
    return section("By file", "File", restIsIndex: true, SizeBar.groups(inspection.parts) { names[$0.member] })
  }

  private static func count(_ rows: [Inspection.Row]) -> String {
    rows.count == 1 ? "1 tensor" : "\(rows.count) tensors"
  }

  /// A table whose rows add up to the whole file. `restIsIndex`: the bars are all but the index.
  private func section(_ title: HTML, _ column: HTML, restIsIndex: Bool, _ bars: [SizeBar]) -> HTML {
    guard !bars.isEmpty else { return "" }
    let name: HTML = restIsIndex ? "index" : inspection.container == nil ? "header, gaps" : "header, gaps, index"
    // Tensors that overlap count twice.
    let size = bars.byteCount
    let rest = SizeBar(
      name, total.byteCount > size ? total.byteCount - size : 0, max(0, total.packedByteCount - bars.packedByteCount))
    let table = SizeBar.table(column, rest.length < 0.5 ? bars : bars + [rest], total: total)
    return "<section>\n<h2>\(title)</h2>\n\(table)\n</section>"
  }

  /// A picture for each stack of layers.
  private var layers: HTML {
    let layers = Dictionary(grouping: inspection.rows.filter { $0.layer != nil }) { Exact($0.layer?.stack ?? "") }
      .map { stack, rows in
        let layers = Dictionary(grouping: rows) { $0.layer?.number ?? 0 }.sorted { $0.key < $1.key }
        return (stack: stack, layers: layers, total: SizeBar("total", of: rows))
      }
      .filter { $0.layers.count > 1 }
      .sorted { ($1.total.packedByteCount, $0.stack) < ($0.total.packedByteCount, $1.stack) }
    guard !layers.isEmpty else { return "" }
    let more = layers.dropFirst(Self.mostStacks)
    let others: HTML =
      more.isEmpty ? "" : "<p class=\"note\">Smaller stacks, left out: \(more.count).</p>"
    return """
      <section>
      <h2>By layer</h2>
      \(layers.prefix(Self.mostStacks).map { figure($0.stack.wrappedValue, $0.layers, $0.total) })\(others)
      </section>
      """
  }

  private func figure(
    _ stack: String, _ layers: [(key: UInt64, value: [Inspection.Row])], _ total: SizeBar
  ) -> HTML {
    // Neighbours share a column where there are too many.
    let step = (layers.count + Self.mostColumns - 1) / Self.mostColumns
    let bars = stride(from: 0, to: layers.count, by: step).map { start in
      let group = layers[start..<min(start + step, layers.count)]
      let (first, last) = (layers[start].key, layers[group.endIndex - 1].key)
      let rows = group.flatMap(\.value)
      return SizeBar(
        first == last ? "\(String(first))" : "\(String(first))–\(String(last))", note: Self.count(rows), of: rows)
    }
    return """
      <figure>
      <figcaption>\(HTML.name(stack)) <small>\(layers.count) layers, \(total.sizes); the tallest column is \
      \(formatSize(UInt64(bars.map(\.length).max() ?? 0)))</small></figcaption>
      \(SizeBar.columns(bars))
      <details><summary>Table</summary>
      \(SizeBar.table("Layer", bars, total: total))
      </details>
      </figure>

      """
  }

  /// All tensors, the largest first.
  private var tensors: HTML {
    guard !inspection.rows.isEmpty else { return "" }
    let sorted = inspection.rows.sorted {
      ($1.packedByteCount, Exact($0.tensor.name)) < ($0.packedByteCount, Exact($1.tensor.name))
    }
    let names = inspection.container.flatMap { $0.isFolder ? $0.members.map(\.name) : nil }
    let rest = sorted.dropFirst(Self.mostTensors)
    let more: HTML = """
      <p class="note">Smaller ones, left out: \(formatCount(UInt64(rest.count))) tensors of \
      \(SizeBar("", of: rest).sizes); swzip inspect -v or --json shows each.</p>
      """
    return """
      <section id="tensors">
      <h2>Tensors, the largest first</h2>
      \(rest.isEmpty ? "" : more)
      <div class="wide" role="region" aria-label="Tensors" tabindex="0">
      <table>
      <thead><tr><th scope="col">Name</th><th scope="col">Original</th>\
      <th scope="col" aria-sort="descending">Packed</th><th scope="col">Ratio</th><th scope="col" class="words">Type</th>\
      <th scope="col" class="words">Shape</th><th scope="col" class="words">Codec</th></tr></thead>
      <tbody>
      \(sorted.prefix(Self.mostTensors).map { row($0, names) })</tbody>
      </table>
      </div>
      </section>
      """
  }

  /// `names` are those of a folder's files; then the name is as `cat` takes it.
  private func row(_ row: Inspection.Row, _ names: [String]?) -> HTML {
    let packed = UInt64(row.packedByteCount.rounded())
    let name = HTML.name((names.map { $0[row.tensor.member] + ":" } ?? "") + row.tensor.name)
    return """
      <tr><th scope="row">\(name)</th><td>\(formatCount(row.byteCount))</td><td>\(formatCount(packed))</td>\
      <td>\(formatRatio(packed, of: row.byteCount))</td><td class="words">\(row.tensor.elementType)</td>\
      <td class="words">\(formatShape(row.tensor.shape))</td><td class="words">\(row.codec)</td></tr>

      """
  }
}
