internal import CSwzipKernels

/// What the bytes of a sample look like: floats of which type and at which phase, if any. Judged by the order-0 entropy of
/// exponents against what zstd makes of the same bytes; integer arithmetic alone, so that every processor says the same.
package struct ElementGuess: Equatable, Sendable {
  package let elementType: ElementType
  /// Bytes before the first value: offsets of values are `phase` modulo the width.
  package let phase: Int

  /// A guess has to save this share of the sample.
  private static let leastGain = 48  // one in 48: about 2 %
  private static let leastBytes = 4096

  /// Nil where nothing pays by a clear margin.
  package init?(_ sample: [UInt8], by compressors: Compressors) {
    guard sample.count >= Self.leastBytes else { return nil }
    var best: (bits: UInt64, type: ElementType, phase: Int)?
    // Each type reads its predecessor's values almost as well as that itself, but not the other way round: a later one has to
    // be better by a 64th.
    for type in [ElementType.f16, .bf16, .f32] {
      for phase in 0..<type.width {
        let bits = Self.bits(of: sample, as: type, phase: phase)
        let margin = best?.type == type ? 0 : bits / 64
        if bits + margin < best?.bits ?? .max { best = (bits, type, phase) }
      }
    }
    guard let best else { return nil }
    var packed = [UInt8](repeating: 0, count: sample.count)
    let plain = unsafe packed.withUnsafeMutableBytes { target in
      unsafe sample.withUnsafeBytes { unsafe compressors.zstd($0, into: target, level: 3) }
    }
    let gain = Int64(8 * (plain ?? sample.count)) - Int64(best.bits)
    guard gain * Int64(Self.leastGain) > Int64(8 * sample.count) else { return nil }
    elementType = best.type
    phase = best.phase
  }

  /// Whether the values of a sample have exponents as those of weights do: few of them are common.
  package static func hasExponents(_ sample: [UInt8], of type: ElementType) -> Bool {
    sample.count >= 2 * type.width && bits(of: sample, as: type, phase: 0) < UInt64(sample.count) * 8 * 15 / 16
  }

  /// Bits that the sample takes if exponents are coded by themselves and, of f32, the two low bytes too.
  private static func bits(of sample: [UInt8], as type: ElementType, phase: Int) -> UInt64 {
    let width = type.width
    let count = (sample.count - phase) / width
    // The upper two bytes hold sign and exponent.
    let (shift, symbols, raw): (UInt16, UInt16, UInt64) = type == .f16 ? (9, 64, 10) : (7, 256, 8)
    var counts = [[UInt32]](repeating: [UInt32](repeating: 0, count: 256), count: width == 4 ? 3 : 1)
    for index in 0..<count {
      let at = phase + index * width + width - 2
      let upper = UInt16(sample[at]) | UInt16(sample[at + 1]) << 8
      counts[0][Int((upper >> shift) & (symbols - 1))] += 1
      if width == 4 {
        counts[1][Int(sample[at - 1])] += 1
        counts[2][Int(sample[at - 2])] += 1
      }
    }
    let outside = UInt64(sample.count - count * width) * 8
    return counts.reduce(UInt64(count) * raw + outside) { unsafe $0 + swzip_histogram_information($1) / 64 }
  }
}
