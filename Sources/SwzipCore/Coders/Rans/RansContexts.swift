internal import CSwzipKernels

/// Contexts gathered into groups of neighbours, each of which gets a table.
struct RansContexts {
  @safe struct Group {
    var contexts: ClosedRange<Int>
    let counts: UnsafeMutablePointer<UInt32>
    var cost: UInt64
  }

  private(set) var groups: [Group] = []
  /// What a table costs besides its bits, in 1/64 bit.
  private let tableBuilding: UInt64

  /// Bits a symbol in a table takes, in 1/64.
  private static let symbolBits: UInt64 = 5 * 64

  /// Joins neighbours while that is cheaper than a table of their own, which counts for `tableBytes` more than it takes. The
  /// histograms are changed.
  init(_ histograms: Histograms, tableBytes: Int = 0) {
    tableBuilding = UInt64(tableBytes * 512)
    for context in 0..<histograms.count {
      let counts = unsafe histograms[context]
      let cost = unsafe cost(counts)
      if cost > 0 { unsafe groups.append(Group(contexts: context...context, counts: counts, cost: cost)) }
    }
    if groups.isEmpty { unsafe groups.append(Group(contexts: 0...0, counts: histograms[0], cost: 0)) }
    var joined = groups.indices.dropLast().map { joinedCost(groups[$0], groups[$0 + 1]) }
    while groups.count > 1 {
      var best: (gain: Int64, index: Int)?
      for index in joined.indices {
        let gain = Int64(groups[index].cost + groups[index + 1].cost) - Int64(joined[index])
        if gain > best?.gain ?? (groups.count > Limits.tablesPerSegment ? .min : 0) { best = (gain, index) }
      }
      guard let best else { break }
      let next = groups.remove(at: best.index + 1)
      for symbol in 0..<256 { unsafe groups[best.index].counts[symbol] += next.counts[symbol] }
      groups[best.index].cost = joined[best.index]
      groups[best.index].contexts = groups[best.index].contexts.lowerBound...next.contexts.upperBound
      joined.remove(at: best.index)
      for index in [best.index - 1, best.index] where joined.indices.contains(index) {
        joined[index] = joinedCost(groups[index], groups[index + 1])
      }
    }
  }

  /// A table for each group.
  var tables: [RansTable] { groups.map { unsafe RansTable(counts: $0.counts) } }

  /// Bits of all symbols and tables, in 1/64.
  var cost: UInt64 { groups.reduce(0) { $0 + $1.cost } }
  var symbolCost: UInt64 { cost - tableCost }
  var tableCost: UInt64 { groups.reduce(0) { unsafe $0 + tableCost($1.counts) } }

  /// The group of a context; of one that never occurs, a neighbour's.
  func group(ofContext context: Int) -> Int {
    groups.firstIndex { context <= $0.contexts.upperBound } ?? groups.count - 1
  }

  private func tableCost(_ counts: UnsafePointer<UInt32>) -> UInt64 {
    var present: UInt64 = 0
    for symbol in 0..<256 where unsafe counts[symbol] > 0 { present += 1 }
    return present == 0 ? 0 : (present + 6) * Self.symbolBits + tableBuilding
  }

  /// Symbols and table, in 1/64 bit.
  private func cost(_ counts: UnsafePointer<UInt32>) -> UInt64 {
    let table = unsafe tableCost(counts)
    guard table > 0 else { return 0 }
    return unsafe swzip_histogram_information(counts) + table
  }

  private func joinedCost(_ a: Group, _ b: Group) -> UInt64 {
    let sum = unsafe [UInt32](unsafeUninitializedCapacity: 256) { buffer, count in
      for symbol in 0..<256 {
        unsafe buffer.initializeElement(at: symbol, to: a.counts[symbol] + b.counts[symbol])
      }
      count = 256
    }
    return unsafe cost(sum)
  }
}
