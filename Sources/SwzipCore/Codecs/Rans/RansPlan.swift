internal import CSwzipKernels

/// How the symbols of a segment are coded by rANS: row and column classes, and a table for each sum of them.
///
/// Symbols of floats are logarithms, so a row's scale times a column's is a sum of mean symbols. Classes are these
/// means in steps; steps and tables are chosen by what they cost. Integers only, so that every machine makes the same plan.
final class RansPlan {
  let coding: RansCoding
  /// Values a row; 0 without rows.
  let rowLength: Int
  private let rowClasses: [UInt8]
  private let firstRows: [Int]
  private let encodeTables: Memory
  private let map: [UInt8]

  /// The blocks of a segment as symbols.
  struct Source {
    /// Symbols of each block.
    var counts: [Int]
    /// Writes the symbols of a block into the scratch's `symbols`.
    var load: (_ block: Int) -> Void
    /// A measure of each symbol that grows with the scale of a row; nil: the symbol itself.
    var scores: [UInt8]?

    init(counts: [Int], load: @escaping (_ block: Int) -> Void) {
      self.counts = counts
      self.load = load
    }

    /// Blocks of `blockValues` symbols.
    init(count: Int, blockValues: Int, load: @escaping (_ block: Int) -> Void) {
      let counts = stride(from: 0, to: count, by: blockValues).map { min(blockValues, count - $0) }
      self.init(counts: counts, load: load)
    }

    var count: Int { counts.reduce(0, +) }
    /// The number of each block's first row.
    func firstRows(_ rowLength: Int) -> [Int] {
      var row = 0
      return counts.map { count in
        defer { row += (count + rowLength - 1) / rowLength }
        return row
      }
    }
  }

  /// One way to make classes.
  private struct Choice {
    var rowBits = 0
    var usesColumns = false
    /// Width of a class in 1/16 symbols.
    var step = 16
  }

  /// Plans the symbols of `source`, rows of `rowLength` of which each block holds whole ones. Up to 26 passes over a
  /// sample of at most 8 blocks, one for each choice of classes, and three over everything.
  init(_ source: Source, rowLength: Int, scratch: EncodeScratch) throws(SwzipError) {
    firstRows = source.firstRows(max(rowLength, 1))
    let means = rowLength > 0 ? Means(source, rowLength: rowLength, scratch: scratch) : nil
    var best = Choice()
    if let means {
      let sampled =
        source.counts.count <= 8 ? Array(0..<source.counts.count) : (0..<8).map { $0 * source.counts.count / 8 }
      var least = UInt64.max
      for choice in Self.choices(means) {
        let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
        let classes = means.classes(choice.rowBits, choice.usesColumns, step: choice.step)
        for block in sampled {
          Self.count(source, block, firstRow: firstRows[block], rowLength, classes, into: histograms, scratch: scratch)
        }
        let values = sampled.reduce(0) { $0 + source.counts[$1] }
        let merged = Contexts(histograms)
        let side = UInt64(means.rows.count * choice.rowBits + (choice.usesColumns ? 4 * rowLength : 0)) * 64
        let cost =
          merged.symbolCost / UInt64(max(values, 1) / 64 + 1) * UInt64(source.count / 64 + 1) + merged.tableCost + side
        if cost < least { (least, best) = (cost, choice) }
      }
    }
    let classes = means?.classes(best.rowBits, best.usesColumns, step: best.step) ?? Means.Classes()
    let usesRows = best.rowBits > 0 || best.usesColumns
    self.rowLength = usesRows ? rowLength : 0
    rowClasses = best.rowBits > 0 ? classes.rows : []
    let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
    for block in 0..<source.counts.count {
      Self.count(source, block, firstRow: firstRows[block], rowLength, classes, into: histograms, scratch: scratch)
    }
    let contexts = Contexts(histograms)
    let top = (1 << best.rowBits) - 1 + Int(classes.columns.max() ?? 0)
    var tables: [RansTable] = []
    for group in contexts.groups { tables.append(unsafe RansTable(counts: group.counts)) }
    coding = RansCoding(
      tables: tables, rowBits: best.rowBits, columns: best.usesColumns ? classes.columns : [],
      tableOfContext: (0...top).map { UInt8(contexts.group(ofContext: $0)) })
    map = coding.map
    let stride = MemoryLayout<swzip_rans_encode_table>.stride
    encodeTables = try Memory(stride * tables.count)
    for (index, table) in tables.enumerated() {
      let target = unsafe encodeTables.base.assumingMemoryBound(to: swzip_rans_encode_table.self) + index
      unsafe withUnsafeMutableBytes(of: &target.pointee) { bytes in
        var start: UInt16 = 0
        for (symbol, frequency) in table.frequencies.enumerated() {
          unsafe bytes.storeBytes(of: frequency, toByteOffset: 2 * symbol, as: UInt16.self)
          unsafe bytes.storeBytes(of: start, toByteOffset: 512 + 2 * symbol, as: UInt16.self)
          start += frequency
        }
      }
    }
  }

  private static func choices(_ means: Means) -> [Choice] {
    var choices = [Choice()]
    for step in [4, 8, 16, 32, 64] {
      for (rowBits, usesColumns) in [(4, true), (4, false), (3, false), (2, true), (0, true)] {
        guard rowBits == 0 || means.rows.count >= 8, !usesColumns || means.columns.count >= 8 else { continue }
        choices.append(Choice(rowBits: rowBits, usesColumns: usesColumns, step: step))
      }
    }
    return choices
  }

  /// Adds the symbols of a block to the histograms of their contexts.
  private static func count(
    _ source: Source, _ block: Int, firstRow: Int, _ rowLength: Int, _ classes: Means.Classes,
    into histograms: Histograms,
    scratch: EncodeScratch
  ) {
    source.load(block)
    let count = source.counts[block]
    let symbols = unsafe scratch.symbols
    guard !classes.rows.isEmpty || !classes.columns.isEmpty else {
      return unsafe swzip_histogram_add(symbols, count, 1, histograms[0])
    }
    for start in stride(from: 0, to: count, by: rowLength) {
      let length = min(rowLength, count - start)
      let row = classes.rows.isEmpty ? 0 : Int(classes.rows[firstRow + start / rowLength])
      if classes.columns.isEmpty {
        unsafe swzip_histogram_add(symbols + start, length, 1, histograms[row])
      } else {
        let counts = unsafe histograms[row]
        unsafe classes.columns.withUnsafeBufferPointer { columns in
          for column in 0..<length { unsafe counts[256 * Int(columns[column]) + Int(symbols[start + column])] += 1 }
        }
      }
    }
  }

  // MARK: blocks

  /// Writes row classes, states and words of the symbols in the scratch; returns the end of their padding.
  func writeSymbols(block: Int, count: Int, to frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch) -> Int {
    let start = frame.baseAddress!
    var offset = RansStreams.fixedBytes
    let rows = rowLength > 0 ? (count + rowLength - 1) / rowLength : 0
    let mine = firstRows[block]..<(firstRows[block] + rows)
    if coding.rowBits > 0 {
      unsafe RansStreams.packClasses(rowClasses[mine], bits: coding.rowBits, to: frame.mutable(offset))
      offset += coding.rowClassBytes(rows)
    }
    offset = unsafe padFrame(start, from: offset)
    var numbers: UnsafePointer<UInt8>?
    if coding.tableOfContext.count > 1 {
      let classes =
        rowClasses.isEmpty ? [UInt8](repeating: 0, count: rows) : Array(rowClasses[mine])
      unsafe numbers = RansStreams.numbers(
        classes, count: count, rowLength: rowLength, coding: coding, map: map, into: scratch.sorted)
    }
    // Words are written downwards from the end of their room. Frames may lie at odd addresses.
    let room = unsafe UnsafeMutableRawPointer(scratch.plane(4) + RansStreams.wordsBound(count))
    var states = [UInt32](repeating: 0, count: Int(SWZIP_STREAMS))
    unsafe swzip_rans_states_begin(&states)
    let words = unsafe swzip_rans_encode(
      scratch.symbols, count, numbers, encodeTables.base.assumingMemoryBound(to: swzip_rans_encode_table.self), &states,
      room.assumingMemoryBound(to: UInt16.self))
    unsafe states.withUnsafeBytes { unsafe (start + 32).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    unsafe (start + offset).copyMemory(from: room - 2 * words, byteCount: 2 * words)
    unsafe frame.storeBytes(of: 0, toByteOffset: 26, as: UInt16.self)
    unsafe frame.storeBytes(of: UInt32(words).littleEndian, toByteOffset: 28, as: UInt32.self)
    return unsafe padFrame(start, from: offset + 2 * words)
  }
}

/// Mean symbols of rows and columns, in 1/16 symbols.
private struct Means {
  struct Classes {
    var rows: [UInt8] = []
    var columns: [UInt8] = []
  }

  private(set) var rows: [Int]
  private(set) var columns: [Int]

  init(_ source: RansPlan.Source, rowLength: Int, scratch: EncodeScratch) {
    rows = []
    var sums = [UInt64](repeating: 0, count: rowLength)
    let scores = source.scores ?? (0..<256).map { UInt8($0) }
    for block in 0..<source.counts.count {
      source.load(block)
      let count = source.counts[block]
      let symbols = unsafe scratch.symbols
      for start in stride(from: 0, to: count, by: rowLength) {
        let length = min(rowLength, count - start)
        var sum: UInt64 = 0
        unsafe sums.withUnsafeMutableBufferPointer { sums in
          for column in 0..<length {
            let score = unsafe UInt64(scores[Int(symbols[start + column])])
            sum += score
            unsafe sums[column] += score
          }
        }
        rows.append(Int(16 * sum) / length)
      }
    }
    let rowCount = max(source.count / rowLength, 1)
    columns = sums.map { Int(16 * $0) / rowCount }
  }

  /// Classes of `step` each, from a little above the smallest mean on.
  func classes(_ rowBits: Int, _ usesColumns: Bool, step: Int) -> Classes {
    var classes = Classes()
    if rowBits > 0 { classes.rows = Self.classes(rows, most: (1 << rowBits) - 1, step: step) }
    if usesColumns { classes.columns = Self.classes(columns, most: 15, step: step) }
    return classes
  }

  /// The middle class is around the median, so that outliers on either side are clamped.
  private static func classes(_ means: [Int], most: Int, step: Int) -> [UInt8] {
    let sorted = means.sorted()
    let (low, high) = (sorted[sorted.count / 50], sorted[sorted.count - 1 - sorted.count / 50])
    let base = max(low, (low + high) / 2 - (most + 1) * step / 2)
    return means.map { UInt8(min(max(0, ($0 - base + step / 2) / step), most)) }
  }
}

/// Contexts gathered into groups of neighbours, each of which gets a table.
private struct Contexts {
  @safe struct Group {
    var contexts: ClosedRange<Int>
    let counts: UnsafeMutablePointer<UInt32>
    var cost: UInt64
  }

  private(set) var groups: [Group] = []

  /// Bits a symbol in a table takes, in 1/64.
  private static let symbolBits: UInt64 = 5 * 64

  /// Joins neighbours while that is cheaper than a table of their own. The histograms are changed.
  init(_ histograms: Histograms) {
    for context in 0..<histograms.count {
      let counts = unsafe histograms[context]
      let cost = unsafe Self.cost(counts)
      if cost > 0 { unsafe groups.append(Group(contexts: context...context, counts: counts, cost: cost)) }
    }
    if groups.isEmpty { unsafe groups.append(Group(contexts: 0...0, counts: histograms[0], cost: 0)) }
    var joined = groups.indices.dropLast().map { Self.joinedCost(groups[$0], groups[$0 + 1]) }
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
        joined[index] = Self.joinedCost(groups[index], groups[index + 1])
      }
    }
  }

  var symbolCost: UInt64 { groups.reduce(0) { $0 + $1.cost } - tableCost }
  var tableCost: UInt64 { groups.reduce(0) { unsafe $0 + Self.tableCost($1.counts) } }

  /// The group of a context; of one that never occurs, a neighbour's.
  func group(ofContext context: Int) -> Int {
    groups.firstIndex { context <= $0.contexts.upperBound } ?? groups.count - 1
  }

  private static func tableCost(_ counts: UnsafePointer<UInt32>) -> UInt64 {
    var present: UInt64 = 0
    for symbol in 0..<256 where unsafe counts[symbol] > 0 { present += 1 }
    return present == 0 ? 0 : (present + 6) * symbolBits
  }

  /// Symbols and table, in 1/64 bit.
  private static func cost(_ counts: UnsafePointer<UInt32>) -> UInt64 {
    let table = unsafe tableCost(counts)
    guard table > 0 else { return 0 }
    return unsafe swzip_histogram_information(counts) + table
  }

  private static func joinedCost(_ a: Group, _ b: Group) -> UInt64 {
    let sum = unsafe [UInt32](unsafeUninitializedCapacity: 256) { buffer, count in
      for symbol in 0..<256 {
        unsafe buffer.initializeElement(at: symbol, to: a.counts[symbol] + b.counts[symbol])
      }
      count = 256
    }
    return unsafe cost(sum)
  }
}
