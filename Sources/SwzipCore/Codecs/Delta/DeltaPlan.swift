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

  /// Rows that are worth a class have so many values.
  private static let leastRowLength = 64

  /// Plans `values` given as many bytes of `base`. Cost: a pass, and what a sample takes.
  init(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, of kind: DeltaKind, _ prediction: Prediction,
    _ references: [Reference], rowLength: Int, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.references = references
    let count = values.count / kind.width
    let hasRows = rowLength >= Self.leastRowLength && rowLength <= Self.mostBlockValues(kind.width) / 2
    blockValues = Self.blockValues(count, width: kind.width, rowLength: hasRows ? rowLength : 0)
    let differences = unsafe Differences(values, base, kind: kind, blockValues: blockValues)
    let best = DeltaContexts.best(of: differences, rowLength: hasRows ? rowLength : 0, scratch: scratch)
    rowClasses = best.classes
    let rans = RansCoding(
      tables: best.tables, rowBits: best.classes.isEmpty ? 0 : DeltaContexts.rowBits,
      tableOfContext: best.tableOfContext)
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
