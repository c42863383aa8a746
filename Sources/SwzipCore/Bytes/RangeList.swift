/// Ranges, to be asked for what overlaps them.
package struct RangeList: Equatable, Sendable {
  /// Ascending; those that meet are one.
  package private(set) var ranges: [Range<UInt64>] = []

  package init(_ ranges: [Range<UInt64>] = []) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) { insert(range) }
  }

  package mutating func insert(_ range: Range<UInt64>) {
    guard !range.isEmpty else { return }
    let first = ranges.partitioningIndex { $0.upperBound >= range.lowerBound }
    let end = ranges[first...].partitioningIndex { $0.lowerBound > range.upperBound }
    let joined = ranges[first..<end].reduce(range) {
      min($0.lowerBound, $1.lowerBound)..<max($0.upperBound, $1.upperBound)
    }
    ranges.replaceSubrange(first..<end, with: CollectionOfOne(joined))
  }

  package func overlaps(_ range: Range<UInt64>) -> Bool {
    let first = ranges.partitioningIndex { $0.upperBound > range.lowerBound }
    return first < ranges.count && ranges[first].overlaps(range)
  }
}

extension RandomAccessCollection where Index == Int {
  /// The first index from which on all elements belong, where those that do not come first: of ranges in order, the first
  /// that ends behind a position. The end if none does.
  package func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
    var (low, high) = (startIndex, endIndex)
    while low < high {
      let middle = (low + high) / 2
      if belongs(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
