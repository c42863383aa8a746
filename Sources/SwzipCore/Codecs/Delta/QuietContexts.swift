internal import CSwzipKernels

/// Contexts whose values hardly ever change, so that rANS passes them over: their changes are told by the gaps between them
/// (spec/codecs/delta.md).
struct QuietContexts {
  /// Of the quiet values, one in so many at most changes.
  private static let leastValuesPerChange: UInt64 = 24
  /// Quiet values cost at most one part in so many more than by contexts of their own.
  private static let leastCostShare = 50.0

  /// What counting takes in the scratch.
  private enum Area: Int, ScratchArea { case gaps, changes, lowBits }

  let gapTable, changeTable: RansTable
  /// Bits of gaps and changes.
  let cost: UInt64

  /// How many of the first contexts are worth being quiet: half the values at least, or 0. `histograms`: of each context.
  static func count(in histograms: Histograms) -> Int {
    var (all, zeros): ([UInt64], [UInt64]) = ([], [])
    var cost = 0.0
    for context in 0..<histograms.count {
      let counts = unsafe histograms[context]
      all.append((0..<256).reduce(0) { unsafe $0 + UInt64(counts[$1]) })
      unsafe zeros.append(UInt64(counts[0]))
      cost += Double(unsafe swzip_histogram_information(counts)) / 64
    }
    let total = all.reduce(0, +)
    var (values, changes, flags, best) = (UInt64(0), UInt64(0), 0.0, 0)
    // The tables of gaps and changes leave room for those of the other contexts.
    for context in 0..<histograms.count {
      values += all[context]
      changes += all[context] - zeros[context]
      flags += information(all[context] - zeros[context], of: all[context])
      guard changes * leastValuesPerChange <= values else { break }
      let lost = information(changes, of: values) - flags
      if values * 2 >= total, context > 0, lost * leastCostShare <= cost { best = context + 1 }
    }
    return best
  }

  /// Bits that tell which of `all` values are `some`.
  private static func information(_ some: UInt64, of all: UInt64) -> Double {
    guard some > 0, some < all else { return 0 }
    return [some, all - some].reduce(0) { $0 + Double($1) * (log2(all) - log2($1)) }
  }

  /// By repeated squaring of integers, so that every machine makes the same plan.
  private static func log2(_ number: UInt64) -> Double {
    let shift = number.leadingZeroBitCount
    var (rest, result) = ((number << UInt64(shift)) >> 32, Double(63 - shift))
    for place in 1...20 {
      rest = rest * rest >> 31
      if rest >> 32 > 0 {
        rest >>= 1
        result += 1 / Double(1 << place)
      }
    }
    return result
  }

  /// Counts over some ranges of values. `load`: their symbols into the scratch's, and by a map of contexts what kernels want.
  init(
    _ ranges: [Range<Int>], quiet: Int, _ scratch: EncodeScratch,
    load: (_ range: Range<Int>, _ map: [UInt8]) -> UnsafePointer<UInt8>
  ) {
    let map = (0..<RansCoding.mostContexts).map { UInt8($0 < quiet ? 0 : 1) }
    var gapCounts = [UInt32](repeating: 0, count: 256)
    var changeCounts = gapCounts
    var lowBits = 0
    for range in ranges {
      let numbers = unsafe load(range, map)
      let count = range.count
      let (gaps, changes) = unsafe (scratch.area(Area.gaps), scratch.area(Area.changes))
      var lowBytes = 0
      let changed = unsafe swzip_delta_changes(
        scratch.symbols, numbers, count, count / 2, gaps, changes, scratch.area(Area.lowBits), &lowBytes)
      unsafe swzip_histogram_add(gaps, min(changed, count / 2), 1, &gapCounts)
      unsafe swzip_histogram_add(changes, min(changed, count / 2), 1, &changeCounts)
      lowBits += 8 * lowBytes
    }
    gapTable = unsafe RansTable(counts: gapCounts)
    changeTable = unsafe RansTable(counts: changeCounts)
    cost =
      unsafe UInt64(lowBits) + (swzip_histogram_information(gapCounts) + swzip_histogram_information(changeCounts)) / 64
  }
}
