/// How floats lie in a file: their type, and the offset of each modulo its width. What they cost, read so, is estimated in
/// integer arithmetic alone, so that every processor says the same.
package struct FloatReading: Equatable, Sendable {
  package let elementType: ElementType
  package let phase: Int

  package init(_ elementType: ElementType, phase: Int) {
    self.elementType = elementType
    self.phase = phase
  }

  /// The first value at or after `offset`.
  package func first(from offset: UInt64) -> UInt64 {
    let width = UInt64(elementType.width)
    return offset + (UInt64(phase) + width - offset % width) % width
  }

  /// Where the symbol, most of the exponent, lies in the upper two bytes, and the bits of these that are noise.
  var symbol: (shift: UInt16, mask: UInt16, noise: UInt64) {
    switch elementType.native {
    case .f16: (9, 63, 10)
    case .f64: (4, 255, 8)
    default: (7, 255, 8)
    }
  }
  /// The first of the bytes below the upper two.
  private var lower: Int { elementType.isSwapped ? 2 : 0 }

  /// Calls `body` with the place and the symbol of each whole value in `bytes`, which lie at `offset`.
  func eachSymbol(in bytes: [UInt8], at offset: UInt64, _ body: (_ place: Int, _ symbol: Int) -> Void) {
    let width = elementType.width
    let (high, low) = elementType.isSwapped ? (0, 1) : (width - 1, width - 2)
    let (shift, mask, _) = symbol
    let start = Int(first(from: offset) - offset)
    unsafe bytes.withUnsafeBufferPointer { bytes in  // the loop that all of the search is about
      for place in stride(from: start, through: bytes.count - width, by: width) {
        let upper = unsafe UInt16(bytes[place + high]) << 8 | UInt16(bytes[place + low])
        body(place, Int(upper >> shift & mask))
      }
    }
  }

  /// How often each symbol occurs.
  func counts(in bytes: [UInt8], at offset: UInt64) -> [UInt32] {
    var counts = [UInt32](repeating: 0, count: 256)
    eachSymbol(in: bytes, at: offset) { _, symbol in counts[symbol] += 1 }
    return counts
  }

  /// Bits that bytes take if the symbols are coded by themselves, and so is each of the bytes below.
  package func bits(of bytes: [UInt8], at offset: UInt64) -> UInt64 {
    let places = BytePlaces(bytes, at: offset)
    return bits(of: bytes, at: offset, places) { places.information($0, of: elementType.width) }
  }

  /// The same, where bytes below the upper two pay only if they are all the same: of other readings these may be the ones that
  /// repeat.
  func bits(of bytes: [UInt8], at offset: UInt64, like places: BytePlaces) -> UInt64 {
    bits(of: bytes, at: offset, places) { place in
      places.repeats(place, of: elementType.width) > BytePlaces.constant
        ? 0 : 8 * UInt64(bytes.count / elementType.width)
    }
  }

  private func bits(
    of bytes: [UInt8], at offset: UInt64, _ places: BytePlaces, _ below: (_ place: Int) -> UInt64
  ) -> UInt64 {
    let width = elementType.width
    let symbols = counts(in: bytes, at: offset)
    let count = symbols.reduce(0) { $0 + UInt64($1) }
    var bits = BytePlaces.information(symbols) + 8 * (UInt64(bytes.count) - count * UInt64(width))
    if elementType.native == .f64 {
      // Sign and the first three bits of the exponent hardly change where values are floats.
      let top = elementType.isSwapped ? phase : (phase + width - 1) % width
      bits += 4 * count + min(4 * count, places.information(top, of: width))
    } else {
      bits += symbol.noise * count
    }
    for byte in lower..<(lower + width - 2) { bits += below((phase + byte) % width) }
    return bits
  }

  /// Whether the values of a sample have exponents as those of weights do: few of them are common.
  package static func hasExponents(_ sample: [UInt8], of type: ElementType) -> Bool {
    sample.count >= 2 * type.width
      && FloatReading(type, phase: 0).bits(of: sample, at: 0) < UInt64(sample.count) * 8 * 15 / 16
  }
}
