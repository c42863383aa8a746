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

  /// Of rows, four histograms to a block, sorted by their sums.
  struct Quarters {
    /// Between the mean symbols of the top and the bottom quarters, in 1/256 symbols.
    let distance: Int64
    /// Of symbols, in 1/65536.
    let variance: Int64

    /// Whether the rows differ in scale: the mean symbols lie farther apart than they would by chance (2.54 standard
    /// deviations of a row's mean, for rows of like scale).
    func differ(rowLength: Int) -> Bool {
      // distance^2 > 3.2^2 * variance / rowLength
      distance * distance * Int64(rowLength) > 10 * variance
    }
  }

  var quarters: Quarters {
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
    guard count > 0 else { return Quarters(distance: 0, variance: 0) }
    let difference = max(0, apart) / Int64(max(1, self.count / 4))
    let variance = Int64(squares * 256 / count) * 256 - Int64(sum * 256 / count) * Int64(sum * 256 / count)
    return Quarters(distance: difference, variance: variance)
  }

  /// Adds symbols `range` of another histogram to number `index`.
  func add(_ other: UnsafePointer<UInt32>, to index: Int, _ range: ClosedRange<Int>) {
    let mine = unsafe self[index]
    for symbol in range { unsafe mine[symbol] += other[symbol] }
  }
}
