internal import CSwzipKernels

/// How values of a type are told from those of a base (spec/codecs/delta.md).
package struct DeltaKind: Equatable, Sendable {
  package let elementType: ElementType
  let kernel: swzip_delta_kind
  /// Below it are the tokens of all differences but the largest, which equals it.
  private let tokenLimit: Int

  /// Nil for plain bytes and block types.
  package init?(_ elementType: ElementType) {
    guard elementType != .bytes, !elementType.isBlock, !elementType.isSwapped else { return nil }
    let exponent: (shift: UInt8, mask: UInt8)? =
      switch elementType {
      case .bf16: (7, 0xFF)
      case .f16: (10, 0x1F)
      case .f32: (23, 0xFF)
      case .f64: (55, 0xFF)
      case .f8e4m3, .f8e4m3fnuz: (3, 0xF)
      case .f8e5m2, .f8e5m2fnuz: (2, 0x1F)
      default: nil
      }
    self.elementType = elementType
    kernel = swzip_delta_kind(
      width: UInt8(elementType.width), is_float: exponent != nil, exponent_shift: exponent?.shift ?? 0,
      exponent_mask: exponent?.mask ?? 0)
    let bits = Self.tokenBits(width: elementType.width)
    tokenLimit = (8 * elementType.width - bits) << bits
  }

  /// k: bits of a magnitude behind its highest that are in the token.
  static func tokenBits(width: Int) -> Int { width <= 2 ? 3 : width == 4 ? 2 : 0 }

  package static func == (a: Self, b: Self) -> Bool { a.elementType == b.elementType }

  package var width: Int { Int(kernel.width) }

  /// Whether tables have only symbols that mean something, and contexts those that they may.
  func fits(_ coding: RansCoding, quietContexts: Int) -> Bool {
    guard quietContexts > 0 else { return coding.tables.allSatisfy(fits) }
    let contexts = coding.tableOfContext
    return quietContexts <= contexts.count && coding.tables.count >= 2
      && coding.tables[0].levels[128...].allSatisfy { $0 == 0 } && coding.tables.dropFirst().allSatisfy(fits)
      && contexts[..<quietContexts].allSatisfy { $0 == 0 } && contexts[quietContexts...].allSatisfy { $0 >= 2 }
  }

  private func fits(_ table: RansTable) -> Bool {
    table.levels.indices.allSatisfy { symbol in
      table.levels[symbol] == 0 || (symbol < 128 ? symbol < tokenLimit : 1...tokenLimit ~= symbol - 128)
    }
  }

  /// The place of the highest bit of a token's magnitude; of no zero.
  private static func highestBit(_ token: Int, tokenBits: Int) -> Int {
    token >> tokenBits == 0 ? token.bitWidth - 1 - token.leadingZeroBitCount : token >> tokenBits + tokenBits - 1
  }

  /// For each token the logarithm of its magnitude in 1/16 octave, -16 for 0. From the fraction as if it were linear.
  var scores: [Int16] {
    let bits = Self.tokenBits(width: width)
    return (0..<128).map { token in
      guard token > 0 else { return -16 }
      // The magnitude's highest bit, and the bits behind it that the token has.
      let head = Self.highestBit(token, tokenBits: bits)
      let fraction = token >> bits == 0 ? ((token << 4) >> head) & 15 : (token & (1 << bits - 1)) << (4 - bits)
      return Int16(16 * head + fraction)
    }
  }

  /// What `map` has for the context of each value.
  func contexts(
    _ base: UnsafeRawPointer, count: Int, classes: UnsafePointer<UInt8>, rowLength: Int, top: UInt8, contexts: Int,
    map: [UInt8], into target: UnsafeMutablePointer<UInt8>
  ) -> UnsafePointer<UInt8> {
    unsafe withUnsafePointer(to: kernel) { kernel in
      for start in stride(from: 0, to: count, by: rowLength > 0 ? rowLength : max(count, 1)) {
        let length = rowLength > 0 ? min(rowLength, count - start) : count
        let rowClass = rowLength > 0 ? unsafe classes[start / rowLength] : 0
        unsafe swzip_delta_numbers(
          kernel, base + start * width, length, UInt32(top) + UInt32(rowClass), UInt32(contexts), map, target + start)
      }
    }
    return unsafe UnsafePointer(target)
  }

  /// Which values differ from the base's. At most 2^32 - 1 values of `width` bytes.
  package static func changedPositions(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, width: Int
  ) -> [UInt32] {
    precondition(values.count == base.count)
    guard unsafe !values.isEmpty else { return [] }
    let count = UInt32(values.count / width)
    var positions = [UInt32](repeating: 0, count: Int(count) / 16 + 64)
    while true {
      let found = Int(
        unsafe swzip_differences(
          values.baseAddress!, base.baseAddress!, count, UInt32(width), &positions, UInt32(positions.count)))
      if found <= positions.count { return Array(positions[..<found]) }
      positions = [UInt32](repeating: 0, count: found)
    }
  }

  /// How many of the values differ from the base's. With a kind, `steps[i]` counts those that are 2^i to 2^(i + 1) - 1
  /// units in the last place away. At most 2^20 values.
  package static func changes(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, width: Int, kind: DeltaKind?,
    steps: inout [UInt64], scratch: EncodeScratch
  ) -> UInt64 {
    let count = values.count / width
    guard let kind else {
      return UInt64(
        (0..<count).count { index in
          let place = (index * width)..<((index + 1) * width)
          return unsafe !equalBytes(.init(rebasing: values[place]), .init(rebasing: base[place]))
        })
    }
    unsafe withUnsafePointer(to: kind.kernel) {
      unsafe swzip_delta_symbols($0, values.baseAddress!, base.baseAddress!, count, scratch.symbols)
    }
    let counts = unsafe scratch.clearedCounts()
    unsafe swzip_histogram_add(scratch.symbols, count, 1, counts)
    let bits = tokenBits(width: width)
    for symbol in 0..<256 where symbol & 127 != 0 {
      let top = highestBit(symbol & 127, tokenBits: bits)
      if top < steps.count { unsafe steps[top] += UInt64(counts[symbol]) }
    }
    return unsafe UInt64(count) - UInt64(counts[0])
  }
}
