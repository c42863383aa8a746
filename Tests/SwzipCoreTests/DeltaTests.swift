import SwzipCore
import SwzipSamples
import Testing

/// Values as differences to a base: whatever the type, the change and the length, the values come back bit by bit.
struct DeltaTests {
  static let types: [ElementType] = ElementType.safetensors

  enum Change: CaseIterable {
    case none, few, small, any
    /// By a share of the value, for floats; the rows by shares of their own.
    case scaled
  }

  /// Values near `base`.
  static func changed(_ base: [UInt8], _ type: ElementType, _ change: Change, seed: UInt64) -> [UInt8] {
    var random = Random(seed)
    let width = type.width
    var values = base
    for index in 0..<(base.count / width) {
      let place = index * width
      switch change {
      case .none: continue
      case .few:
        if random.below(50) == 0 { values[place] &+= UInt8(1 + random.below(3)) }
      case .small: values[place] &+= UInt8(truncatingIfNeeded: random.below(9) - 4)
      case .any: for byte in 0..<width { values[place + byte] = UInt8(random.below(256)) }
      case .scaled:
        let bits = random.below(1 << min(8 * width - 4, 4 + index / 64 % 12))
        for byte in 0..<min(width, 4) { values[place + byte] ^= UInt8(truncatingIfNeeded: bits >> (8 * byte)) }
      }
    }
    return values
  }

  @Test(arguments: types) func everyChange(type: ElementType) throws {
    let tester = try BlockTester()
    for pattern in Pattern.allCases {
      for change in Change.allCases {
        for count in [1, 2, 31, 32, 33, 255, 2049] {
          let base = pattern.bytes(type, count)
          tester.roundTrip(
            Self.changed(base, type, change, seed: UInt64(count)), type, level: 3, references: [base],
            "\(count) values, \(pattern), \(change)")
        }
      }
    }
    #expect(tester.modes[BlockMode.delta.rawValue] != nil && tester.modes[BlockMode.copy.rawValue] != nil)
  }

  /// Several blocks, of whole rows where rows have classes.
  @Test(arguments: [ElementType.bf16, .f32, .f8e4m3, .i8, .f64]) func blockBoundaries(type: ElementType) throws {
    let tester = try BlockTester()
    for (index, count) in [8193, 73_729, 147_457, 300_032].enumerated() {
      let base = Pattern.weights.bytes(type, count)
      for rowLength in [0, 64, 384] {
        tester.roundTrip(
          Self.changed(base, type, index % 2 == 0 ? .scaled : .small, seed: 7), type, level: 7, rowLength: rowLength,
          references: [base], "\(count) values in rows of \(rowLength)")
      }
    }
  }

  /// Every difference that a type has, from every base: 16-bit floats have 2^32 pairs, of which these are the corners.
  @Test(arguments: [ElementType.bf16, .f16, .i16, .f8e5m2, .f8e4m3, .u8]) func corners(type: ElementType) throws {
    let tester = try BlockTester()
    let corners: [UInt16] =
      type.width == 1
      ? (0..<256).map { UInt16($0) }
      : [0, 1, 7, 8, 9, 0x7F, 0x80, 0x3F80, 0x7F7F, 0x7F80, 0x7F81, 0x7FFF, 0x8000, 0x8001, 0xBF80, 0xFF80, 0xFFFF]
    var (base, values): ([UInt8], [UInt8]) = ([], [])
    for from in corners {
      for to in corners {
        base += [UInt8(from & 255)] + (type.width == 2 ? [UInt8(from >> 8)] : [])
        values += [UInt8(to & 255)] + (type.width == 2 ? [UInt8(to >> 8)] : [])
      }
    }
    tester.roundTrip(values, type, level: 3, references: [base], "all pairs")
  }

  /// What never changed costs a few bytes; what changed by little less than the values alone; noise no more than them.
  @Test func sizes() throws {
    let tester = try BlockTester()
    let base = Pattern.weights.bytes(.bf16, 73_728)
    let alone = try tester.encode(base, .bf16, level: 3).byteCount
    func size(_ change: Change) throws -> Int {
      try tester.encode(Self.changed(base, .bf16, change, seed: 1), .bf16, level: 3, references: [base]).byteCount
    }
    #expect(try size(.none) < 256)
    #expect(try size(.few) * 20 < alone)
    #expect(try size(.small) * 3 < alone)
    #expect(try size(.any) <= base.count + 512)
  }

  /// Rows that change by scales of their own get classes.
  @Test func rowClasses() throws {
    let tester = try BlockTester()
    let base = Pattern.weights.bytes(.bf16, 128 * 512)
    var values = base
    var random = Random(3)
    for row in 0..<512 {
      for index in 0..<128 {
        let place = 2 * (128 * row + index)
        let value = Float(bitPattern: UInt32(values[place]) << 16 | UInt32(values[place + 1]) << 24)
        let next = value + Float(random.below(256) - 128) * Float(1 << (row % 8)) / 1_000_000
        values[place] = UInt8(next.bitPattern >> 16 & 255)
        values[place + 1] = UInt8(next.bitPattern >> 24)
      }
    }
    let plain = try tester.encode(values, .bf16, level: 3, references: [base]).byteCount
    let classed = try tester.encode(values, .bf16, level: 3, rowLength: 128, references: [base])
    #expect(classed.byteCount * 10 < plain * 9)
    #expect(same(try tester.decode(classed), values))
  }

  private func quietContexts(_ encoded: BlockTester.Encoded) throws -> UInt8 {
    try #require(try encoded.readHeader().coding as? DeltaCoding).quietContexts
  }

  /// Weights that change the likelier the smaller they are, as in a step of reinforcement learning: large ones are quiet.
  static func rarelyChanged(_ base: [UInt8], seed: UInt64) -> [UInt8] {
    var values = base
    var random = Random(seed)
    for place in stride(from: 0, to: base.count, by: 2) {
      let exponent = Int(base[place + 1] & 127) << 1 | Int(base[place] >> 7)
      let odds = max(2, 1 << max(0, exponent - 112))
      if random.below(odds) == 0 { values[place] &+= random.below(2) == 0 ? 1 : 255 }
    }
    return values
  }

  /// Blocks whose quiet values change often, never, at both ends, and are all there is.
  @Test func quietValues() throws {
    let tester = try BlockTester()
    for count in [9000, 70_000, 140_001] {
      let base = Pattern.weights.bytes(.bf16, count)
      let values = Self.rarelyChanged(base, seed: UInt64(count))
      for rowLength in [0, 100] {
        let encoded = try tester.encode(values, .bf16, level: 3, rowLength: rowLength, references: [base])
        #expect(try quietContexts(encoded) > 0)
        #expect(same(try tester.decode(encoded), values))
      }
      // Of the plan's blocks some are unlike the others.
      for part in 0..<3 {
        var uneven = values
        for place in stride(from: part * count / 2, to: (part + 1) * count / 2, by: part == 1 ? 3 : 2) {
          uneven[2 * (place / 2)] ^= 1
        }
        tester.roundTrip(uneven, .bf16, level: 3, references: [base], "uneven, part \(part) of \(count)")
      }
      for places in [[0], [count - 1], [0, count - 1], [0, 1, 2, count - 2, count - 1], []] {
        var few = base
        for place in places { few[2 * place] ^= 1 }
        tester.roundTrip(few, .bf16, level: 3, references: [base], "\(places)")
      }
    }
  }

  /// With another base the decoded hash tells.
  @Test func wrongBase() throws {
    let tester = try BlockTester()
    let base = Pattern.weights.bytes(.bf16, 2000)
    var encoded = try tester.encode(Self.changed(base, .bf16, .small, seed: 2), .bf16, level: 3, references: [base])
    for place in stride(from: 0, to: base.count, by: 97) {
      encoded.references[0][place] ^= 1
      #expect(throws: SwzipError.self) { try tester.decode(encoded) }
      encoded.references[0][place] ^= 1
    }
    encoded.references[0].removeLast()
    #expect(throws: SwzipError.self) { try tester.decode(encoded) }
  }
}
