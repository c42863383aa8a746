import SwzipCore
import SwzipSamples
import Testing

/// Values that a codec codes by one of its modes. What is listed here gets the tests of `CodecCaseTests`.
struct CodecCase: CustomTestStringConvertible {
  let codec: CodecID
  let mode: BlockMode
  let type: ElementType
  let level: Int
  let values: [UInt8]
  var rowLength = 0
  var references: [[UInt8]] = []
  var prediction = Prediction.same
  var castFrom: ElementType?
  var replayFrom: ElementType?
  var usesNodes: Bool

  var testDescription: String {
    "\(codec.name), mode \(mode.rawValue), \(type), level \(level), \(usesNodes ? "nodes" : "streams")"
  }

  init(_ codec: CodecID, _ mode: BlockMode, _ type: ElementType, level: Int = 3, rowLength: Int = 0, _ values: [UInt8])
  {
    (self.codec, self.mode, self.type, self.level) = (codec, mode, type, level)
    (self.rowLength, self.values) = (rowLength, values)
    usesNodes = mode != .huffman
  }

  init(
    _ codec: CodecID, _ mode: BlockMode, _ type: ElementType, level: Int = 3, rowLength: Int = 0, _ pattern: Pattern,
    _ count: Int
  ) {
    self.init(codec, mode, type, level: level, rowLength: rowLength, pattern.bytes(type, count))
  }

  /// Values that differ from those predicted.
  init(
    delta type: ElementType, mode: BlockMode = .delta, _ references: [[UInt8]], by prediction: Prediction = .same,
    change: ([UInt8]) -> [UInt8]
  ) {
    let count = references[0].count / (prediction == .same ? type.width : 4)
    let exact = BlockTester.predicted(type, prediction, references, byteCount: count * type.width)
    self.init(.delta, mode, type, change(exact))
    (self.references, self.prediction) = (references, prediction)
  }

  /// Values cast from those of `pattern`.
  init(cast type: ElementType, from source: ElementType, _ values: [UInt8], _ references: [UInt8]) {
    self.init(.cast, .cast, type, values)
    (self.references, castFrom) = ([references], source)
  }

  /// Quants of values of `source`, not quite as they are computed.
  init(replay type: ElementType, from source: ElementType, _ pattern: Pattern, _ count: Int) {
    let values = pattern.bytes(source, count * type.elementsPerValue)
    self.init(.replay, .replay, type, ReplayTests.changed(Quants.made(type, of: values, source), type, .few))
    (references, replayFrom) = ([values], source)
  }

  func encode(by tester: BlockTester) throws -> BlockTester.Encoded {
    try tester.encode(
      values, type, level: level, rowLength: rowLength, references: references, prediction: prediction,
      castFrom: castFrom, replayFrom: replayFrom, usesNodes: usesNodes)
  }

  /// The same with symbols in sub-streams.
  var inStreams: CodecCase {
    var changed = self
    changed.usesNodes = false
    return changed
  }

  static let all: [CodecCase] = {
    let words = Array(repeatElement("a word ".utf8, count: 60).joined())
    func weights(_ type: ElementType, _ count: Int = 900) -> [UInt8] { Pattern.weights.bytes(type, count) }
    func changed(_ type: ElementType, _ change: DeltaTests.Change) -> ([UInt8]) -> [UInt8] {
      { DeltaTests.changed($0, type, change, seed: 4) }
    }
    let matrix = SparseAndSymbolsTests.matrix(.bf16, count: 32 * 60, rowLength: 60, .dense, seed: 4)
    // No zeros, which mode sparse would take.
    var random = Random(3)
    let small = (0..<3000).map { _ in
      UInt8(0x38 - random.below(1 + random.below(1 + random.below(48)))) | UInt8(random.below(2) << 7)
    }
    let zeros = SparseAndSymbolsTests.matrix(.bf16, count: 64 * 96, rowLength: 96, .half, seed: 3)
    func few(_ type: ElementType, _ count: Int, _ distinct: Int) -> [UInt8] {
      SparseAndSymbolsTests.few(type, count: count, distinct: distinct)
    }
    // Some values that are no codes.
    func dequantised(_ kind: Dequantised, _ type: ElementType, columns: Int = 64) -> [UInt8] {
      var values = kind.bytes(type, rows: 4096 / columns, columns: columns)
      for place in [70, 2000, 3000] { values[place * type.width + 1] ^= 0x15 }
      return values
    }
    let upper = weights(.bf16)
    let widened = stride(from: 0, to: upper.count, by: 2).flatMap { [0, 0, upper[$0], upper[$0 + 1]] as [UInt8] }
    let huffman = [BlockMode.huffman, .nodes].flatMap { mode in
      [
        CodecCase(.float, mode, .bf16, level: 2, .outliers, 700), CodecCase(.float, mode, .f16, .outliers, 700),
        CodecCase(.float, mode, .f32, .outliers, 700), CodecCase(.float, mode, .f8e4m3, small),
        CodecCase(.float, mode, .f8e5m2, .outliers, 700), CodecCase(.float, mode, .bf16, level: 5, .outliers, 700),
        CodecCase(.float, mode, .bf16, rowLength: 64, .rows, 64 * 32),
        CodecCase(.float, mode, .f32, level: 2, rowLength: 64, .rows, 64 * 32),
        CodecCase(.symbols, mode, .i16, few(.i16, 1500, 6)), CodecCase(.symbols, mode, .u8, .outliers, 900),
        CodecCase(.lattice, mode, .bf16, rowLength: 64, dequantised(.int4, .bf16)),
        CodecCase(.lattice, mode, .f16, rowLength: 128, Dequantised.e4m3Blocks.bytes(.f16, rows: 32, columns: 128)),
      ]
    }
    let planes = [
      CodecCase(.planes, .planes, .i32, .exponents, 700), CodecCase(.planes, .planes, .f64, .weights, 700),
      CodecCase(.planes, .planes, .q41, .outliers, 700),
    ]
    return huffman + planes + planes.map(\.inStreams) + [
      CodecCase(.bytes, .raw, .bytes, .random, 700), CodecCase(.bytes, .constant, .bytes, .equal, 700),
      CodecCase(.bytes, .zstd, .bytes, words), CodecCase(.bytes, .lz4, .bytes, level: 1, words),
      CodecCase(.float, .fixed4, .bf16, level: 1, .outliers, 700), CodecCase(.float, .sparse, .bf16, .zeros, 900),
      CodecCase(.float, .sparse, .f32, level: 5, .twoOfFour, 600),
      CodecCase(.float, .sparse, .f16, level: 7, rowLength: 60, .twoOfFour, 900),
      CodecCase(.float, .rans, .bf16, level: 7, rowLength: 60, matrix),
      CodecCase(.float, .rans, .bf16, level: 7, rowLength: 96, zeros),
      CodecCase(.float, .rans, .f32, level: 7, .outliers, 900),
      CodecCase(.symbols, .rans, .f64, level: 7, few(.f64, 700, 16)),
      CodecCase(.lattice, .rans, .f32, level: 7, rowLength: 64, dequantised(.nf4, .f32)),
      CodecCase(.lattice, .rans, .bf16, level: 7, rowLength: 64, dequantised(.e5m2Rows, .bf16)),
      CodecCase(.lattice, .nodes, .f16, rowLength: 256, dequantised(.q6K, .f16, columns: 256)),
      CodecCase(.lattice, .nodes, .f32, rowLength: 256, Dequantised.q4K.bytes(.f32, rows: 16, columns: 256)),
      CodecCase(.symbols, .rans, .i8, level: 7, rowLength: 60, .weights, 900),
      CodecCase(delta: .bf16, [weights(.bf16)], change: changed(.bf16, .scaled)),
      CodecCase(delta: .f32, [weights(.f32)], change: changed(.f32, .scaled)),
      CodecCase(delta: .i8, [weights(.i8)], change: changed(.i8, .small)),
      CodecCase(delta: .f64, [weights(.f64)], change: changed(.f64, .scaled)),
      CodecCase(delta: .bf16, [weights(.bf16, 9000)]) { DeltaTests.rarelyChanged($0, seed: 2) },
      CodecCase(delta: .bf16, mode: .copy, [weights(.bf16)]) { $0 },
      CodecCase(
        delta: .f32, (0..<4).map { Pattern.weights.bytes(.f32, 900, seed: UInt64($0)) },
        by: .weight(PredictionTests.decay, PredictionTests.step), change: changed(.f32, .few)),
      CodecCase(cast: .f32, from: .bf16, widened, upper), CodecCase(cast: .bf16, from: .f32, upper, widened),
      CodecCase(replay: .q4K, from: .bf16, .weights, 24), CodecCase(replay: .q50, from: .f16, .weights, 150),
      CodecCase(replay: .q6K, from: .f32, .specials, 24), CodecCase(replay: .iq4NL, from: .bf16, .rows, 150),
    ]
  }()
}
