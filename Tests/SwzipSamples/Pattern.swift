package import SwzipCore

/// Kinds of content that codecs treat differently.
package enum Pattern: String, CaseIterable, Sendable {
  case random
  /// Like trained weights: normal, of small deviation.
  case weights
  case equal
  case twoSymbols
  /// Every exponent of the type, evenly.
  case exponents
  /// NaNs with payloads, infinities, -0, denormals and zeros among weights.
  case specials
  /// Weights, and now and then a value far outside the window of symbols.
  case outliers
  /// Weights, half of them exactly zero.
  case zeros
  /// Weights in rows of 64, of which some are much smaller than others.
  case rows
  /// Weights, two of each four exactly zero.
  case twoOfFour
  /// Sixteen distinct values, some much more often than others.
  case fewValues

  /// `count` values of `type`, little-endian unless the type says otherwise.
  package func bytes(_ type: ElementType, _ count: Int, seed: UInt64 = 1) -> [UInt8] {
    let width = type.width
    // A block of a block type is as many small integers as it has bytes.
    guard !type.isBlock else { return bytes(.i8, width * count, seed: seed) }
    if type.isSwapped {
      let values = bytes(type.native, count, seed: seed)
      let unit = type == .c64BE ? 4 : width
      return values.indices.map { values[$0 / unit * unit + unit - 1 - $0 % unit] }
    }
    var random = Random(seed &* 31 &+ UInt64(count))
    guard self != .random else { return random.bytes(width * count) }
    let shape = FloatShape(type)
    let first = random.next()
    let second = random.next()
    var zeros: UInt64 = 0
    let few: [UInt64] = self == .fewValues ? (0..<16).map { _ in random.next() } : []
    var bytes: [UInt8] = []
    bytes.reserveCapacity(width * count + 8)
    for index in 0..<count {
      let bits: UInt64 =
        switch self {
        case .random: 0
        case .weights: shape.bits(random.normal() * 0.02)
        case .equal: first
        case .twoSymbols: random.next() & 3 == 0 ? first : second
        case .exponents: shape.bits(exponent: UInt64(index), fill: random.next())
        case .specials: random.next() & 3 != 0 ? shape.bits(random.normal() * 0.02) : shape.special(&random)
        case .outliers:
          random.next() & 127 != 0
            ? shape.bits(random.normal() * 0.02) : shape.bits(exponent: random.next(), fill: random.next())
        case .rows: shape.bits(random.normal() * [0.02, 0.013, 0.009, 0.028][index / 64 * 7 & 3])
        case .twoOfFour: shape.bitsOrZero(index, &zeros, &random)
        case .fewValues: few[random.below(1 + random.below(16))]
        case .zeros: random.next() & 1 == 0 ? 0 : shape.bits(random.normal() * 0.02)
        }
      unsafe withUnsafeBytes(of: bits.littleEndian) { unsafe bytes.append(contentsOf: $0[..<width]) }
    }
    return bytes
  }
}

/// Sign, exponent and mantissa of a type; types that are no floats are scaled integers.
package struct FloatShape {
  package let exponentBits: UInt64
  package let mantissaBits: UInt64

  package init(_ type: ElementType) {
    (exponentBits, mantissaBits) =
      switch type {
      case .bf16: (8, 7)
      case .f16: (5, 10)
      case .f32, .c64: (8, 23)
      case .f64: (11, 52)
      case .f8e4m3, .f8e4m3fnuz: (4, 3)
      case .f8e5m2, .f8e5m2fnuz: (5, 2)
      default: (0, UInt64(8 * type.width - 1))
      }
  }

  private var signBit: UInt64 { 1 << (exponentBits + mantissaBits) }

  /// The value, cut off; below the least normal one it is zero.
  package func bits(_ value: Float) -> UInt64 {
    guard exponentBits > 0 else { return UInt64(bitPattern: Int64(value * 1000)) & (signBit << 1 &- 1) }
    let bias: Int64 = 1 << (exponentBits - 1) - 1
    let exponent = Int64(value.exponentBitPattern) - 127 + bias
    let sign = value.sign == .minus ? signBit : 0
    guard exponent > 0, exponent < 1 << exponentBits else { return sign }
    let mantissa = UInt64(value.significandBitPattern)
    let cut = mantissaBits <= 23 ? mantissa >> (23 - mantissaBits) : mantissa << (mantissaBits - 23)
    return sign | UInt64(exponent) << mantissaBits | cut
  }

  /// A value with the low bits of `exponent`; sign and mantissa are bits of `fill`.
  package func bits(exponent: UInt64, fill: UInt64) -> UInt64 {
    guard exponentBits > 0 else {
      return (exponent & 0xFF) << (mantissaBits - 7) | fill & (1 << (mantissaBits - 7) - 1)
    }
    let sign = fill >> 63 == 0 ? 0 : signBit
    return sign | (exponent & (1 << exponentBits - 1)) << mantissaBits | fill & (1 << mantissaBits - 1)
  }

  /// A weight, or one of the two zeros of its four; `zeros` has a bit for each place that is zero.
  fileprivate func bitsOrZero(_ index: Int, _ zeros: inout UInt64, _ random: inout Random) -> UInt64 {
    if index & 3 == 0 { zeros = [3, 5, 6, 9, 10, 12][random.below(6)] }
    return zeros >> UInt64(index & 3) & 1 == 1 ? 0 : bits(random.normal() * 0.02 + 0.0001)
  }

  package func special(_ random: inout Random) -> UInt64 {
    let fill = random.next()
    let all: UInt64 = 1 << exponentBits - 1
    switch random.below(6) {
    case 0: return 0
    case 1: return signBit
    case 2: return bits(exponent: all, fill: fill)
    case 3: return bits(exponent: all, fill: fill & 1 << 63)
    case 4: return bits(exponent: 0, fill: fill)
    default: return bits(exponent: all, fill: 1 | fill & 1 << 63)
    }
  }
}
