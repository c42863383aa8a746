internal import CSwzipKernels

/// Histograms gathered into few, each of which gets a table: k-means with the code's cost as distance.
/// Integers only, so that every machine makes the same tables.
struct Clusters {
  /// The counts of each cluster.
  let tables: Histograms
  /// What all histograms cost under the cluster nearest to them, in 1/64 bit.
  let cost: UInt64
  /// Values counted.
  let total: UInt64
  /// Symbols outside do not occur.
  let symbolRange: (first: Int, last: Int)

  private static let rounds = 3

  init(_ histograms: Histograms, most: Int) throws(SwzipError) {
    let range = Self.range(histograms)
    symbolRange = (range.lowerBound, range.upperBound)
    let first = Self.firstLabels(histograms, range, most: min(most, histograms.count))
    var labels = first.labels
    let sums = try Histograms(count: most)
    var costs = [[UInt16]](repeating: [UInt16](repeating: 0, count: 256), count: most)
    var cost: UInt64 = 0
    for _ in 0..<Self.rounds {
      sums.clear()
      for index in 0..<histograms.count { unsafe sums.add(histograms[index], to: labels[index], range) }
      for table in 0..<most { unsafe swzip_symbol_costs(sums[table], &costs[table]) }
      cost = 0
      for index in 0..<histograms.count {
        var least = UInt64.max
        for table in 0..<most {
          let here = unsafe swzip_histogram_cost(
            histograms[index], costs[table], Int32(range.lowerBound), Int32(range.upperBound))
          if here < least { (least, labels[index]) = (here, table) }
        }
        cost += least
      }
      if most == 1 { break }
    }
    // Clusters that nobody chose are dropped.
    let used = (0..<most).filter { labels.contains($0) }
    let tables = try Histograms(count: max(used.count, 1))
    for index in 0..<histograms.count {
      unsafe tables.add(histograms[index], to: used.firstIndex(of: labels[index])!, range)
    }
    self.tables = tables
    self.cost = cost
    total = first.total
  }

  /// Symbols that occur at all.
  private static func range(_ histograms: Histograms) -> ClosedRange<Int> {
    var (first, last) = (255, 0)
    for index in 0..<histograms.count {
      let counts = unsafe histograms[index]
      var symbol = 0
      while symbol < first, unsafe counts[symbol] == 0 { symbol += 1 }
      first = min(first, symbol)
      symbol = 255
      while symbol > last, unsafe counts[symbol] == 0 { symbol -= 1 }
      last = max(last, symbol)
    }
    return first <= last ? first...last : 0...0
  }

  /// Histograms in order of their mean symbol, cut into equal shares.
  private static func firstLabels(
    _ histograms: Histograms, _ range: ClosedRange<Int>, most: Int
  ) -> (labels: [Int], total: UInt64) {
    var means: [(mean: UInt64, index: Int)] = []
    var all: UInt64 = 0
    for index in 0..<histograms.count {
      let counts = unsafe histograms[index]
      var (sum, total): (UInt64, UInt64) = (0, 0)
      for symbol in range {
        let count = unsafe UInt64(counts[symbol])
        sum += count * UInt64(symbol)
        total += count
      }
      all += total
      means.append((sum * 256 / max(total, 1), index))
    }
    means.sort { $0 < $1 }
    var labels = [Int](repeating: 0, count: histograms.count)
    for (rank, entry) in means.enumerated() { labels[entry.index] = rank * most / max(histograms.count, 1) }
    return (labels, all)
  }
}
