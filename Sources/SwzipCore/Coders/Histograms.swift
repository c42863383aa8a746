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
