import CSwzipKernels
import SwzipCore
import SwzipSamples
import Testing

/// Values that are predicted from several others (spec/codecs/delta.md): whatever these are, the values come back.
struct PredictionTests {
  static let decay = Prediction.MomentDecay(beta1: 0.9, beta2: 0.95)
  static let step = Prediction.WeightStep(decay: 0.9999, step: 1e-3, epsilon: 1e-8)

  static let all: [(Prediction, ElementType)] = [
    (.scaled(by: 0.99), .f32), (.secondMoment(decay), .f32), (.weight(decay, step), .f32),
    (.weight(decay, step), .bf16),
    (.scaled(by: .nan), .f32), (.secondMoment(Prediction.MomentDecay(beta1: 1, beta2: .infinity)), .f32),
  ]

  @Test(arguments: all.indices) func roundTrip(index: Int) throws {
    let (prediction, type) = Self.all[index]
    let tester = try BlockTester()
    for pattern in Pattern.allCases {
      for count in [1, 31, 64, 65, 2049, pattern == .weights ? 73_729 : 333] {
        let references = (0..<prediction.referenceCount).map { pattern.bytes(.f32, count, seed: UInt64(3 + $0)) }
        let exact = BlockTester.predicted(type, prediction, references, byteCount: count * type.width)
        for change in [DeltaTests.Change.none, .few, .any] {
          tester.roundTrip(
            DeltaTests.changed(exact, type, change, seed: 5), type, level: 3, rowLength: count > 3000 ? 384 : 0,
            references: references, prediction: prediction, "\(prediction), \(pattern), \(count) values, \(change)")
        }
      }
    }
    #expect(tester.modes[BlockMode.delta.rawValue] != nil && tester.modes[BlockMode.copy.rawValue] != nil)
  }

  /// What is predicted to the last bit costs a few bytes.
  @Test func exactValues() throws {
    let tester = try BlockTester()
    for (prediction, type) in Self.all {
      let references = (0..<prediction.referenceCount).map { Pattern.weights.bytes(.f32, 50_000, seed: UInt64($0)) }
      let exact = BlockTester.predicted(type, prediction, references, byteCount: 50_000 * type.width)
      #expect(try tester.encode(exact, type, level: 3, references: references, prediction: prediction).byteCount < 300)
    }
  }

  /// One changed bit of any reference is noticed, as is a short one.
  @Test func wrongReferences() throws {
    let tester = try BlockTester()
    for (prediction, type) in Self.all.prefix(4) {
      let references = (0..<prediction.referenceCount).map { Pattern.weights.bytes(.f32, 500, seed: UInt64($0)) }
      let exact = BlockTester.predicted(type, prediction, references, byteCount: 500 * type.width)
      let values = DeltaTests.changed(exact, type, .few, seed: 1)
      let encoded = try tester.encode(values, type, level: 3, references: references, prediction: prediction)
      for number in references.indices {
        var other = encoded
        other.references[number][4 * 77 + 3] ^= 0x40
        // A change that the prediction does not feel is none.
        if BlockTester.predicted(type, prediction, other.references, byteCount: exact.count) != exact {
          #expect(throws: SwzipError.self) { try tester.decode(other) }
        }
        other.references[number].removeLast()
        #expect(throws: SwzipError.self) { try tester.decode(other) }
      }
    }
  }

  /// Headers: there and back, types that may not be, predictions that are not known, wrong numbers of references.
  @Test func headers() throws {
    func read(_ header: SegmentHeader, edit: (inout [UInt8]) -> Void = { _ in }) throws(SwzipError) -> SegmentHeader {
      var bytes = header.frame(number: 0).bytes
      edit(&bytes)
      var reader = unsafe ByteReader(bytes.span.bytes, at: 0)
      _ = try reader.array(Frame.headerBytes)
      return try SegmentHeader.read(&reader)
    }
    let tester = try BlockTester()
    for (prediction, type) in Self.all.prefix(4) {
      let references = (0..<prediction.referenceCount).map { Pattern.weights.bytes(.f32, 100, seed: UInt64($0)) }
      let exact = BlockTester.predicted(type, prediction, references, byteCount: 100 * type.width)
      let encoded = try tester.encode(exact, type, level: 3, references: references, prediction: prediction)
      let header = try encoded.readHeader()
      #expect(header.prediction == prediction && header.references.count == prediction.referenceCount)
      #expect(header.referencedByteCount == 400)
      for count in 0...4 where count != prediction.referenceCount {
        var other = header
        other.references = Array(repeating: header.references[0], count: count)
        #expect(throws: SwzipError.self) { try read(other) }
      }
      for other in ElementType.safetensors where DeltaKind(other) != nil && !prediction.predicts(other) {
        var wrong = header
        wrong.elementType = other
        wrong.byteCount = UInt64(other.width * 100)
        wrong.blockValues = 100
        #expect(throws: SwzipError.self) { try read(wrong) }
      }
      var (other, coding) = (header, try #require(header.coding as? DeltaCoding))
      coding.topExponent ^= 1
      other.coding = coding
      // Behind the frame's header, with its hash.
      let place =
        try #require(
          (16..<encoded.header.count).first { header.frame(number: 0).bytes[$0] != other.frame(number: 0).bytes[$0] })
        + 1
      #expect(throws: SwzipError.self) { try read(header) { $0[place] = 4 } }
    }
  }
}
