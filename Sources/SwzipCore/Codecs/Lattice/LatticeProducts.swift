internal import CSwzipKernels

extension LatticeScales {
  private static let superGroups = 16
  /// The largest integer in size.
  private static let most: UInt32 = 128

  /// Scales as integers times a number of F16 for each 16 groups, as ggml's super-blocks have them; nil where they are not.
  func products(effort: Effort, scratch: EncodeScratch) throws(SwzipError) -> LatticeNumbers? {
    let count = low.count
    guard count % Self.superGroups == 0, count >= Self.superGroups else { return nil }
    let search = LatticeSearch.integers
    var (integers, factors) = ([Int](), [Float]())
    var (hint, failures): (UInt32, Int) = (0, 0)
    for start in stride(from: 0, to: count, by: Self.superGroups) {
      let part = start..<(start + Self.superGroups)
      var fit = swzip_lattice_fit()
      let fits = unsafe swzip_lattice_fit_numbers(
        search.search, search.tops, Array(low[part]), Array(high[part]), Array(isNegative[part]),
        UInt32(Self.superGroups), hint, &fit)
      var factor = factors.last ?? 1
      if fits {
        hint = fit.top
        if fit.high.isFinite {
          let size = Self.halfBetween(fit.low, fit.high)
          factor = fit.negative ? -size : size
        }
      } else {
        failures += 1
        // What is nearest: the largest scale is the largest integer.
        let largest = part.filter { high[$0].isFinite }.max { high[$0] < high[$1] }
        if let largest { factor = LatticeNumbers.half(Float((low[largest] + high[largest]) / 2 / Double(Self.most - 1))) }
      }
      guard failures * 32 <= factors.count + 32 else { return nil }
      factors.append(factor)
      for index in part {
        guard high[index].isFinite, factor != 0 else {
          integers.append(0)
          continue
        }
        let middle = Float((low[index] + high[index]) / 2)
        let code = ((isNegative[index] ? -middle : middle) / factor).rounded()
        integers.append(Int(max(-128, min(127, code))))
      }
    }
    return try LatticeNumbers.products(
      integers, groups: Self.superGroups, factors: factors, as: .f16, effort: effort, scratch: scratch)
  }

  /// A number of F16 between two bounds, or the nearest one.
  private static func halfBetween(_ low: Double, _ high: Double) -> Float {
    let simple = Float(simplest(low, high))
    let half = LatticeNumbers.half(simple)
    return half == simple ? half : LatticeNumbers.half(Float((low + high) / 2))
  }
}
