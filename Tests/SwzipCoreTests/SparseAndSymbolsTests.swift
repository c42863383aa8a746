import SwzipCore
import SwzipSamples
import Testing

/// Blocks whose values are often zero, few, or scaled by row and column: whatever the shape, they come back bit by bit.
struct SparseAndSymbolsTests {
  static let levels = [1, 3, 5, 7]
  static let floats: [ElementType] = [.bf16, .f16, .f32, .f8e4m3, .f8e5m2]

  /// Which values of a matrix are zero.
  enum Zeros: CaseIterable {
    case dense, half, twoOfFour, rows, columns, firstHalf, allButOne, allButLast, sparse

    func isZero(_ index: Int, of count: Int, rowLength: Int, _ random: inout Random) -> Bool {
      switch self {
      case .dense: false
      case .half: random.next() & 1 == 0
      case .twoOfFour: (index & 3) / 2 == (index / 4 & 1)
      case .rows: index / rowLength % 3 != 1
      case .columns: index % rowLength % 2 == 0
      case .firstHalf: index < count / 2
      case .allButOne: index != count / 3
      case .allButLast: index != count - 1
      case .sparse: random.below(200) != 0
      }
    }
  }

  /// Weights scaled by row and by column, with zeros.
  static func matrix(_ type: ElementType, count: Int, rowLength: Int, _ zeros: Zeros, seed: Int) -> [UInt8] {
    var random = Random(UInt64(seed))
    let shape = FloatShape(type)
    let scales: [Float] = (0..<16).map { _ in [1, 0.02, 0.3, 0.004][random.below(4)] }
    var bytes: [UInt8] = []
    for index in 0..<count {
      let (row, column) = (index / rowLength, index % rowLength)
      let value = random.normal() * scales[row * 7 & 15] * scales[column * 5 & 15]
      let bits = zeros.isZero(index, of: count, rowLength: rowLength, &random) ? 0 : shape.bits(value)
      unsafe withUnsafeBytes(of: bits.littleEndian) { unsafe bytes.append(contentsOf: $0[..<type.width]) }
    }
    return bytes
  }

  @Test(arguments: floats, levels) func zeros(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    var random = Random(UInt64(level))
    for zeros in Zeros.allCases {
      for count in [1, 2, 31, 33, 64, 255, 257, 1000, 2049] {
        let rowLength = [1, 7, 32, 33, 64, 100, 2048][random.below(7)]
        let values = Self.matrix(type, count: count, rowLength: rowLength, zeros, seed: count)
        tester.roundTrip(
          values, type, level: level, rowLength: rowLength, "\(count) values, rows of \(rowLength), \(zeros)")
      }
    }
    if level > 1 || type != .bf16 { #expect(tester.modes[BlockMode.sparse.rawValue] != nil) }
    if level == 7 { #expect(tester.modes[BlockMode.rans.rawValue] != nil) }
  }

  /// Whole and broken rows, shorter than a vector and longer than a block.
  @Test(arguments: floats, [3, 5, 7]) func shapes(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    for (rowLength, rows) in [
      (1, 300), (3, 400), (31, 40), (32, 40), (33, 40), (64, 7), (96, 8), (500, 9), (2048, 9), (9217, 2),
    ] {
      for (zeros, missing) in [(Zeros.dense, 0), (.rows, 0), (.half, 0), (.twoOfFour, 1), (.dense, 1)] {
        let count = rows * rowLength - missing
        let values = Self.matrix(type, count: count, rowLength: rowLength, zeros, seed: rows)
        tester.roundTrip(
          values, type, level: level, rowLength: rowLength, "\(count) values, rows of \(rowLength), \(zeros)")
      }
    }
  }

  @Test(arguments: [(ElementType.bf16, 7), (.bf16, 5), (.f8e4m3, 7), (.f32, 7)]) func severalBlocks(
    type: ElementType, level: Int
  ) throws {
    let tester = try BlockTester()
    for (count, rowLength, zeros) in [
      (150_001, 150_001, Zeros.dense), (147_457, 160, .half), (150_000, 75_000, .twoOfFour), (148_000, 1000, .dense),
    ] {
      let values = Self.matrix(type, count: count, rowLength: rowLength, zeros, seed: count)
      tester.roundTrip(
        values, type, level: level, rowLength: rowLength, "\(count) values, rows of \(rowLength), \(zeros)")
    }
  }

  // MARK: few values

  /// `distinct` values of any bits, the first ones more often.
  static func few(_ type: ElementType, count: Int, distinct: Int) -> [UInt8] {
    var random = Random(UInt64(distinct))
    let palette = (0..<distinct).map { _ in random.next() }
    var bytes: [UInt8] = []
    for index in 0..<count {
      let bits = palette[index < distinct ? index : random.below(1 + random.below(distinct))]
      unsafe withUnsafeBytes(of: bits.littleEndian) { unsafe bytes.append(contentsOf: $0[..<type.width]) }
    }
    return bytes
  }

  @Test(arguments: [ElementType.bf16, .f32, .f64, .f8e5m2, .i8, .u8, .bool, .i16, .i64, .f4], levels)
  func fewValues(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    var random = Random(UInt64(level))
    for distinct in [1, 2, 3, 4, 5, 6, 7, 15, 16, 17, 100, 255, 256, 257] {
      for count in [16 * distinct - 1, 16 * distinct, 16 * distinct + 1, 17 * distinct + 33, 3000 + random.below(50)] {
        let rowLength = [0, 1, 5, 32, 60, 100, 333][random.below(7)]
        tester.roundTrip(
          Self.few(type, count: count, distinct: distinct), type, level: level, rowLength: rowLength,
          "\(distinct) of \(count) values, rows of \(rowLength)")
      }
    }
    #expect(tester.modes[(level < 7 ? BlockMode.nodes : .rans).rawValue] != nil)
  }

  @Test(arguments: [3, 7]) func fewValuesInSeveralBlocks(level: Int) throws {
    let tester = try BlockTester()
    for (type, distinct, rowLength) in [(ElementType.i8, 3, 770), (.bf16, 16, 0), (.f32, 200, 1000), (.u8, 256, 33)] {
      let values = Self.few(type, count: 150_003, distinct: distinct)
      tester.roundTrip(values, type, level: level, rowLength: rowLength, "\(type), \(distinct) values")
    }
  }

  // MARK: what the tests meet

  /// Inner modes of sparse blocks, classes of rows and columns, blocks that leave zeros out.
  @Test func everyWayIsMet() throws {
    let tester = try BlockTester()
    var met: Set<String> = []
    for (level, zeros) in [(3, .twoOfFour), (7, .twoOfFour), (7, .half), (7, .dense), (3, nil)] as [(Int, Zeros?)] {
      var values: [UInt8]
      if let zeros {
        values = Self.matrix(.bf16, count: 64 * 96, rowLength: 96, zeros, seed: 3)
      } else {  // of any bits, and zero
        values = Random.made(128 * 96)
        for index in 0..<(48 * 96) { values[index] = 0 }
      }
      let encoded = try tester.encode(values, .bf16, level: level, rowLength: 96)
      if let rans = try encoded.readHeader().coding.fields.coder.rans, rans.rowBits > 0, !rans.columns.isEmpty {
        met.insert("classes")
      }
      let frame = encoded.frames[0]
      if frame[24] == BlockMode.rans.rawValue, frame[25] & 8 != 0 { met.insert("zeros left out") }
      if frame[24] == BlockMode.sparse.rawValue {
        let mask = Int(frame[36]) | Int(frame[37]) << 8
        met.insert("sparse \(frame[(48 + mask + 15) & ~15 + 24])")
      }
    }
    #expect(met == ["classes", "zeros left out", "sparse 0", "sparse 8", "sparse 12"])
  }
}
