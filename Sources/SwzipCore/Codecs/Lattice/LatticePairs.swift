internal import CSwzipKernels

/// Scales and offsets of runs of values (spec/codecs/lattice.md, model 1), free or as ggml's super-blocks have them.
struct LatticePairs {
  static let mostRun = 128
  /// The largest code, and with it the largest integer of a super-block.
  private static let mostCode: UInt32 = 31
  private static let superValues = 256
  private static let leastCode: UInt32 = 3

  private let view: LatticeView
  private let run: Int

  /// `view`: one row of all values; runs of `run` of them.
  init(_ view: LatticeView, run: Int) { (self.view, self.run) = (view, run) }

  static func fits(_ view: LatticeView, _ part: Range<Int>) -> Bool {
    var pair = swzip_lattice_pair()
    return unsafe swzip_lattice_fit_pair(view.type, view.at(0, part.lowerBound), UInt32(part.count), mostCode, &pair)
  }

  struct Numbers {
    let scales, offsets: LatticeNumbers
    /// The largest code.
    let most: UInt32
  }

  /// As super-blocks, or else free; nil where many runs have none.
  func numbers(rowLength: Int, effort: Effort, scratch: EncodeScratch) throws(SwzipError) -> Numbers? {
    // The largest code of a few runs says how many bits codes have: 2 to 5.
    var most = Self.leastCode
    var pair = swzip_lattice_pair()
    for index in 0..<64 {
      let start = view.count / run * index / 64 * run
      guard
        unsafe swzip_lattice_fit_pair(view.type, view.at(0, start), UInt32(run), Self.mostCode, &pair)
      else { continue }
      let largest = unsafe withUnsafeBytes(of: &pair.code) { unsafe $0.prefix(run).max() ?? 0 }
      while most < largest { most = 2 * most + 1 }
    }
    if let numbers = try superBlocks(most: most, effort: effort, scratch: scratch) { return numbers }
    return try free(most: most, rowLength: rowLength, effort: effort, scratch: scratch)
  }

  // MARK: super-blocks

  /// Of 256 values; scales and offsets are integers of six bits, of runs of 16 of four.
  private func superBlocks(most: UInt32, effort: Effort, scratch: EncodeScratch) throws(SwzipError) -> Numbers? {
    let groups = Self.superValues / run
    let blocks = view.count / Self.superValues
    guard run <= 32, view.count % Self.superValues == 0, blocks > 0 else { return nil }
    let mostScale: UInt32 = run == 16 ? 15 : 63
    var (scales, offsets) = ([Int](), [Int]())
    var (factors, offsetFactors) = ([Float](), [Float]())
    var (mine, others) = ([UInt8](repeating: 0, count: groups), [UInt8](repeating: 0, count: groups))
    var (factor, offsetFactor): (Float, Float) = (0, 0)
    var failures = 0
    for block in 0..<blocks {
      let fits = unsafe swzip_lattice_fit_super(
        view.type, view.at(0, block * Self.superValues), UInt32(groups), UInt32(run), most, mostScale, &mine, &others,
        &factor, &offsetFactor)
      // One that fails has what is near, or the numbers before it.
      if !fits { failures += 1 }
      guard failures * 32 <= block + 256 else { return nil }
      scales += mine.map(Int.init)
      offsets += others.map(Int.init)
      factors.append(factor)
      offsetFactors.append(offsetFactor)
    }
    func products(_ integers: [Int], _ factors: [Float]) throws(SwzipError) -> LatticeNumbers {
      try LatticeNumbers.products(
        integers, groups: groups, factors: factors, as: .f16, effort: effort, scratch: scratch)
    }
    return Numbers(
      scales: try products(scales, factors), offsets: try products(offsets, offsetFactors), most: most)
  }

  // MARK: free

  private func free(
    most: UInt32, rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) -> Numbers? {
    var (scales, offsets) = ([Float](), [Float]())
    var pair = swzip_lattice_pair()
    var failures = 0
    for start in stride(from: 0, to: view.count, by: run) {
      let count = UInt32(min(run, view.count - start))
      var (scale, offset) = (scales.last ?? 1, offsets.last ?? 0)
      let fits =
        unsafe swzip_lattice_fit_pair(view.type, view.at(0, start), count, most, &pair)
        && swzip_lattice_pair_numbers(view.type, view.at(0, start), count, &pair, &scale, &offset)
      if !fits { failures += 1 }
      guard failures * 32 <= scales.count + 512 else { return nil }
      scales.append(scale)
      offsets.append(offset)
    }
    func plain(_ values: [Float]) throws(SwzipError) -> LatticeNumbers {
      let type = LatticeScales.type(of: values, mostOutside: 0)!
      return try LatticeNumbers.plain(values, as: type, rowLength: rowLength / run, effort: effort, scratch: scratch)
    }
    return Numbers(scales: try plain(scales), offsets: try plain(offsets), most: most)
  }
}
