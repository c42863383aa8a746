internal import CSwzipKernels

/// One way to make contexts of the values of a base: where exponents begin, classes of rows, and a table for each group of
/// contexts.
struct DeltaContexts {
  static let rowBits = 4
  /// The class of a row of median change.
  private static let middleClass = 7

  let top: Int
  /// Of all rows; empty if they do not count.
  let classes: [UInt8]
  let tables: [RansTable]
  let tableOfContext: [UInt8]
  let quietContexts: Int
  /// Bits of symbols and low bits; of tables and row classes.
  private let symbolCost, sideCost: UInt64

  /// A sample chooses whether rows have classes; its tables are of all values. `rowLength` is 0 where there are no rows.
  static func best(of differences: Differences, rowLength: Int, scratch: EncodeScratch) -> DeltaContexts {
    let exponent = differences.topExponent()
    var (top, classes): (Int, [UInt8]) = (exponent, [])
    if rowLength > 0, exponent >= middleClass || differences.kind.kernel.exponent_mask == 0 {
      let sample = differences.sample(rowLength: rowLength)
      let without = DeltaContexts(differences, sample, top: exponent, scratch: scratch)
      let rows = rowClasses(differences, top: exponent, rowLength: rowLength, scratch: scratch)
      let with = DeltaContexts(
        differences, sample, top: max(0, exponent - middleClass), classes: rows, rowLength: rowLength, scratch: scratch)
      let count = sample.reduce(0) { $0 + $1.count }
      if with.cost(differences.count, sampled: count) < without.cost(differences.count, sampled: count) {
        (top, classes) = (with.top, rows)
      }
      if count == differences.count { return classes.isEmpty ? without : with }
    }
    return DeltaContexts(
      differences, differences.blocks, top: top, classes: classes, rowLength: rowLength, scratch: scratch)
  }

  /// Counts all symbols of some ranges of values by context.
  private init(
    _ differences: Differences, _ ranges: [Range<Int>], top: Int, classes: [UInt8] = [], rowLength: Int = 0,
    scratch: EncodeScratch
  ) {
    let rowLength = classes.isEmpty ? 0 : rowLength
    let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
    let kind = differences.kind
    let each = (0..<UInt8(RansCoding.mostContexts)).map(\.self)
    for range in ranges {
      let contexts = unsafe differences.load(
        range, top: top, classes: classes, rowLength: rowLength, map: each, scratch: scratch)
      unsafe swzip_histograms_add(scratch.symbols, contexts, range.count, histograms[0])
    }
    var bits = Self.lowBits(histograms, tokenBits: DeltaKind.tokenBits(width: kind.width))
    let quiet = QuietContexts.count(in: histograms)
    var first: [RansTable] = []
    if quiet > 0 {
      let changes = unsafe QuietContexts(ranges, quiet: quiet, scratch) { range, map in
        unsafe differences.load(range, top: top, classes: classes, rowLength: rowLength, map: map, scratch: scratch)
      }
      first = [changes.gapTable, changes.changeTable]
      bits += changes.cost
      for context in 0..<quiet { unsafe histograms[context].update(repeating: 0, count: 256) }
    }
    let merged = RansContexts(histograms)
    self.top = top
    self.classes = classes
    quietContexts = quiet
    // A sample's are not wanted.
    tables = ranges.reduce(0) { $0 + $1.count } < differences.count ? [] : first + merged.tables
    tableOfContext = (0..<max(merged.groups.last!.contexts.upperBound + 1, quiet)).map {
      $0 < quiet ? 0 : UInt8(first.count + merged.group(ofContext: $0))
    }
    symbolCost = merged.symbolCost / 64 + bits
    sideCost = merged.tableCost / 64 + UInt64(classes.count * Self.rowBits)
  }

  /// Bits of `count` values, of which so many were counted.
  private func cost(_ count: Int, sampled: Int) -> UInt64 {
    symbolCost * UInt64(count) / UInt64(max(sampled, 1)) + sideCost
  }

  private static func lowBits(_ histograms: Histograms, tokenBits: Int) -> UInt64 {
    var sum: UInt64 = 0
    for context in 0..<histograms.count {
      let counts = unsafe histograms[context]
      for symbol in 0..<256 { unsafe sum += UInt64(counts[symbol]) * UInt64(max(0, (symbol & 127) >> tokenBits - 1)) }
    }
    return sum
  }

  // MARK: rows

  /// A row's class is that of so many of its first values.
  private static func classValues(_ rowLength: Int) -> Int { min(rowLength, 256) }

  /// The class of each row by the mean logarithm of its changes: the middle one is that of the median. Exponents count as
  /// far as contexts reach.
  private static func rowClasses(
    _ differences: Differences, top: Int, rowLength: Int, scratch: EncodeScratch
  ) -> [UInt8] {
    let each = (0..<UInt8(RansCoding.mostContexts)).map(\.self)
    var means: [Int] = []
    unsafe differences.kind.scores.withUnsafeBufferPointer { scores in
      for start in stride(from: 0, to: differences.count, by: rowLength) {
        let range = start..<min(start + classValues(rowLength), differences.count)
        let contexts = unsafe differences.load(range, top: top, map: each, scratch: scratch)
        var sum = 0
        for index in 0..<range.count {
          unsafe sum += Int(scores[Int(scratch.symbols[index] & 127)]) - 16 * Int(contexts[index])
        }
        means.append(sum / range.count)
      }
    }
    let median = means.sorted()[means.count / 2]
    // 16 steps are an octave; halves are rounded up.
    return means.map { UInt8(min(max(0, ($0 - median + 16 * middleClass + 8) >> 4), 1 << rowBits - 1)) }
  }
}
