import SwzipCore
import SwzipSamples
import Testing

/// Quants given the values that they were made of: whatever the type, the values and the changes, they come back bit by bit.
struct ReplayTests {
  static let types: [ElementType] = ElementType.allCases.filter { ReplayKind($0, from: .bf16) != nil }
  static let sources: [ElementType] = [.bf16, .f16, .f32]

  enum Change: CaseIterable {
    case none, few, many, any
  }

  /// Blocks some bits of which are turned; of TQ1_0 bytes become others that ggml writes.
  static func changed(_ blocks: [UInt8], _ type: ElementType, _ change: Change) -> [UInt8] {
    var random = Random(UInt64(blocks.count))
    var blocks = blocks
    switch change {
    case .none: break
    case .few, .many:
      for _ in 0..<max(1, blocks.count / (change == .few ? 200 : 7)) {
        let place = random.below(blocks.count)
        if type == .tq10 {
          blocks[place] = blocks[place / type.width * type.width + random.below(32)]
        } else {
          blocks[place] ^= 1 << UInt8(random.below(8))
        }
      }
    case .any: blocks = random.bytes(blocks.count)
    }
    return blocks
  }

  @Test(arguments: types, sources) func everyChange(type: ElementType, source: ElementType) throws {
    let tester = try BlockTester()
    for pattern in Pattern.allCases {
      for change in Change.allCases {
        for count in [1, 2, 9, 33] {
          let values = pattern.bytes(source, count * type.elementsPerValue)
          let blocks = Self.changed(Quants.made(type, of: values, source), type, change)
          tester.roundTrip(
            blocks, type, level: 3, references: [values], replayFrom: source, "\(count) blocks, \(pattern), \(change)")
        }
      }
    }
    #expect(tester.modes[BlockMode.replay.rawValue] != nil)
  }

  /// Several blocks, and the edges of the largest.
  @Test(arguments: types) func blockBoundaries(type: ElementType) throws {
    let tester = try BlockTester()
    let most = (1 << 18) / type.elementsPerValue
    for count in [most - 1, most, most + 1] {
      let values = Pattern.weights.bytes(.bf16, count * type.elementsPerValue)
      let blocks = Quants.made(type, of: values, .bf16)
      tester.roundTrip(blocks, type, level: 3, references: [values], replayFrom: .bf16, "\(count) blocks")
      tester.roundTrip(
        Self.changed(blocks, type, .few), type, level: 7, references: [values], replayFrom: .bf16, "\(count) changed")
    }
  }

  /// What is exactly computed takes a header a block; what has nothing to do with the values is coded without them.
  @Test(arguments: types) func sizes(type: ElementType) throws {
    let tester = try BlockTester()
    let values = Pattern.weights.bytes(.bf16, 64 * type.elementsPerValue)
    let blocks = Quants.made(type, of: values, .bf16)
    let exact = try tester.encode(blocks, type, level: 3, references: [values], replayFrom: .bf16)
    #expect(exact.frames.map(\.count) == [32])
    let other = Random.made(blocks.count)
    let coded = try tester.encode(other, type, level: 3, references: [values], replayFrom: .bf16)
    #expect(coded.byteCount <= other.count + 512)
    #expect(same(try tester.decode(coded), other))
  }

  /// A frame names a type that the codec knows, and values in a float type.
  @Test func otherTypes() throws {
    #expect(Self.types.count == 13)
    for type in ElementType.allCases where !Self.types.contains(type) { #expect(ReplayKind(type, from: .bf16) == nil) }
    for source in ElementType.allCases where !Self.sources.contains(source) {
      #expect(ReplayKind(.q4K, from: source) == nil)
    }
  }
}
