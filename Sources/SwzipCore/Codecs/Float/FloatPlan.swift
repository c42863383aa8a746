internal import CSwzipKernels

/// How the blocks of a float segment are coded: geometry, window, tables. Made from a sample of the segment.
///
/// A sampled block gives four histograms, one for each group of sub-streams: of its rows sorted by their sum, where the
/// rows differ in scale by more than chance, else of its natural quarters. Histograms of the segment are clustered
/// (k-means, at most 64 of them) to at most `Effort.tables` tables.
final class FloatPlan {
  package let kind: FloatKind
  package private(set) var windowBase: UInt16 = 0
  package private(set) var blockValues: Int
  /// 0 where rows stay in natural order.
  package private(set) var rowLength: Int
  /// Set unless symbols are coded by rANS.
  private(set) var tables: HuffmanTables?
  /// First of the 14 neighbouring symbols above 0 that hold most of the sample (mode fixed4; J = 0).
  private(set) var fixed4Window: UInt8 = 1

  /// Set where symbols are coded by rANS.
  private(set) var rans: RansPlan?

  /// Whether blocks are sparse: what was planned are the values that are not zero.
  private(set) var isSparse = false

  /// Whether blocks are of mode fixed4.
  let usesFixed4: Bool
  static let mostGroups = 64
  /// Optimizer moments differ by octaves from row to row and from column to column, weights do not. Two octaves between the
  /// top and the bottom quarter of rows, in 1/256: then rANS saves some per cent at any level.
  private static let statesSpread: Int64 = 512
  /// A symbol rarer than one in so many is cheaper as a patch of 48 bits than with a code's share of the code space.
  private static let rarest: UInt64 = 40_000

  /// Plans `values`, rows of `rowLength` values (0: no rows).
  package init(
    _ values: UnsafeRawBufferPointer, kind: FloatKind, rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.kind = kind
    usesFixed4 = effort.usesFixed4 && kind.hasFixed4
    let count = values.count / kind.width
    let rows = rowLength > 0 && count % rowLength == 0 ? count / rowLength : 0
    let largest = Limits.writtenBlockValues(width: kind.width)
    let blocks = (count + largest - 1) / largest
    self.rowLength = 0
    blockValues = ((count + blocks - 1) / blocks + 255) & ~255
    // Values without signs are second moments as a rule: see `statesSpread`.
    if effort.usesRans || kind.isUnsigned {
      try unsafe planRans(values, count: count, rowLength: rowLength, effort: effort, scratch: scratch)
      return
    }
    if effort.sortsRows, rowLength % 32 == 0, rowLength * 8 <= largest, rows >= 8 {
      let share = min((rows + blocks - 1) / blocks, largest / rowLength)
      // The last block needs eight rows too.
      if share >= 8, share * rowLength >= Limits.smallestBlockValues || share >= rows,
        rows % share == 0 || rows % share >= 8
      {
        self.rowLength = rowLength
        blockValues = share * rowLength
      }
    }
    blockValues = min(blockValues, max(count, 1))
    if kind.hasWindow { windowBase = unsafe findWindow(values, count: count) }
    try unsafe sample(values, count: count, effort: effort, scratch: scratch)
  }

  /// Plans the values of a segment that are not zero.
  init(
    sparse values: UnsafeRawBufferPointer, kind: FloatKind, blockValues: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.kind = kind
    usesFixed4 = false
    isSparse = true
    rowLength = 0
    self.blockValues = blockValues
    let width = kind.width
    // Of all blocks one after another; a block's share is where its predecessors' ends.
    let memory = try Memory(values.count + Limits.slack)
    var counts: [Int] = []
    var kept = 0
    for start in stride(from: 0, to: values.count / width, by: blockValues) {
      let mine = unsafe Int(
        swzip_sparse_compact(
          values.baseAddress! + start * width, UInt32(min(blockValues, values.count / width - start)), UInt32(width),
          SparseBlock.magnitude(width),
          scratch.mask, memory.base + kept * width))
      counts.append(mine)
      kept += mine
    }
    let nonZeros = unsafe memory.prefix(kept * width)
    guard kept > 0 else { return }
    if kind.hasWindow { windowBase = unsafe findWindow(nonZeros, count: kept) }
    guard effort.usesRans || kind.isUnsigned else {
      self.blockValues = Limits.writtenBlockValues(width: width)
      try unsafe sample(nonZeros, count: kept, effort: effort, scratch: scratch)
      self.blockValues = blockValues
      return
    }
    // Rows are ragged: runs of 256 values stand for them.
    let starts = counts.indices.map { counts[..<$0].reduce(0, +) }
    let (kernel, base) = (kind.kernel, windowBase)
    let source = RansPlan.Source(counts: counts) { block in
      _ = unsafe swzip_float_split(
        kernel, nonZeros.baseAddress! + starts[block] * width, UInt32(counts[block]), base, scratch.symbols,
        scratch.area(FloatBlock.SplitArea.rawPlane), scratch.area(FloatBlock.SplitArea.low),
        scratch.area(FloatBlock.SplitArea.high))
    }
    let plan = try RansPlan(source, rowLength: Self.sparseRow, effort: effort, scratch: scratch)
    rans = plan
    rowLength = plan.rowLength
  }

  private static let sparseRow = 256

  /// Rows, where they are known, else runs of 512 values, which may differ in scale too.
  private func planRans(
    _ values: UnsafeRawBufferPointer, count: Int, rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    let largest = effort.ransBlockValues(width: kind.width)
    var row = rowLength > 0 && rowLength <= largest ? rowLength : 512
    if row < 64 { row *= (63 + row) / row }
    let rows = (count + row - 1) / row
    let most = largest / row
    let blocks = (rows + most - 1) / most
    blockValues = (rows + blocks - 1) / blocks * row
    if kind.hasWindow { windowBase = unsafe findWindow(values, count: count) }
    let (stride, kernel, base, width) = (blockValues, kind.kernel, windowBase, kind.width)
    let source = RansPlan.Source(count: count, blockValues: stride) { block in
      let start = block * stride
      _ = unsafe swzip_float_split(
        kernel, values.baseAddress! + start * width, UInt32(min(stride, count - start)), base, scratch.symbols,
        scratch.area(FloatBlock.SplitArea.rawPlane), scratch.area(FloatBlock.SplitArea.low),
        scratch.area(FloatBlock.SplitArea.high))
    }
    let plan = try RansPlan(source, rowLength: row, effort: effort, scratch: scratch)
    rans = plan
    self.rowLength = plan.rowLength
  }

  // MARK: planning

  /// The window that holds most of a sample: a few values of another scale must not move it. It ends a little above the
  /// largest value that it holds.
  private func findWindow(_ values: UnsafeRawBufferPointer, count: Int) -> UInt16 {
    let step = max(1, count / 4096)
    var counts = [Int](repeating: 0, count: 1024)
    for index in stride(from: 0, to: count, by: step) { counts[Int(unsafe kind.field(values, index))] += 1 }
    counts[0] = 0  // has a symbol wherever the window is
    var (held, most, end) = (0, 0, 255)
    for field in 1..<1024 {
      held += counts[field] - (field > 255 ? counts[field - 255] : 0)
      if held > most { (most, end) = (held, field) }
    }
    let first = (max(1, end - 254)...end).first { counts[$0] > 0 } ?? 1
    // Far below a window's end there is nothing; a few octaves above the sample's largest value there may be something.
    let margin = step > 1 ? Int(kind.windowMargin) : 0
    return UInt16(min(max(0, end + margin - 255), first - 1, kind.largestWindowBase))
  }

  private func sample(
    _ values: UnsafeRawBufferPointer, count: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    let blocks = (count + blockValues - 1) / blockValues
    let sampled = min(blocks, Self.mostGroups / 4)
    // About an eighth of large segments at the levels that pack fast, all of small ones.
    let step = effort.countsAll || count < 32_768 ? 1 : count < 200_000 ? 4 : 7
    let histograms = Histograms(scratch.histograms, count: 4 * sampled)
    func addBlocks() {
      histograms.clear()
      for index in 0..<sampled {
        let start = index * blocks / sampled * blockValues
        let blockCount = min(blockValues, count - start)
        unsafe addBlock(
          UnsafeRawBufferPointer(rebasing: values[(start * kind.width)..<((start + blockCount) * kind.width)]),
          step: step, offset: index % step, to: histograms, 4 * index, scratch: scratch)
      }
    }
    addBlocks()
    if rowLength > 0 {
      let quarters = histograms.quarters
      if effort.level >= 3, quarters.distance > Self.statesSpread << Int64(kind.mantissaBits & 3) {
        return try unsafe planRans(values, count: count, rowLength: rowLength, effort: effort, scratch: scratch)
      }
      if !quarters.differ(rowLength: rowLength) {
        rowLength = 0
        addBlocks()
      }
    }
    let clusters = try Clusters(histograms, most: min(effort.tables, max(1, count / effort.valuesPerTable)))
    if usesFixed4 { fixed4Window = densestWindow(clusters.tables) }
    tables = try HuffmanTables(
      clusters, least: UInt32(max(2, effort.countsAll ? clusters.total / Self.rarest : 0)), usesNodes: effort.usesNodes)
  }

  /// Adds the histograms of a block's groups, from one run of rows (or of 256 values) in `step`. Runs are whole units,
  /// and long enough for memory to be read ahead.
  private func addBlock(
    _ block: UnsafeRawBufferPointer, step: Int, offset: Int, to histograms: Histograms, _ group: Int,
    scratch: EncodeScratch
  ) {
    let count = block.count / kind.width
    let length = rowLength > 0 ? rowLength : 256
    let rows = (count + length - 1) / length
    let run = min(step == 1 ? rows : max(8, 2048 / length), rows)
    var taken = 0
    var values = 0
    let symbols = unsafe scratch.symbols
    for row in stride(from: min(offset * run, (rows - 1) / run * run), to: rows, by: step * run) {
      let runRows = min(run, rows - row)
      let runCount = min(runRows * length, count - row * length)
      // Only the symbols are wanted; the raw bits take up to 1.25 planes.
      _ = unsafe swzip_float_split(
        kind.kernel, block.baseAddress! + row * length * kind.width, UInt32(runCount), windowBase, symbols + values,
        scratch.area(FloatBlock.SplitArea.rawPlane), scratch.area(FloatBlock.SplitArea.low),
        scratch.area(FloatBlock.SplitArea.high))
      taken += runRows
      values += runCount
    }
    guard rowLength > 0 else {
      return unsafe addQuarters(symbols, rows: taken, length: length, values: values, to: histograms, group)
    }
    let groups = unsafe UnsafeMutableRawPointer(scratch.missing).assumingMemoryBound(to: UInt8.self)
    unsafe swzip_row_sums(symbols, UInt32(taken), UInt32(length), scratch.rowSums)
    unsafe swzip_rows_group(scratch.rowSums, UInt32(taken), groups)
    unsafe swzip_rows_gather(symbols, UInt32(taken), UInt32(length), groups, scratch.sorted, scratch.naturalRows)
    unsafe addQuarters(scratch.sorted, rows: taken, length: length, values: values, to: histograms, group)
  }

  /// Adds the histograms of the four quarters of some rows, as a block's groups are cut.
  private func addQuarters(
    _ symbols: UnsafePointer<UInt8>, rows: Int, length: Int, values: Int, to histograms: Histograms, _ group: Int
  ) {
    let share = (rows + 3) / 4 * length
    for quarter in 0..<4 {
      let start = min(quarter * share, values)
      let count = min(share, values - start)
      if count > 0 { unsafe swzip_histogram_add(symbols + start, count, 1, histograms[group + quarter]) }
    }
  }

  private func densestWindow(_ histograms: Histograms) -> UInt8 {
    var best = 1
    var most: UInt64 = 0
    for first in 1...242 {
      var sum: UInt64 = 0
      for index in 0..<histograms.count {
        for symbol in first..<(first + 14) { sum += unsafe UInt64(histograms[index][symbol]) }
      }
      if sum > most { (most, best) = (sum, first) }
    }
    return UInt8(best)
  }
}
