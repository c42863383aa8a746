internal import CSwzipKernels

/// How the differences of a segment to its base are coded: the first context, classes of rows, a table for each group of
/// contexts. Integers only, so that every machine makes the same plan.
final class DeltaPlan {
  let delta: DeltaCoding
  let references: [Reference]
  let blockValues: Int
  private let rowClasses: [UInt8]
  private let encoder: RansEncoder
  private let map: [UInt8]

  private static let rowBits = 4
  /// The class of a row of median change.
  private static let middleClass = 7
  /// Rows that are worth a class have so many values.
  private static let leastRowLength = 64

  /// Plans `values` given as many bytes of `base`. Cost: two passes, three where there are rows.
  init(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, of kind: DeltaKind, _ prediction: Prediction,
    _ references: [Reference], rowLength: Int, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.references = references
    let count = values.count / kind.width
    let hasRows = rowLength >= Self.leastRowLength && rowLength <= Self.mostBlockValues(kind.width) / 2
    blockValues = Self.blockValues(count, width: kind.width, rowLength: hasRows ? rowLength : 0)
    let differences = unsafe Differences(values, base, kind: kind, blockValues: blockValues)
    let exponent = differences.topExponent()
    var best = Choice(differences, top: exponent, scratch: scratch)
    if hasRows, exponent >= Self.middleClass || kind.kernel.exponent_mask == 0 {
      let classes = Self.classes(differences, top: exponent, rowLength: rowLength, scratch: scratch)
      let other = Choice(
        differences, top: max(0, exponent - Self.middleClass), classes: classes, rowLength: rowLength, scratch: scratch)
      if other.cost < best.cost { best = other }
    }
    rowClasses = best.classes
    let rans = RansCoding(
      tables: best.tables, rowBits: best.classes.isEmpty ? 0 : Self.rowBits, tableOfContext: best.tableOfContext)
    var delta = DeltaCoding(kind, prediction, rans)
    delta.rowLength = best.classes.isEmpty ? 0 : UInt32(rowLength)
    (delta.topExponent, delta.quietContexts) = (UInt8(best.top), UInt8(best.quietContexts))
    self.delta = delta
    map = rans.map
    encoder = try RansEncoder(rans)
  }

  private static func mostBlockValues(_ width: Int) -> Int { Limits.writtenBlockValues(width: width <= 2 ? 1 : width) }

  /// Equal blocks, of whole rows unless `rowLength` is 0.
  private static func blockValues(_ count: Int, width: Int, rowLength: Int) -> Int {
    let unit = rowLength > 0 ? rowLength : 256
    let most = mostBlockValues(width) / unit * unit
    guard count > most || rowLength > 0 else { return count }
    let blocks = (count + most - 1) / most
    return min(most, ((count + blocks - 1) / blocks + unit - 1) / unit * unit)
  }

  // MARK: contexts

  /// Tables for one way to make contexts.
  private struct Choice {
    let top: Int
    let classes: [UInt8]
    let tables: [RansTable]
    let tableOfContext: [UInt8]
    let quietContexts: Int
    /// Bits of symbols, tables, row classes and low bits.
    let cost: UInt64

    /// Counts all symbols by context.
    init(
      _ differences: Differences, top: Int, classes: [UInt8] = [], rowLength: Int = 0, scratch: EncodeScratch
    ) {
      let histograms = Histograms(scratch.histograms, count: RansCoding.mostContexts)
      let kind = differences.kind
      let each = (0..<UInt8(RansCoding.mostContexts)).map(\.self)
      for block in 0..<differences.blockCount {
        let contexts = unsafe differences.load(
          block, top: top, classes: classes, rowLength: rowLength, map: each, scratch: scratch)
        let (counts, symbols) = unsafe (histograms[0], scratch.symbols)
        for index in 0..<differences.values(ofBlock: block).count {
          unsafe counts[256 * Int(contexts[index]) + Int(symbols[index])] += 1
        }
      }
      var bits = Self.lowBits(histograms, tokenBits: DeltaKind.tokenBits(width: kind.width))
      let quiet = QuietContexts.count(in: histograms)
      var first: [RansTable] = []
      if quiet > 0 {
        let changes = unsafe QuietContexts(differences, quiet: quiet, scratch) { block, map in
          unsafe differences.load(
            block, top: top, classes: classes, rowLength: rowLength, map: map, scratch: scratch)
        }
        first = [changes.gapTable, changes.changeTable]
        bits += changes.cost
        for context in 0..<quiet { unsafe histograms[context].update(repeating: 0, count: 256) }
      }
      let merged = RansContexts(histograms)
      self.top = top
      self.classes = classes
      quietContexts = quiet
      tables = first + merged.tables
      tableOfContext = (0..<max(merged.groups.last!.contexts.upperBound + 1, quiet)).map {
        $0 < quiet ? 0 : UInt8(first.count + merged.group(ofContext: $0))
      }
      cost = merged.cost / 64 + bits + UInt64(classes.count * rowBits)
    }

    private static func lowBits(_ histograms: Histograms, tokenBits: Int) -> UInt64 {
      var sum: UInt64 = 0
      for context in 0..<histograms.count {
        let counts = unsafe histograms[context]
        for symbol in 0..<256 { unsafe sum += UInt64(counts[symbol]) * UInt64(max(0, (symbol & 127) >> tokenBits - 1)) }
      }
      return sum
    }
  }

  /// The class of each row by the mean logarithm of its changes: the middle one is that of the median. Exponents count as
  /// far as contexts reach.
  private static func classes(
    _ differences: Differences, top: Int, rowLength: Int, scratch: EncodeScratch
  ) -> [UInt8] {
    let each = (0..<UInt8(RansCoding.mostContexts)).map(\.self)
    var means: [Int] = []
    unsafe differences.kind.scores.withUnsafeBufferPointer { scores in
      for block in 0..<differences.blockCount {
        let contexts = unsafe differences.load(block, top: top, classes: [], rowLength: 0, map: each, scratch: scratch)
        let (count, symbols) = unsafe (differences.values(ofBlock: block).count, scratch.symbols)
        for start in stride(from: 0, to: count, by: rowLength) {
          let end = min(start + rowLength, count)
          var sum = 0
          for index in start..<end {
            unsafe sum += Int(scores[Int(symbols[index] & 127)]) - 16 * Int(contexts[index])
          }
          means.append(sum / (end - start))
        }
      }
    }
    let median = means.sorted()[means.count / 2]
    // 16 steps are an octave; halves are rounded up.
    return means.map { UInt8(min(max(0, ($0 - median + 16 * middleClass + 8) >> 4), 1 << rowBits - 1)) }
  }

  // MARK: blocks

  /// Writes row classes, states, words, and low bits of gaps, of the symbols in the scratch; returns their end. Nil where
  /// quiet values have more changes than a block can say.
  func writeSymbols(
    _ base: UnsafeRawBufferPointer, block: Int, count: Int, to frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch
  ) -> Int? {
    let rowLength = Int(delta.rowLength)
    let firstRow = rowLength > 0 ? block * blockValues / rowLength : 0
    let rows = rowLength > 0 ? (count + rowLength - 1) / rowLength : 0
    let classes = Array(rowClasses[firstRow..<(firstRow + rows)])
    let numbers = unsafe delta.numbers(
      base.baseAddress!, count: count, classes: classes, map: map, into: scratch.sorted)
    guard delta.quietContexts > 0, let numbers = unsafe numbers else {
      return unsafe encoder.write(count, classes: classes, numbers: numbers, to: frame, scratch: scratch)
    }
    // Symbols that are not quiet, gaps, changes; then the table of each.
    let (coded, tables, mask) = unsafe (scratch.area(Area.symbols), scratch.area(Area.tables), scratch.mask)
    let dense = unsafe swzip_delta_dense(numbers, count, mask, tables)
    guard dense < count else {
      return unsafe encoder.write(count, classes: classes, numbers: numbers, to: frame, scratch: scratch)
    }
    let low = unsafe scratch.area(Area.lowBits)
    let most = min((count - dense) / 2, Int(UInt16.max))
    let changes = unsafe scratch.area(Area.changes)
    var lowBytes = 0
    let changed = unsafe swzip_delta_changes(
      scratch.symbols, numbers, count, most, coded + dense, changes, low, &lowBytes)
    guard changed <= most else { return nil }
    unsafe swzip_delta_gather(scratch.symbols, mask, count, coded)
    unsafe (coded + dense + changed).update(from: changes, count: changed)
    unsafe (tables + dense).update(repeating: 0, count: changed)
    unsafe (tables + dense + changed).update(repeating: 1, count: changed)
    let end = unsafe encoder.write(
      dense + 2 * changed, symbols: coded, classes: classes, numbers: tables, to: frame, scratch: scratch)
    unsafe frame.storeBytes(of: UInt16(changed).littleEndian, toByteOffset: 26, as: UInt16.self)
    unsafe (frame.baseAddress! + end).copyMemory(from: low, byteCount: lowBytes)
    return end + lowBytes
  }
}

extension DeltaPlan: CodecPlan {
  /// What encoding blocks with quiet values takes in the scratch.
  private enum Area: Int, ScratchArea { case symbols, tables, lowBits, changes }

  var coding: any Coding { delta }

  func bound(_ valueCount: Int) -> Int { DeltaBlock.bound(valueCount, width: delta.kind.width) }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    guard let base = unsafe block.reference else { return nil }
    if unsafe equalBytes(block.values, base) { return CopyBlock.encode(block) }
    let count = unsafe DeltaBlock.encode(
      block.values, base, block: block.index, plan: self, into: block.frame, scratch: block.scratch)
    return count.map { BlockPayload(.delta, byteCount: $0) } ?? BytesBlock.encodeCompressed(block)
  }
}

/// A segment's values beside those of its base.
@safe struct Differences {
  let values, base: UnsafeRawBufferPointer
  let kind: DeltaKind
  let blockValues: Int

  init(_ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, kind: DeltaKind, blockValues: Int) {
    unsafe self.values = values
    unsafe self.base = base
    self.kind = kind
    self.blockValues = blockValues
  }

  var count: Int { unsafe values.count / kind.width }
  var blockCount: Int { (count + blockValues - 1) / blockValues }
  func values(ofBlock block: Int) -> Range<Int> { (block * blockValues)..<min((block + 1) * blockValues, count) }

  /// Symbols of a block into the scratch's `symbols`; returns what `map` has for their contexts.
  func load(
    _ block: Int, top: Int, classes: [UInt8], rowLength: Int, map: [UInt8], scratch: EncodeScratch
  ) -> UnsafePointer<UInt8> {
    let range = values(ofBlock: block)
    let offset = range.lowerBound * kind.width
    unsafe withUnsafePointer(to: kind.kernel) {
      unsafe swzip_delta_symbols(
        $0, values.baseAddress! + offset, base.baseAddress! + offset, range.count, scratch.symbols)
    }
    let firstRow = rowLength > 0 ? range.lowerBound / rowLength : 0
    return unsafe kind.contexts(
      base.baseAddress! + offset, count: range.count, classes: Array(classes.dropFirst(firstRow)), rowLength: rowLength,
      top: UInt8(top), contexts: map.count, map: map, into: scratch.sorted)
  }

  /// The exponent of a value of the base.
  func exponent(_ index: Int, _ kernel: swzip_delta_kind) -> Int {
    guard kernel.exponent_mask != 0 else { return 0 }
    var bits: UInt64 = 0
    for byte in 0..<kind.width { unsafe bits |= UInt64(base[index * kind.width + byte]) << UInt64(8 * byte) }
    return Int(bits >> UInt64(kernel.exponent_shift)) & Int(kernel.exponent_mask)
  }

  /// The exponent whose context is to be the first: one in 512 of a sample lies above.
  func topExponent() -> Int {
    let kernel = kind.kernel
    guard kernel.exponent_mask != 0 else { return 0 }
    var counts = [Int](repeating: 0, count: 256)
    let step = max(1, count / 16_384)
    for index in stride(from: 0, to: count, by: step) { counts[exponent(index, kernel)] += 1 }
    let most = (count + step - 1) / step / 512
    var (above, top) = (0, 255)
    while top > 0, above + counts[top] <= most {
      above += counts[top]
      top -= 1
    }
    return min(top, Limits.topExponent)
  }
}
