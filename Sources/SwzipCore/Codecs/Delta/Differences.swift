internal import CSwzipKernels

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
  /// The values of each block.
  var blocks: [Range<Int>] { runs(of: blockValues, every: 1) }

  /// At least 2^17 values, spread over all: whole rows, so many together that gaps between changes show, or all blocks. Only
  /// blocks tell all that tables must have: gaps end with a block.
  func sample(rowLength: Int) -> [Range<Int>] {
    let most = 1 << 17
    let rows = max(1, 16_384 / rowLength) * rowLength
    return count < 2 * most ? blocks : runs(of: rows, every: count / most)
  }

  /// One run of `length` values of every `step`.
  private func runs(of length: Int, every step: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: length * step).map { $0..<min($0 + length, count) }
  }

  /// Symbols of some values, a block's at most, into the scratch's `symbols`; returns what `map` has for their contexts.
  /// `classes`: of all rows; they begin at one.
  func load(
    _ range: Range<Int>, top: Int, classes: [UInt8] = [], rowLength: Int = 0, map: [UInt8], scratch: EncodeScratch
  ) -> UnsafePointer<UInt8> {
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
