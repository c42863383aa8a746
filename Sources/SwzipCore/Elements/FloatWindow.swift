/// A small part of a file that looks like floats: how they lie, and what their exponents cost.
package struct FloatWindow: Sendable {
  package static let byteCount = 1024
  /// Floats have to save this share of a window: one in 32.
  private static let leastGain: UInt64 = 32
  /// 1/64 bit that an exponent takes at most: one that the window does not have.
  private static let rarest: UInt16 = 10 * 64

  package let reading: FloatReading
  package let exponents: Exponents
  /// 1/64 bit that the upper two bytes of a value take more than 16, by its symbol: below 0 where floats pay.
  private let losses: [Int64]

  /// The mean of the window's values.
  private let meanLoss: Int64

  /// Nil where nothing pays by a clear margin. `offset`: of the bytes in the file. `last`: how floats lie before it, which is
  /// believed where nothing is clearly better.
  package init?(_ bytes: [UInt8], at offset: UInt64, after last: FloatReading? = nil) {
    guard bytes.count >= Self.byteCount / 2 else { return nil }
    let places = BytePlaces(bytes, at: offset)
    let all = UInt64(8 * bytes.count)
    let information = min(all, places.information(0, of: 1))
    let limit = information - min(information, all / Self.leastGain)
    var best: (bits: UInt64, reading: FloatReading)?
    // BF16 reads values of F16 almost as well as F16 does, but not the other way round; a byte order may
    // do as well as the other.
    for reading in Self.candidates(places, limit) {
      let bits = reading.bits(of: bytes, at: offset, like: places)
      let isNext = best?.reading.elementType.native == .f16 && reading.elementType.native == .bf16
      let margin = bits / (isNext ? 64 : reading.elementType.isSwapped ? 256 : 512)
      if bits + margin < best?.bits ?? .max { best = (bits, reading) }
    }
    if let last, let other = best, other.reading != last {
      let bits = last.bits(of: bytes, at: offset, like: places)
      if bits < other.bits + other.bits / 512 { best = (bits, last) }
    }
    guard let best, best.bits < limit else { return nil }
    reading = best.reading
    exponents = Exponents(reading.counts(in: bytes, at: offset))
    let raw = 64 * (16 - Int64(reading.symbol.noise))
    losses = exponents.costs.map { Int64(min($0, Self.rarest)) - raw }
    let total = zip(exponents.counts, losses).reduce(0) { $0 + Int64($1.0) * $1.1 }
    meanLoss = total / Int64(max(1, exponents.total))
  }

  /// Of each width the places that may be those of sign and exponent: whose bytes repeat most, and most but for constants.
  /// None where these alone cost as much as `limit` bits.
  private static func candidates(_ places: BytePlaces, _ limit: UInt64) -> [FloatReading] {
    var found: [FloatReading] = []
    for (width, types) in [(2, [ElementType.f16, .bf16]), (4, [.f32]), (8, [.f64])] {
      let repeats = (0..<width).map { places.repeats($0, of: width) }
      let most = repeats.max() ?? 0
      let varied = repeats.filter { $0 < BytePlaces.constant }.max() ?? 0
      for place in 0..<width where repeats[place] == most || repeats[place] == varied {
        // Of its own bits one at most is no part of the symbol; bytes below cost 8 or nothing.
        let others = width - 1 - (0..<width).count { $0 != place && repeats[$0] > BytePlaces.constant }
        let least = BytePlaces.leastInformation(repeats[place]) + 8 * UInt64(max(others, 1)) - 1
        guard least * (places.byteCount / UInt64(width)) < limit else { continue }
        for type in types {
          found.append(FloatReading(type, phase: (place + 1) % width))
          if let swapped = type.bigEndian { found.append(FloatReading(swapped, phase: place)) }
        }
      }
    }
    return found
  }

  /// Whether other bytes are like the window's: exponents cost half a bit more at most.
  package func fits(_ bytes: [UInt8], at offset: UInt64) -> Bool {
    var (total, count): (Int64, Int64) = (0, 0)
    reading.eachSymbol(in: bytes, at: offset) { _, symbol in
      total += losses[symbol]
      count += 1
    }
    return count > 0 && total <= (meanLoss + 32) * count
  }

  /// Bits more than plain that the values in `bytes` take.
  package func loss(of bytes: [UInt8], at offset: UInt64) -> Int64 {
    var total: Int64 = 0
    reading.eachSymbol(in: bytes, at: offset) { _, symbol in total += losses[symbol] }
    return total / 64
  }

  /// Where in `bytes` values end that begin with them: the place up to which most is saved. With `next`, where others of the
  /// same reading go on.
  package func end(in bytes: [UInt8], at offset: UInt64, before next: FloatWindow? = nil) -> Int {
    var (total, least, end): (Int64, Int64, Int) = (0, 0, Int(reading.first(from: offset) - offset))
    reading.eachSymbol(in: bytes, at: offset) { place, symbol in
      total += losses[symbol] - (next?.losses[symbol] ?? 0)
      if total < least { (least, end) = (total, place + reading.elementType.width) }
    }
    return end
  }

  /// Where in `bytes` values begin that end with them: the place from which most is saved.
  package func start(in bytes: [UInt8], at offset: UInt64) -> Int {
    var (total, most, start): (Int64, Int64, Int) = (0, 0, Int(reading.first(from: offset) - offset))
    reading.eachSymbol(in: bytes, at: offset) { place, symbol in
      total += losses[symbol]
      if total > most { (most, start) = (total, place + reading.elementType.width) }
    }
    return start
  }
}
