internal import CSwzipKernels

/// How the symbols of a segment are coded by rANS: row and column classes, and a table for each sum of them.
///
/// Symbols of floats are logarithms, so a row's scale times a column's is a sum of mean symbols. Classes are these
/// means in steps; steps and tables are chosen by what they cost. Integers only, so that every machine makes the same plan.
final class RansPlan {
  let coding: RansCoding
  /// Values a row; 0 without rows.
  let rowLength: Int
  private let rowClasses: [UInt8]
  private let firstRows: [Int]
  private let encoder: RansEncoder
  private let map: [UInt8]

  /// The blocks of a segment as symbols.
  struct Source {
    /// Symbols of each block.
    var counts: [Int]
    /// Writes the symbols of a block into the scratch's `symbols`.
    var load: (_ block: Int) -> Void
    /// A measure of each symbol that grows with the scale of a row; nil: the symbol itself.
    var scores: [UInt8]?

    init(counts: [Int], load: @escaping (_ block: Int) -> Void) {
      self.counts = counts
      self.load = load
    }

    /// Blocks of `blockValues` symbols.
    init(count: Int, blockValues: Int, load: @escaping (_ block: Int) -> Void) {
      let counts = stride(from: 0, to: count, by: blockValues).map { min(blockValues, count - $0) }
      self.init(counts: counts, load: load)
    }

    var count: Int { counts.reduce(0, +) }
    /// The number of each block's first row.
    func firstRows(_ rowLength: Int) -> [Int] {
      var row = 0
      return counts.map { count in
        defer { row += (count + rowLength - 1) / rowLength }
        return row
      }
    }
  }

  /// One way to make classes.
  private struct Choice {
    var rowBits = 0
    var usesColumns = false
    /// Width of a class in 1/16 symbols.
    var step = 16
  }

  /// Plans the symbols of `source`, rows of `rowLength` of which each block holds whole ones. Up to 26 passes over a
  /// sample of at most 8 blocks, one for each choice of classes, and three over everything.
  init(_ source: Source, rowLength: Int, effort: Effort, scratch: EncodeScratch) throws(SwzipError) {
    firstRows = source.firstRows(max(rowLength, 1))
    let means = rowLength > 0 ? Means(source, rowLength: rowLength, scratch: scratch) : nil
    var best = Choice()
    if let means {
      let sampled =
        source.counts.count <= 8 ? Array(0..<source.counts.count) : (0..<8).map { $0 * source.counts.count / 8 }
      var least = UInt64.max
      for choice in Self.choices(means) {
        let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
        let classes = means.classes(choice.rowBits, choice.usesColumns, step: choice.step)
        for block in sampled {
          Self.count(source, block, firstRow: firstRows[block], rowLength, classes, into: histograms, scratch: scratch)
        }
        let values = sampled.reduce(0) { $0 + source.counts[$1] }
        let merged = RansContexts(histograms, tableBytes: effort.ransTableBytes)
        let side = UInt64(means.rows.count * choice.rowBits + (choice.usesColumns ? 4 * rowLength : 0)) * 64
        let cost =
          merged.symbolCost / UInt64(max(values, 1) / 64 + 1) * UInt64(source.count / 64 + 1) + merged.tableCost + side
        if cost < least { (least, best) = (cost, choice) }
      }
    }
    let classes = means?.classes(best.rowBits, best.usesColumns, step: best.step) ?? Means.Classes()
    let usesRows = best.rowBits > 0 || best.usesColumns
    self.rowLength = usesRows ? rowLength : 0
    rowClasses = best.rowBits > 0 ? classes.rows : []
    let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
    for block in 0..<source.counts.count {
      Self.count(source, block, firstRow: firstRows[block], rowLength, classes, into: histograms, scratch: scratch)
    }
    let contexts = RansContexts(histograms, tableBytes: effort.ransTableBytes)
    let top = (1 << best.rowBits) - 1 + Int(classes.columns.max() ?? 0)
    coding = RansCoding(
      tables: contexts.tables, rowBits: best.rowBits, columns: best.usesColumns ? classes.columns : [],
      tableOfContext: (0...top).map { UInt8(contexts.group(ofContext: $0)) })
    map = coding.map
    encoder = try RansEncoder(coding)
  }

  private static func choices(_ means: Means) -> [Choice] {
    var choices = [Choice()]
    for step in [4, 8, 16, 32, 64] {
      for (rowBits, usesColumns) in [(4, true), (4, false), (3, false), (2, true), (0, true)] {
        guard rowBits == 0 || means.rows.count >= 8, !usesColumns || means.columns.count >= 8 else { continue }
        choices.append(Choice(rowBits: rowBits, usesColumns: usesColumns, step: step))
      }
    }
    return choices
  }

  /// Adds the symbols of a block to the histograms of their contexts.
  private static func count(
    _ source: Source, _ block: Int, firstRow: Int, _ rowLength: Int, _ classes: Means.Classes,
    into histograms: Histograms,
    scratch: EncodeScratch
  ) {
    source.load(block)
    let count = source.counts[block]
    let symbols = unsafe scratch.symbols
    guard !classes.rows.isEmpty || !classes.columns.isEmpty else {
      return unsafe swzip_histogram_add(symbols, count, 1, histograms[0])
    }
    for start in stride(from: 0, to: count, by: rowLength) {
      let length = min(rowLength, count - start)
      let row = classes.rows.isEmpty ? 0 : Int(classes.rows[firstRow + start / rowLength])
      if classes.columns.isEmpty {
        unsafe swzip_histogram_add(symbols + start, length, 1, histograms[row])
      } else {
        let counts = unsafe histograms[row]
        unsafe classes.columns.withUnsafeBufferPointer { columns in
          for column in 0..<length { unsafe counts[256 * Int(columns[column]) + Int(symbols[start + column])] += 1 }
        }
      }
    }
  }

  // MARK: blocks

  /// Writes row classes, states and words of the symbols in the scratch; returns the end of their padding.
  func writeSymbols(block: Int, count: Int, to frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch) -> Int {
    let rows = rowLength > 0 ? (count + rowLength - 1) / rowLength : 0
    let classes =
      rowClasses.isEmpty
      ? [UInt8](repeating: 0, count: rows) : Array(rowClasses[firstRows[block]..<(firstRows[block] + rows)])
    let numbers = unsafe RansStreams.numbers(
      classes, count: count, rowLength: rowLength, coding: coding, map: map, into: scratch.sorted)
    let end = unsafe encoder.write(count, classes: classes, numbers: numbers, to: frame, scratch: scratch)
    return unsafe padFrame(frame.baseAddress!, from: end)
  }
}

/// Mean symbols of rows and columns, in 1/16 symbols.
private struct Means {
  struct Classes {
    var rows: [UInt8] = []
    var columns: [UInt8] = []
  }

  private(set) var rows: [Int]
  private(set) var columns: [Int]

  init(_ source: RansPlan.Source, rowLength: Int, scratch: EncodeScratch) {
    rows = []
    var sums = [UInt64](repeating: 0, count: rowLength)
    let scores = source.scores ?? (0..<256).map { UInt8($0) }
    for block in 0..<source.counts.count {
      source.load(block)
      let count = source.counts[block]
      let symbols = unsafe scratch.symbols
      for start in stride(from: 0, to: count, by: rowLength) {
        let length = min(rowLength, count - start)
        var sum: UInt64 = 0
        unsafe sums.withUnsafeMutableBufferPointer { sums in
          for column in 0..<length {
            let score = unsafe UInt64(scores[Int(symbols[start + column])])
            sum += score
            unsafe sums[column] += score
          }
        }
        rows.append(Int(16 * sum) / length)
      }
    }
    let rowCount = max(source.count / rowLength, 1)
    columns = sums.map { Int(16 * $0) / rowCount }
  }

  /// Classes of `step` each, from a little above the smallest mean on.
  func classes(_ rowBits: Int, _ usesColumns: Bool, step: Int) -> Classes {
    var classes = Classes()
    if rowBits > 0 { classes.rows = Self.classes(rows, most: (1 << rowBits) - 1, step: step) }
    if usesColumns { classes.columns = Self.classes(columns, most: 15, step: step) }
    return classes
  }

  /// The middle class is around the median, so that outliers on either side are clamped.
  private static func classes(_ means: [Int], most: Int, step: Int) -> [UInt8] {
    let sorted = means.sorted()
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    let base = max(low, (low + high) / 2 - (most + 1) * step / 2)
    return means.map { UInt8(min(max(0, ($0 - base + step / 2) / step), most)) }
  }
}
