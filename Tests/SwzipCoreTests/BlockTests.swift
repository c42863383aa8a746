import CSwzipKernels
import SwzipCore
import SwzipSamples
import Testing

/// Blocks of every codec: whatever the type, the length, the content and the level, the values come back bit by bit.
struct BlockTests {
  static let levels = [1, 2, 3, 5, 7]
  /// One type for each way that codecs treat types.
  static let distinctTypes: [ElementType] = [.bytes, .bf16, .f16, .f32, .f64, .f8e4m3, .f8e5m2, .i8, .i16, .i32]

  @Test(arguments: distinctTypes, levels) func everyShortLength(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    for count in 1...300 {
      let pattern = Pattern.allCases[(count + level) % Pattern.allCases.count]
      tester.roundTrip(pattern.bytes(type, count), type, level: level, "\(count) values, \(pattern)")
    }
  }

  @Test(arguments: [.bytes] + ElementType.safetensors, levels) func everyContent(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    for pattern in Pattern.allCases {
      for count in [1, 255, 256, 257, 511, 2047, 2048, 2049] {
        tester.roundTrip(pattern.bytes(type, count), type, level: level, "\(count) values, \(pattern)")
      }
    }
  }

  /// Block types: every field has a section; lengths around the largest block that the writer makes.
  @Test(arguments: ElementType.allCases.filter(\.isBlock), [1, 3]) func blockTypes(type: ElementType, level: Int) throws
  {
    let tester = try BlockTester()
    for pattern in [Pattern.random, .weights, .equal, .zeros] {
      for count in [1, 2, 257] {
        tester.roundTrip(pattern.bytes(type, count), type, level: level, "\(count) values, \(pattern)")
      }
    }
    let most = Limits.recordBlockBytes / type.width
    for count in [most, most + 1] {
      tester.roundTrip(Pattern.weights.bytes(type, count), type, level: level, "\(count) values")
    }
    #expect(tester.modes[BlockMode.planes.rawValue] != nil)
  }

  /// Values of a block type are no words: that few of those occur at first says nothing.
  @Test(arguments: ElementType.allCases.filter(\.isBlock), [1, 3, 7]) func fewWords(type: ElementType, level: Int)
    throws
  {
    let tester = try BlockTester()
    let count = 1000
    let words = (0..<count).flatMap { [UInt8](repeating: UInt8($0 % 2), count: 8) }
    let values = words + Random.made(max(0, count * type.width - words.count))
    tester.roundTrip(values, type, level: level, "words of two kinds")
  }

  /// Where blocks end: the least and the largest that the writer makes, and several in a segment.
  @Test(arguments: distinctTypes, [1, 2, 3]) func blockBoundaries(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    for (index, count) in [8191, 8192, 8193, 73_727, 73_728, 73_729, 147_457].enumerated() {
      let pattern: Pattern = [.weights, .outliers, .specials][(index + level) % 3]
      tester.roundTrip(pattern.bytes(type, count), type, level: level, "\(count) values, \(pattern)")
    }
  }

  @Test(arguments: [2, 3]) func plainBytesOverSeveralBlocks(level: Int) throws {
    let tester = try BlockTester()
    for count in [Limits.blockValues - 1, Limits.blockValues, Limits.blockValues + 1, 3 * Limits.blockValues + 7] {
      tester.roundTrip(Pattern.zeros.bytes(.bytes, count), .bytes, level: level, "\(count) bytes")
    }
  }

  @Test(arguments: [ElementType.bf16, .f16, .f32, .f8e4m3, .f8e5m2], [2, 3]) func sortedRows(
    type: ElementType, level: Int
  ) throws {
    let tester = try BlockTester()
    for (rowLength, counts) in [
      (32, [7, 8, 9, 10, 191, 192]), (64, [8, 9, 10, 191, 192]), (96, [8, 9, 10]),
      (384, [8, 9, 10, 191, 192, 193, 200]),
      (33, [10]), (9216, [8, 9]), (9248, [8]),
    ] {
      for rows in counts {
        let count = rows * rowLength
        for pattern in count > 20_000 ? [Pattern.rows] : [.rows, .specials, .zeros] {
          tester.roundTrip(
            Self.scaledRows(pattern, type, rows: rows, rowLength), type, level: level, rowLength: rowLength,
            "\(rows) rows of \(rowLength), \(pattern)")
        }
      }
    }
    #expect(tester.flags & 2 != 0, "no block was sorted")
  }

  /// Rows of different scale, so that sorting them pays; hardly a zero, which mode sparse would take.
  private static func scaledRows(_ pattern: Pattern, _ type: ElementType, rows: Int, _ length: Int) -> [UInt8] {
    var random = Random(UInt64(rows * length))
    let shape = FloatShape(type)
    let scales: [Float] = [0.5, 0.35, 0.25, 0.18]
    if pattern != .rows { return pattern.bytes(type, rows * length) }
    var bytes: [UInt8] = []
    for _ in 0..<rows {
      let scale = scales[random.below(4)]
      for _ in 0..<length {
        let bits = shape.bits(random.normal() * scale)
        unsafe withUnsafeBytes(of: bits.littleEndian) { unsafe bytes.append(contentsOf: $0[..<type.width]) }
      }
    }
    return bytes
  }

  /// The window of symbols is found from a sample: values that the sample missed, on both sides of it, and values at the
  /// very top of the range in the sample.
  @Test(arguments: [ElementType.bf16, .f32], [1, 2, 3, 5]) func windows(type: ElementType, level: Int) throws {
    let tester = try BlockTester()
    let shape = FloatShape(type)
    let width = type.width
    for exponent in stride(from: UInt64(0), through: 255, by: 5) {
      var values: [UInt8] = []
      for index in 0..<600 {
        // Mostly around one exponent, now and then anything.
        let bits = shape.bits(
          exponent: index % 37 == 5 ? UInt64(index) : exponent &+ UInt64(index & 3), fill: Random.made(UInt64(index)))
        unsafe withUnsafeBytes(of: bits.littleEndian) { unsafe values.append(contentsOf: $0[..<width]) }
      }
      tester.roundTrip(values, type, level: level, "exponent \(exponent)")
    }
    if level == 5 { #expect(tester.flags & 4 != 0, "no block had patches") }
  }

  @Test(arguments: [ElementType.bf16, .f32, .i64, .bytes]) func everyAlignment(type: ElementType) throws {
    let tester = try BlockTester()
    for level in [1, 3] {
      let values = Pattern.weights.bytes(type, 1300)
      let encoded = try tester.encode(values, type, level: level)
      for misalignment in 0..<64 {
        for streaming in [false, true] {
          #expect(same(try tester.decode(encoded, misalignment: misalignment, streaming: streaming), values))
        }
      }
    }
  }

  /// A plan follows from the values: room for larger blocks than the level makes changes nothing.
  @Test func plansDoNotDependOnRoom() throws {
    let scratches = try [EncodeScratch(blockValues: Effort(level: 3).largestBlock), EncodeScratch()]
    let fresh = Pattern.weights.bytes(.f32, 262_144)
    var codecs: Set<CodecID> = []
    for share in 1...63 {
      // `share` of every 64 runs of 512 values repeat the run before.
      var values = fresh
      for run in 1..<512 where run % 64 < share {
        values.replaceSubrange((2048 * run)..<(2048 * (run + 1)), with: values[(2048 * (run - 1))..<(2048 * run)])
      }
      let range = SegmentRange(offset: 0, byteCount: values.count, elementType: .f32)
      let headers = try unsafe values.withUnsafeBytes { bytes in
        try scratches.map { try unsafe SegmentPlan(range, bytes, effort: Effort(level: 3), scratch: $0).header }
      }
      #expect(headers[0].codec == headers[1].codec, "\(share) in 64")
      codecs.insert(headers[0].codec)
    }
    #expect(codecs == [.bytes, .float])
  }

  /// A block does not verify in another place: the ordinal is in the hash.
  @Test func swappedBlocks() throws {
    let tester = try BlockTester()
    let values = Pattern.weights.bytes(.bf16, 3 * 73_728)
    var encoded = try tester.encode(values, .bf16, level: 2)
    #expect(encoded.frames.count == 3)
    encoded.frames.swapAt(0, 1)
    #expect(throws: SwzipError(.corrupt, .storedHash, at: 0)) { try tester.decode(encoded) }
    #expect(throws: SwzipError(.corrupt, .indexAgrees, at: 0)) { try tester.decode(encoded, policy: .loader) }
  }

  /// Tables of a single block are made in the scratch, of few values in another way: all decode the same, whatever the scratch
  /// was used for before.
  @Test(arguments: [ElementType.bf16, .f8e4m3, .f32]) func tablesInTheScratch(type: ElementType) throws {
    let tester = try BlockTester()
    for level in [3, 5, 7, 9] {
      for count in [1, 40, 64 * 15, 1023, 1024, 2048, 2049, 5000, 200_000] {
        let pattern: Pattern = count % 2 == 0 ? .rows : .weights
        let values = pattern.bytes(type, count)
        let made = try tester.encode(values, type, level: level, rowLength: count % 64 == 0 ? 64 : 0)
        #expect(same(try tester.decode(made), values), "\(count), level \(level)")
      }
    }
  }
}

extension Random {
  static func made(_ seed: UInt64) -> UInt64 {
    var random = Random(seed)
    return random.next()
  }
}
