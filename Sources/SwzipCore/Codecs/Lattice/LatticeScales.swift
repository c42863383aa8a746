internal import CSwzipKernels

/// The scales of the groups of a segment as they are found: each between two bounds.
struct LatticeScales {
  private(set) var low: [Double] = []
  private(set) var high: [Double] = []
  private(set) var isNegative: [Bool] = []
  /// Groups that have none.
  private(set) var failures = 0

  /// Fits all groups of a grid; nil where many have no scale. Cost: several passes over the values.
  init?(_ view: LatticeView, _ found: LatticeFinder.Found, _ search: LatticeSearch) {
    var hint: UInt32 = 0
    let count = found.columns.count * found.bands.count
    low.reserveCapacity(count)
    high.reserveCapacity(count)
    isNegative.reserveCapacity(count)
    var row = 0
    for bandEnd in found.bands {
      var column = 0
      for columnEnd in found.columns {
        if let fit = view.fit(search, row..<bandEnd, column..<columnEnd, exactly: false, hint: hint) {
          low.append(fit.low)
          high.append(fit.high)
          isNegative.append(fit.negative)
          if fit.high.isFinite { hint = fit.top }
        } else {
          low.append(0)
          high.append(.infinity)
          isNegative.append(false)
          failures += 1
          guard failures * 32 <= low.count + 512 else { return nil }
        }
        column = columnEnd
      }
      row = bandEnd
    }
    guard failures * 32 <= count else { return nil }
  }

  /// Numbers within the bounds, and a type that holds them: few that serve many groups, or of each the simplest. Those of a few
  /// groups may lie outside: their values are patched.
  func numbers() -> (values: [Float], type: ElementType) {
    if let few = fewest() { return (few, Self.type(of: few, mostOutside: 0)!) }
    let simplest = low.indices.map { index -> Double? in
      high[index].isFinite ? Self.simplest(low[index], high[index]) : nil
    }
    let values = filled(simplest)
    let type = Self.type(of: values, mostOutside: values.count / 1000)!
    return (values.map { Self.rounded($0, to: type) }, type)
  }

  static func simplest(_ low: Double, _ high: Double) -> Double {
    var bits: UInt32 = 0
    return unsafe swzip_lattice_simplest(low, high, &bits)
  }

  /// Groups without bounds have the scale before them.
  private func filled(_ sizes: [Double?]) -> [Float] {
    var last = Float(sizes.lazy.compactMap { $0 }.first ?? 1)
    return sizes.indices.map { index in
      if let size = sizes[index] { last = Float(size) }
      return isNegative[index] ? -last : last
    }
  }

  /// The fewest numbers of which one lies within the bounds of each group; nil if these are more than a palette has, or no fewer
  /// than a sixteenth of the groups.
  private func fewest() -> [Float]? {
    // A part tells as a rule.
    guard low.count < 4 * Self.sampled || fewest(of: stride(from: 0, to: low.count, by: low.count / Self.sampled)) != nil
    else { return nil }
    return fewest(of: low.indices).map(filled)
  }

  private static let sampled = 2048

  private func fewest(of groups: some Sequence<Int>) -> [Double?]? {
    let order = groups.filter { high[$0].isFinite }.sorted { high[$0] < high[$1] }
    var chosen = [Double?](repeating: nil, count: low.count)
    var points = 0
    var start = 0
    while start < order.count {
      var end = start
      let top = high[order[start]]
      var bottom = low[order[start]]
      // All that hold the least upper bound.
      while end < order.count, low[order[end]] <= top {
        bottom = max(bottom, low[order[end]])
        end += 1
      }
      points += 1
      guard points <= Palette.mostValues, 16 * points <= low.count else { return nil }
      let point = Self.simplest(bottom, top)
      for index in start..<end { chosen[order[index]] = point }
      start = end
    }
    return chosen
  }

  // MARK: types

  private static let types: [ElementType] = [.f8e8m0, .bf16, .f16, .f32]

  /// The narrowest type that holds all but so many.
  static func type(of values: [Float], mostOutside: Int) -> ElementType? {
    types.first { type in
      var outside = 0
      let most = type == .f8e8m0 ? 0 : mostOutside
      return values.allSatisfy { value in
        if rounded(value, to: type) != value { outside += 1 }
        return outside <= most
      }
    }
  }

  static func rounded(_ value: Float, to type: ElementType) -> Float {
    switch type {
    case .f8e8m0: value > 0 && value.significandBitPattern == 0 && value.isNormal ? value : .nan
    case .bf16: Float(bitPattern: (value.bitPattern + 0x7FFF + (value.bitPattern >> 16 & 1)) & 0xFFFF_0000)
    case .f16: LatticeNumbers.half(value)
    default: value
    }
  }
}
