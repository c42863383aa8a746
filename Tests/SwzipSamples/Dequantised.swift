internal import CSwzipKernels
package import SwzipCore

/// Values that were stored in fewer bits before: codes times the scales of groups, rounded (spec/codecs/lattice.md).
package enum Dequantised: CaseIterable, Sendable {
  /// By groups of a row, by rows, by blocks of 64 x 64, by groups of columns, and by runs that know nothing of rows.
  case int4, int8Rows, e4m3Blocks, e5m2Rows, e2m1, nf4, iq4NL, int4Columns, int4Runs
  /// Codes of both zeros; three codes, mostly 0.
  case minusZero, ternary
  /// As ggml has them: scales below zero; products; offsets, free and as products.
  case q4, q6K, q4Offset, q4K

  /// `rows` × `columns` values of BF16, F16 or F32.
  package func bytes(_ type: ElementType, rows: Int, columns: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = Random(seed)
    let codes = codes
    var (scales, offsets): ([Int: Float], [Int: Float]) = ([:], [:])
    var values: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns {
        let group = group(row, column, columns)
        if scales[group] == nil { (scales[group], offsets[group]) = numbers(&random, group, &scales) }
        let code = codes[usual(codes.count, &random)]
        values.append(offsets[group]! == 0 ? code * scales[group]! : code * scales[group]! - offsets[group]!)
      }
    }
    return Self.rounded(values, to: type)
  }

  /// In the order of the bits of `type`.
  package static func rounded(_ values: [Float], to type: ElementType) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: values.count * type.width)
    switch type {
    case .bf16: unsafe swzip_cast(SWZIP_CAST_F32_TO_BF16, values, UInt32(values.count), nil, nil, &bytes)
    case .f16: unsafe swzip_cast(SWZIP_CAST_F32_TO_F16, values, UInt32(values.count), nil, nil, &bytes)
    default:
      bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    }
    return bytes
  }

  private func group(_ row: Int, _ column: Int, _ columns: Int) -> Int {
    switch self {
    case .int4, .nf4, .minusZero: row << 16 | column / 64
    case .int8Rows, .e5m2Rows: row << 16
    case .e4m3Blocks: row / 64 << 16 | column / 64
    case .int4Columns: row / 32 << 16 | column
    case .int4Runs: (row * columns + column) / 64
    case .e2m1, .q6K: row << 16 | column / 16
    case .iq4NL, .q4, .q4Offset, .q4K: row << 16 | column / 32
    case .ternary: row << 16 | column / 128
    }
  }

  /// The codes, those in the middle the likeliest.
  private var codes: [Float] {
    func integers(_ range: ClosedRange<Int>) -> [Float] { range.map { Float($0) } }
    func book(_ kind: swzip_lattice_book_kind) -> [Float] {
      var book = swzip_lattice_book()
      unsafe swzip_lattice_book_make(kind, &book)
      let codes = unsafe withUnsafeBytes(of: &book.code) { room in
        (0..<Int(book.count)).map { unsafe room.load(fromByteOffset: 4 * $0, as: Float.self) }
      }
      return Set(codes).sorted()
    }
    switch self {
    case .int4, .int4Columns, .int4Runs, .q4: return integers(-8...7)
    case .int8Rows: return integers(-127...127)
    case .e4m3Blocks: return book(SWZIP_BOOK_E4M3)
    case .e5m2Rows: return book(SWZIP_BOOK_E5M2)
    case .e2m1: return book(SWZIP_BOOK_E2M1)
    case .nf4: return book(SWZIP_BOOK_NF4)
    case .iq4NL: return book(SWZIP_BOOK_IQ4_NL)
    case .minusZero: return integers(-7...(-1)) + [-Float(0)] + integers(0...7)
    case .ternary: return [-1, 0, 0, 0, 0, 0, 1]
    case .q6K: return integers(-32...31)
    case .q4Offset, .q4K: return integers(0...15)
    }
  }

  /// Near the middle as a rule; the ends occur too.
  private func usual(_ count: Int, _ random: inout Random) -> Int {
    if random.below(24) == 0 { return random.below(2) == 0 ? 0 : count - 1 }
    return (random.below(count) + random.below(count) + random.below(count)) / 3
  }

  /// Scale and offset of a group.
  private func numbers(_ random: inout Random, _ group: Int, _ scales: inout [Int: Float]) -> (Float, Float) {
    func half(_ most: Int) -> Float {
      let value = Float(512 + random.below(most)) / 65536
      var (narrow, wide, source): (UInt16, Float, Float) = (0, 0, value)
      unsafe swzip_cast(SWZIP_CAST_F32_TO_F16, &source, 1, nil, nil, &narrow)
      unsafe swzip_cast(SWZIP_CAST_F16_TO_F32, &narrow, 1, nil, nil, &wide)
      return wide
    }
    switch self {
    case .q4, .iq4NL: return (random.below(2) == 0 ? half(1000) : -half(1000), 0)
    case .q6K: return (Float(1 + group >> 4 & 15) / 65536 * Float(random.below(100) - 128), 0)
    case .q4Offset: return (half(300), half(900))
    case .q4K: return (Float(3 + group >> 16 & 7) / 4096 * Float(1 + random.below(63)), Float(random.below(64)) / 2048)
    default: return (half(1000), 0)
    }
  }
}
