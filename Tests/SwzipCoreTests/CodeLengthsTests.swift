import SwzipCore
import SwzipSamples
import Testing

/// Huffman code lengths: the best complete code of at most 11 bits, and its wire form.
struct CodeLengthsTests {
  /// Counts of several shapes: flat, geometric (needs the limit of 11 bits), few symbols, weights.
  static func counts(_ seed: Int) -> [UInt32] {
    var random = Random(UInt64(seed))
    var counts = [UInt32](repeating: 0, count: 256)
    let symbols = 2 + random.below(seed % 5 == 0 ? 255 : 30)
    let first = random.below(257 - symbols)
    for index in 0..<symbols where index < 2 || random.below(4) > 0 {
      counts[first + index] =
        switch seed % 4 {
        case 0: 1 + UInt32(random.below(1000))
        case 1: UInt32(1) << min(29, index)
        case 2: 1
        default: UInt32(random.below(3)) * UInt32(random.below(100_000)) + 1
        }
    }
    return counts
  }

  static func code(_ counts: [UInt32]) -> CodeLengths {
    unsafe counts.withUnsafeBufferPointer { unsafe CodeLengths(counts: $0.baseAddress!) }
  }

  @Test(arguments: 0..<120) func isTheBestCompleteCode(seed: Int) throws {
    let counts = Self.counts(seed)
    let lengths = Self.code(counts).lengths
    #expect(lengths.count == 256)
    #expect(zip(counts, lengths).allSatisfy { ($0 == 0) == ($1 == 0) && $1 <= 11 })
    #expect(Self.kraft(lengths) == 2048)
    let cost = zip(counts, lengths).reduce(UInt64(0)) { $0 + UInt64($1.0) * UInt64($1.1) }
    let used = counts.filter { $0 > 0 }
    if used.count <= 34 { #expect(cost == Self.leastCost(used)) }
  }

  /// A code has two symbols at least, whatever occurs.
  @Test(arguments: [-1, 0, 1, 128, 255]) func fewerThanTwoSymbols(symbol: Int) throws {
    var counts = [UInt32](repeating: 0, count: 256)
    if symbol >= 0 { counts[symbol] = 5 }
    let lengths = Self.code(counts).lengths
    #expect(Self.kraft(lengths) == 2048)
    #expect(lengths.count { $0 != 0 } == 2)
    if symbol >= 0 { #expect(lengths[symbol] == 1) }
  }

  @Test func allSymbolsOfEqualCount() {
    #expect(Self.code([UInt32](repeating: 77, count: 256)).lengths == [UInt8](repeating: 8, count: 256))
  }

  // MARK: wire form

  @Test func exampleOfTheSpecification() throws {
    let code = try Self.read([0x01, 0x05, 0x04, 0x12, 0x03, 0x03])
    #expect(code.lengths[5...9] == [2, 1, 3, 0, 3])
    #expect(code.lengths.count { $0 != 0 } == 4)
    #expect(Self.wire(code) == [0x01, 0x05, 0x04, 0x12, 0x03, 0x03])
  }

  @Test(arguments: 0..<120) func wireRoundTrip(seed: Int) throws {
    let code = Self.code(Self.counts(seed))
    let wire = Self.wire(code)
    #expect(try Self.read(wire) == code)
    for count in wire.indices {
      #expect(throws: SwzipError.self, "cut at \(count)") { try Self.read(Array(wire[..<count])) }
    }
  }

  static let malformed: [(String, [UInt8])] = [
    ("nothing", []),
    ("no run", [0]),
    ("one symbol", [1, 5, 0, 1]),
    ("only absent symbols", [1, 5, 3, 0, 0]),
    ("longer than 11 bits", [1, 0, 12, 0x21, 0x43, 0x65, 0x87, 0xA9, 0xCB, 0x0C]),
    ("15 bits", [1, 0, 1, 0xF1]),
    ("too many codes", [1, 0, 2, 0x11, 0x01]),
    ("too few codes", [1, 0, 1, 0x21]),
    ("a fill that is not zero", [1, 0, 2, 0x21, 0x12]),
    ("runs overlap", [2, 0, 1, 0x21, 1, 0, 2]),
    ("runs descend", [2, 9, 0, 1, 3, 0, 1]),
    ("same run twice", [2, 9, 0, 1, 9, 0, 1]),
    ("beyond symbol 255", [1, 255, 1, 0x11]),
    ("a count beyond the bytes", [1, 0, 255, 0x11]),
    ("more runs than there are", [2, 0, 1, 0x11]),
  ]

  @Test(arguments: malformed) func isRefused(what: String, wire: [UInt8]) {
    #expect(throws: SwzipError.self, "\(what)") { try Self.read(wire) }
  }

  /// Whatever is accepted is a complete code that encoder and decoder can use.
  @Test(arguments: 0..<40) func changedWireForms(seed: Int) throws {
    var random = Random(UInt64(seed) + 1000)
    let wire = Self.wire(Self.code(Self.counts(seed)))
    for position in wire.indices {
      for _ in 0..<4 {
        var changed = wire
        changed[position] = UInt8(truncatingIfNeeded: random.next())
        do {
          let code = try Self.read(changed)
          #expect(Self.kraft(code.lengths) == 2048)
          #expect(code.lengths.allSatisfy { $0 <= 11 })
          #expect(try Self.read(Self.wire(code)) == code)
        } catch {
          #expect([.codeLengths, .truncated].contains((error as? SwzipError)?.rule))
        }
      }
    }
  }

  @Test func fits() throws {
    let code = try Self.read([0x01, 0x05, 0x04, 0x12, 0x03, 0x03])
    #expect(code.fits(10))
    #expect(!code.fits(9))
  }

  // MARK: helpers

  private static func read(_ wire: [UInt8]) throws -> CodeLengths {
    var reader = unsafe ByteReader(wire.span.bytes, at: 0)
    return try CodeLengths.read(&reader)
  }

  private static func wire(_ code: CodeLengths) -> [UInt8] {
    var writer = ByteWriter()
    code.write(&writer)
    return writer.bytes
  }

  /// Kraft sum in units of 2^-11.
  private static func kraft(_ lengths: [UInt8]) -> Int { lengths.reduce(0) { $0 + ($1 == 0 ? 0 : 2048 >> Int($1)) } }

  /// The least cost of a code of at most 11 bits, level by level: with `open` nodes on a level, the `k` most frequent
  /// symbols left end there and all others pay one more bit.
  private static func leastCost(_ counts: [UInt32]) -> UInt64 {
    let sorted = counts.sorted(by: >).map(UInt64.init)
    let count = sorted.count
    let rest = (0...count).map { sorted[$0...].reduce(0, +) }
    var costs: [Int: UInt64] = [1 << 16 | 0: 0]  // open nodes << 16 | symbols that have a code
    var best = UInt64.max
    for _ in 0..<11 {
      var next: [Int: UInt64] = [:]
      for (key, cost) in costs {
        let (open, done) = (2 * (key >> 16), key & 0xFFFF)
        let paid = cost + rest[done]
        for taken in 0...min(open, count - done) {
          let (left, all) = (open - taken, done + taken)
          if all == count {
            if left == 0 { best = min(best, paid) }
          } else if left > 0, left <= count - all {
            next[left << 16 | all] = min(next[left << 16 | all] ?? .max, paid)
          }
        }
      }
      costs = next
    }
    return best
  }
}
