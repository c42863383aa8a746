internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// `archive stats --html`: what the checkpoints of a run take, of what, and how that changes, as one page that refers to nothing
/// outside.
struct ArchivePage {
  /// A checkpoint, with what it stores.
  private struct Entry {
    let checkpoint: Checkpoint
    let total: SizeBar
    let rows: [Inspection.Row]

    init(_ checkpoint: Checkpoint, _ containers: [Container]) {
      self.checkpoint = checkpoint
      let parts = containers.map { Inspection(checkpoint.name, $0) }
      rows = parts.flatMap(\.rows)
      total = SizeBar(
        "\(checkpoint.name)", parts.reduce(0) { $0 &+ $1.byteCount },
        Double(parts.reduce(0) { $0 &+ $1.packedByteCount }))
    }
  }

  /// What is shown besides.
  struct Facts {
    let name: String
    let id: Digest
    let checkpointCount: Int
    let byteCount, packedByteCount: UInt64
    let prunable, needed: UInt64
    /// Forgotten checkpoints.
    let forgotten: [String]
  }

  private let facts: Facts
  private let entries: [Entry]

  // Beyond these pictures are no help; of more checkpoints some are shown, at like distances, the last one too.
  static let mostCheckpoints = 48
  private static let mostMapped = 12
  private static let mostLayers = 200
  private static let mostForgotten = 40

  /// `checkpoints`: listed ones, by step. Opens the containers of each that is shown.
  init(
    _ facts: Facts, _ checkpoints: [Checkpoint], open: (Checkpoint) throws(SwzipError) -> [Container]
  ) throws(SwzipError) {
    self.facts = facts
    entries = try Self.sampled(checkpoints, Self.mostCheckpoints).map { checkpoint throws(SwzipError) in
      Entry(checkpoint, try open(checkpoint))
    }
  }

  private static func sampled<Item>(_ items: [Item], _ most: Int) -> [Item] {
    guard items.count > most else { return items }
    return (0..<most).map { items[$0 * (items.count - 1) / (most - 1)] }
  }

  var html: HTML {
    let title = splitPath(facts.name)?.name ?? facts.name
    let all = SizeBar("all", facts.byteCount, Double(facts.packedByteCount))
    return PageStyle.page(
      title,
      """
      <p class="sum">\(facts.checkpointCount == 1 ? "1 checkpoint" : "\(facts.checkpointCount) checkpoints"), \(all.sizes)</p>
      \(all.picture(longest: all.length, of: "whole"))
      <p class="note">In all pictures the outline is the original size, and what is filled is what the archive takes for it.</p>
      \(list)
      \(checkpoints)
      \(kinds)
      \(changes)
      \(pruning)
      """)
  }

  private var list: HTML {
    """
    <dl>
    <dt>Archive</dt><dd><code>\(facts.id.description)</code></dd>
    <dt>Takes</dt><dd>\(formatCount(facts.packedByteCount)) bytes</dd>
    <dt>Originals</dt><dd>\(formatCount(facts.byteCount)) bytes</dd>
    </dl>
    """
  }

  /// Each checkpoint, and all up to it: how the ratio went.
  private var checkpoints: HTML {
    guard !entries.isEmpty else { return "" }
    let bars = entries.map(\.total)
    let sums = bars.indices.map { SizeBar(bars[$0].name, of: bars[...$0]) }
    let total = SizeBar("", of: bars)
    let left = facts.checkpointCount - entries.count
    let note: HTML = left > 0 ? "<p class=\"note\">Between those, left out: \(left) checkpoints.</p>" : ""
    return """
      <section>
      <h2>By checkpoint</h2>
      \(note)\(figure("Each", bars, total: total))\(figure("All up to it", sums, total: total))
      </section>
      """
  }

  private func figure(_ caption: HTML, _ bars: [SizeBar], total: SizeBar) -> HTML {
    """
    <figure>
    <figcaption>\(caption) <small>the tallest column is \
    \(formatSize(UInt64(bars.map(\.length).max() ?? 0)))</small></figcaption>
    \(SizeBar.columns(bars))
    <details><summary>Table</summary>
    \(SizeBar.table("Checkpoint", bars, total: SizeBar("total", total.byteCount, total.packedByteCount)))
    </details>
    </figure>

    """
  }

  /// What the bytes are, a picture for each kind.
  private var kinds: HTML {
    let parts = entries.map { entry in Dictionary(grouping: entry.rows, by: Self.kind) }
    let sums = Set(parts.flatMap(\.keys)).map { kind in
      (kind: kind, total: SizeBar("", of: parts.flatMap { $0[kind] ?? [] }))
    }.sorted { ($1.total.packedByteCount, $0.kind) < ($0.total.packedByteCount, $1.kind) }
    let figures = sums.map { sum -> HTML in
      let bars = zip(entries, parts).map { SizeBar("\($0.checkpoint.name)", of: $1[sum.kind] ?? []) }
      return figure("\(sum.kind)", bars, total: sum.total)
    }
    guard !figures.isEmpty else { return "" }
    return "<section>\n<h2>By kind of tensor</h2>\n\(figures)</section>"
  }

  /// By the names that optimizers give to what they keep.
  private static func kind(_ row: Inspection.Row) -> String {
    let name = row.tensor.name
    for (part, kind) in [
      ("exp_avg_sq", "Second moments"), ("exp_avg", "First moments"), ("momentum", "First moments"),
      ("master", "Master weights"),
    ] where name.contains(part) {
      return "\(kind), \(row.tensor.elementType)"
    }
    return "Other tensors, \(row.tensor.elementType)"
  }

  /// How much of each layer had to be stored, from one checkpoint to the next.
  private var changes: HTML {
    let shown = Self.sampled(entries, Self.mostMapped)
    let layers = shown.map { entry in
      Dictionary(grouping: entry.rows) { row in
        row.layer.map { Layer(stack: $0.stack, number: $0.number) }
      }
    }
    let all = Set(layers.flatMap(\.keys)).compactMap { $0 }.sorted()
    guard all.count > 1, shown.count > 1 else { return "" }
    let rows = all.prefix(Self.mostLayers).map { layer -> HTML in
      let cells = layers.map { groups -> HTML in
        let bar = SizeBar("", of: groups[layer] ?? [])
        guard bar.byteCount > 0 else { return "<td></td>" }
        let packed = UInt64(bar.packedByteCount.rounded())
        return "<td>\(formatRatio(packed, of: bar.byteCount))\(bar.picture(longest: bar.length, of: "cell"))</td>"
      }
      return "<tr><th scope=\"row\">\(HTML.name(layer.text))</th>\(cells)</tr>\n"
    }
    let heads = shown.map { "<th scope=\"col\">\($0.checkpoint.name)</th>" as HTML }
    let more: HTML =
      all.count > Self.mostLayers
      ? "<p class=\"note\">Further layers, left out: \(all.count - Self.mostLayers).</p>" : ""
    return """
      <section>
      <h2>Change by layer</h2>
      <p class="note">What had to be stored of each layer: a layer that training did not move takes next to nothing.</p>
      \(more)<div class="wide" role="region" aria-label="Change by layer" tabindex="0">
      <table>
      <thead><tr><th scope="col">Layer</th>\(heads)</tr></thead>
      <tbody>
      \(rows)</tbody>
      </table>
      </div>
      </section>
      """
  }

  private struct Layer: Hashable, Comparable {
    let stack: String
    let number: UInt64

    /// "model.layers.*" and 12: "model.layers.12".
    var text: String { String(stack.dropLast()) + String(number) }

    static func < (a: Layer, b: Layer) -> Bool { (Exact(a.stack), a.number) < (Exact(b.stack), b.number) }
  }

  private var pruning: HTML {
    let rest = facts.forgotten.count - Self.mostForgotten
    let names = facts.forgotten.prefix(Self.mostForgotten).map { "<li>\($0)</li>\n" as HTML }
    let list: HTML = names.isEmpty ? "" : "<ul>\n\(names)</ul>\n"
    let more: HTML = rest > 0 ? "<p class=\"note\">And \(rest) more.</p>\n" : ""
    return """
      <section>
      <h2>Pruning</h2>
      <p>Forgotten checkpoints: \(facts.forgotten.count). Pruning would free \(formatSize(facts.prunable)); \
      \(formatSize(facts.needed)) of them stay, because others are differences to them.</p>
      \(list)\(more)</section>
      """
  }
}
