internal import CSwzipKernels

/// How often each symbol of a reading occurs in a sample of values.
package struct Exponents: Sendable {
  private(set) var counts: [UInt32]
  package private(set) var total: UInt64

  init(_ counts: [UInt32]) {
    self.counts = counts
    total = counts.reduce(0) { $0 + UInt64($1) }
  }

  /// 1/64 bit that each takes.
  var costs: [UInt16] {
    var costs = [UInt16](repeating: 0, count: 256)
    unsafe swzip_symbol_costs(counts, &costs)
    return costs
  }

  /// Of very many values the older ones count less.
  package mutating func add(_ other: Exponents) {
    let shift: UInt32 = total < Self.mostValues ? 0 : 1
    for symbol in 0..<256 { counts[symbol] = counts[symbol] >> shift + other.counts[symbol] }
    total = counts.reduce(0) { $0 + UInt64($1) }
  }
  private static let mostValues: UInt64 = 1 << 24

  /// Bits that the values of both take more if one code serves them all.
  package func costOfJoining(_ other: Exponents) -> UInt64 {
    var both = self
    both.add(other)
    let apart = BytePlaces.information(counts) + BytePlaces.information(other.counts)
    return BytePlaces.information(both.counts) - min(apart, BytePlaces.information(both.counts))
  }
}
