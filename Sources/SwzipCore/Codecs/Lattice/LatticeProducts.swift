internal import CSwzipKernels

extension LatticeScales {
  private static let superGroups = 16

  /// Scales as integers times a number of F16 for each 16 groups, as ggml's super-blocks have them; nil where they are not.
  /// `view`: the groups are runs of it.
  func products(_ view: LatticeView, run: Int, effort: Effort, scratch: EncodeScratch) throws(SwzipError)
    -> LatticeNumbers?
  {
    let groups = Self.superGroups
    guard low.count % groups == 0, low.count * run == view.count else { return nil }
    var (integers, factors) = ([Int](), [Float]())
    var mine = [Int8](repeating: 0, count: groups)
    var (factor, failures): (Float, Int) = (0, 0)
    for start in stride(from: 0, to: low.count, by: groups) {
      let fits = unsafe low.withUnsafeBufferPointer { low in
        unsafe high.withUnsafeBufferPointer { high in
          unsafe isNegative.withUnsafeBufferPointer { isNegative in
            unsafe swzip_lattice_fit_products(
              view.type, view.values.baseAddress! + start * run * view.width, UInt32(groups), UInt32(run),
              low.baseAddress! + start, high.baseAddress! + start, isNegative.baseAddress! + start, &mine, &factor)
          }
        }
      }
      // One that fails has what is near.
      if !fits { failures += 1 }
      guard failures * 16 <= factors.count + 128 else { return nil }
      integers += mine.map(Int.init)
      factors.append(factor)
    }
    return try LatticeNumbers.products(
      integers, groups: groups, factors: factors, as: .f16, effort: effort, scratch: scratch)
  }
}
