internal import CSwzipKernels

/// The Huffman tables of a segment as an encoder needs them: one for each cluster of histograms.
final class HuffmanTables {
  private(set) var codes: [CodeLengths] = []
  /// Set where symbols are coded by nodes.
  let trees = NodeTrees()
  let usesNodes: Bool
  private let symbolRange: (first: Int, last: Int)
  /// Encode tables, where symbols are coded in sub-streams.
  private let memory: Memory
  private var costs: [[UInt16]] = []

  /// Builds a table for each cluster, with codes for symbols that occur `least` times in all. The clusters' counts are
  /// changed.
  init(_ clusters: Clusters, least: UInt32, usesNodes: Bool) throws(SwzipError) {
    self.usesNodes = usesNodes
    symbolRange = clusters.symbolRange
    memory = try Memory((usesNodes ? 0 : clusters.tables.count) * MemoryLayout<swzip_encode_table>.stride)
    // Symbols that are rare in a cluster get a code if they are not in the segment: a patch costs as much as a code's
    // share of the code space, and slows the decoder.
    let common = (0..<256).filter { symbol in
      (0..<clusters.tables.count).reduce(UInt32(0)) { unsafe $0 + clusters.tables[$1][symbol] } >= least
    }
    for index in 0..<clusters.tables.count {
      for symbol in common where unsafe clusters.tables[index][symbol] == 0 {
        unsafe clusters.tables[index][symbol] = 1
      }
      let code = unsafe CodeLengths(counts: clusters.tables[index])
      codes.append(code)
      if !usesNodes { unsafe swzip_encode_table_build(code.lengths, clusters.tables[index], table(index)) }
      // A symbol without a code becomes a patch of 48 bits.
      costs.append(code.lengths.map { $0 == 0 ? 48 : UInt16($0) })
    }
    if usesNodes { try trees.begin(codes, shift: 0) }
    trees.buildAll()
  }

  private func table(_ index: Int) -> UnsafeMutablePointer<swzip_encode_table> {
    unsafe memory.base.assumingMemoryBound(to: swzip_encode_table.self) + index
  }

  /// Those of four groups.
  func tables(_ numbers: InlineArray<4, Int>) -> HuffmanStreams.Tables {
    unsafe (table(numbers[0]), table(numbers[1]), table(numbers[2]), table(numbers[3]))
  }

  /// The cheapest table for a group with these counts.
  func cheapest(_ counts: UnsafePointer<UInt32>) -> Int {
    var best = 0
    var least = UInt64.max
    guard costs.count > 1 else { return 0 }
    for index in costs.indices {
      let cost = unsafe swzip_histogram_cost(counts, costs[index], Int32(symbolRange.first), Int32(symbolRange.last))
      if cost < least { (least, best) = (cost, index) }
    }
    return best
  }

  /// Chooses the cheapest table for each group of a block, by a histogram of a part of it, and names them in the
  /// frame's bytes 28 to 31.
  func choose(
    _ coded: UnsafePointer<UInt8>, _ geometry: swzip_geometry, frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch
  ) -> InlineArray<4, Int> {
    var from = 0
    let values = geometry.groupValues
    return InlineArray { group in
      var best = 0
      if values[group] > 0, codes.count > 1 {
        let counts = unsafe scratch.clearedCounts()
        unsafe swzip_histogram_add(coded + from, Int(values[group]), 5, counts)
        best = unsafe cheapest(counts)
      }
      from += Int(values[group])
      unsafe frame[28 + group] = UInt8(best)
      return best
    }
  }
}
