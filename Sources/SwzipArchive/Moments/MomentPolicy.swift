/// How far the moments of an optimizer may be from what was added (spec/ARCHIVE.md, section 2).
package enum MomentPolicy: String, CaseIterable, Sendable {
  case exact
  /// Each moment, relative to itself.
  case relative = "relative:2^-8"
  /// The update that both make, in units of the learning rate.
  case update = "update:1/64"

  /// A first moment, and the second moment in the same place, as the bits of F32 values.
  package struct Pair: Equatable, Sendable {
    package var first: UInt32
    package var second: UInt32

    package init(first: UInt32, second: UInt32) { (self.first, self.second) = (first, second) }

    fileprivate var values: (first: Double, second: Double) {
      (Double(Float(bitPattern: first)), Double(Float(bitPattern: second)))
    }

    /// Finite, and the second not negative: all else is not known to be what it seems.
    var isOfMoments: Bool {
      first & 0x7F80_0000 != 0x7F80_0000 && (second < 0x7F80_0000 || second == 0x8000_0000)
    }
  }

  /// What is kept of a pair; the same for what it has made before. Operations of IEEE 754 that are rounded once each, so that every
  /// processor makes the same.
  package func kept(_ pair: Pair) -> Pair {
    let proposed =
      switch self {
      case .exact: pair
      case .relative:
        Pair(
          first: pair.first.rounded(toMantissaBits: 7) ?? pair.first,
          second: pair.second.rounded(toMantissaBits: 7) ?? pair.second)
      case .update: Self.inSteps(pair) ?? pair
      }
    return allows(proposed, for: pair) ? proposed : pair
  }

  /// Whether the bound holds, whatever made the pair.
  package func allows(_ kept: Pair, for pair: Pair) -> Bool {
    guard kept != pair else { return true }
    guard pair.isOfMoments, kept.isOfMoments else { return false }
    let (before, after) = (pair.values, kept.values)
    func isNear(_ value: Double, _ other: Double, _ bound: Double) -> Bool {
      (other - value).magnitude <= bound * value.magnitude
    }
    switch self {
    case .exact: return false
    case .relative:
      return isNear(before.first, after.first, 0x1p-8) && isNear(before.second, after.second, 0x1p-8)
    case .update:
      let change = after.first / after.second.squareRoot() - before.first / before.second.squareRoot()
      return isNear(before.second, after.second, 0x1p-4) && change.magnitude <= 0x1p-6
    }
  }

  /// The second moment with three bits of mantissa; the first in steps of a power of two, between 1/64 and 1/32 of its root, such that
  /// their update is as near as it can be. Nil where the second is no normal number, or the first is far beyond it.
  private static func inSteps(_ pair: Pair) -> Pair? {
    guard pair.isOfMoments, let second = pair.second.rounded(toMantissaBits: 3) else { return nil }
    let exponent = Int(second >> 23) - 127
    let step = Double(sign: .plus, exponent: exponent >> 1 - 5, significand: 1)
    let (first, old) = pair.values
    let scaled = first * (Double(Float(bitPattern: second)) / old).squareRoot()
    let count = (scaled / step).rounded(.toNearestOrEven)
    guard count.magnitude < 0x1p20 else { return nil }
    // Zero stays what it is; what becomes zero has no sign.
    let kept = first == 0 ? pair.first : count == 0 ? 0 : Float(count * step).bitPattern
    return Pair(first: kept, second: second)
  }
}

extension UInt32 {
  /// The bits of an F32 value rounded to nearest, ties to even; nil for what is no normal number, or would be none.
  fileprivate func rounded(toMantissaBits bits: UInt32) -> UInt32? {
    let shift = 23 - bits
    let exponent = self >> 23 & 0xFF
    guard exponent != 0, exponent != 0xFF else { return nil }
    let rounded = (self + (1 << (shift - 1) - 1) + (self >> shift & 1)) & ~(1 << shift - 1)
    return rounded >> 23 & 0xFF == 0xFF ? nil : rounded
  }
}
