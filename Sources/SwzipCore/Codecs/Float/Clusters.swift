internal import CSwzipKernels

/// Histograms of 256 symbols each.
final class Histograms {
  let count: Int
  private let memory: Memory

  convenience init(count: Int) throws(SwzipError) { self.init(try Memory(1024 * count), count: count) }

  /// Histograms in memory that has room for them.
  init(_ memory: Memory, count: Int) {
    precondition(1024 * count <= memory.byteCount)
    self.count = count
    self.memory = memory
    clear()
  }

  subscript(index: Int) -> UnsafeMutablePointer<UInt32> {
    precondition(index < count)
    return unsafe memory.base.assumingMemoryBound(to: UInt32.self) + 256 * index
  }

  func clear() { unsafe memory.base.initializeMemory(as: UInt8.self, repeating: 0, count: 1024 * count) }

  /// Whether the rows that made these histograms, four to a block and sorted by their sums, differ in scale: the mean
  /// symbols of the top and the bottom quarter lie farther apart than they would by chance (2.54 standard deviations
  /// of a row's mean, for rows of like scale).
  func quartersDiffer(rowLength: Int) -> Bool {
    let (difference, variance) = quarters
    // difference^2 > 3.2^2 * variance / rowLength
    return difference * difference * Int64(rowLength) > 10 * variance
  }

  /// The distance between the mean symbols of the top and the bottom quarters, in 1/256 symbols, and the variance of
  /// symbols in 1/65536.
  var quarters: (distance: Int64, variance: Int64) {
    var (count, sum, squares, apart): (UInt64, UInt64, UInt64, Int64) = (0, 0, 0, 0)
    for index in 0..<self.count {
      let counts = unsafe self[index]
      var (mine, mySum): (UInt64, UInt64) = (0, 0)
      for symbol in 0..<256 {
        let times = unsafe UInt64(counts[symbol])
        mine += times
        mySum += times * UInt64(symbol)
        squares += times * UInt64(symbol * symbol)
      }
      count += mine
      sum += mySum
      // Means in 1/256 symbol.
      let mean = Int64(mySum * 256 / max(mine, 1))
      if index & 3 == 0 { apart -= mean }
      if index & 3 == 3, mine > 0 { apart += mean }
    }
    guard count > 0 else { return (0, 0) }
    let difference = max(0, apart) / Int64(max(1, self.count / 4))
    let variance = Int64(squares * 256 / count) * 256 - Int64(sum * 256 / count) * Int64(sum * 256 / count)
    return (difference, variance)
  }

  /// Adds symbols `range` of another histogram to number `index`.
  func add(_ other: UnsafePointer<UInt32>, to index: Int, _ range: ClosedRange<Int>) {
    let mine = unsafe self[index]
    for symbol in range { unsafe mine[symbol] += other[symbol] }
  }
}

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
