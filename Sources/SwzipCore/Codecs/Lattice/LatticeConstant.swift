internal import CSwzipKernels

/// Rows of integers up to 127 times a scale and a 127th (spec/codecs/lattice.md, model 2), as bitsandbytes makes 8-bit weights F32:
/// a row's scale is its largest value, which was one of F16.
enum LatticeConstant {
  private static let most = 127
  static let constant = 1 / Float(most)
  static let kind = LatticeBook.Kind.integers(first: -127, count: 256, hasMinusZero: true)
  private static let sampledRows = 4
  private static let leastRow = 16

  /// The rows' scales; nil for other values. Cost: a few rows of others.
  static func scales(_ view: LatticeView) -> [Float]? {
    guard view.type.rawValue == SWZIP_LATTICE_F32.rawValue, view.wholeRows == view.rows, view.rows > 1,
      view.rowLength >= leastRow
    else { return nil }
    let samples = min(sampledRows, view.rows)
    for sample in 0..<samples {
      guard isOne(view, view.rows / samples * sample) else { return nil }
    }
    return (0..<view.rows).map { LatticeNumbers.half(largest(view, $0)) }
  }

  private static func value(_ view: LatticeView, _ row: Int, _ column: Int) -> Float {
    unsafe Float(bitPattern: UInt32(littleEndian: view.at(row, column).loadUnaligned(as: UInt32.self)))
  }

  private static func largest(_ view: LatticeView, _ row: Int) -> Float {
    (0..<view.rowLength).reduce(0) { max($0, value(view, row, $1).magnitude) }
  }

  /// Whether a row's values are integers times its largest one.
  private static func isOne(_ view: LatticeView, _ row: Int) -> Bool {
    let largest = largest(view, row)
    guard largest > 0, largest.isFinite else { return false }
    let scale = LatticeNumbers.half(largest)
    // Two roundings off at most.
    guard abs(scale - largest) <= largest * 0x1p-22 else { return false }
    return (0..<min(view.rowLength, 64)).allSatisfy { column in
      let code = value(view, row, column) / scale * Float(most)
      return abs(code - code.rounded()) <= 0x1p-12 * Float(most)
    }
  }
}
