import CSwzipKernels
import SwzipCore
import SwzipSamples
import Testing

/// Dequantised values (spec/codecs/lattice.md): found for what they are, and whatever else is among them, they come back.
struct LatticeTests {
  private static let types: [ElementType] = [.bf16, .f16, .f32]

  /// As many rows as blocks of 64 and columns of 32 want, and more.
  @Test(arguments: Dequantised.allCases) func isFound(_ kind: Dequantised) throws {
    let tester = try BlockTester()
    for type in Self.types {
      let values = kind.bytes(type, rows: 160, columns: 256)
      for level in [1, 3, 7] {
        let encoded = try tester.encode(values, type, level: level, rowLength: 256)
        #expect(try encoded.readHeader().codec == .lattice, "\(type), level \(level)")
        #expect(same(try tester.decode(encoded), values), "\(type), level \(level)")
        // By another codec no 8-bit code takes less.
        #expect(encoded.byteCount * 100 < values.count * (type == .f32 ? 30 : 60), "\(type): \(encoded.byteCount)")
      }
    }
  }

  /// Values that are no codes are patched, in any row length, and big-endian too.
  @Test(arguments: Dequantised.allCases) func exceptionsComeBack(_ kind: Dequantised) throws {
    let tester = try BlockTester()
    var random = Random(5)
    for type in Self.types {
      for (rows, columns) in [(96, 256), (37, 320), (7, 4096), (300, 48)] {
        var values = kind.bytes(type, rows: rows, columns: columns, seed: 3)
        let odd: [Float] = [
          .nan, .infinity, -.infinity, -0, .leastNonzeroMagnitude, .leastNormalMagnitude, 65504, 3.0e38,
        ]
        let others = Dequantised.rounded(odd, to: type)
        for index in 0..<(values.count / type.width / 400) {
          let place = random.below(values.count / type.width) * type.width
          let from = index % odd.count * type.width
          values.replaceSubrange(place..<(place + type.width), with: others[from..<(from + type.width)])
        }
        for rowLength in [columns, 0] {
          tester.roundTrip(values, type, level: 3, rowLength: rowLength, "\(kind), \(type), \(rows) x \(columns)")
        }
        let swapped = stride(from: 0, to: values.count, by: type.width).flatMap {
          values[$0..<($0 + type.width)].reversed()
        }
        tester.roundTrip(swapped, type.bigEndian!, level: 3, rowLength: columns, "\(kind), big-endian")
      }
    }
  }

  /// A few values that another step has changed hide no structure.
  @Test(arguments: [Dequantised.int4, .int8Rows, .nf4, .int4Runs, .q4]) func isFoundAmongExceptions(
    _ kind: Dequantised
  ) throws {
    let tester = try BlockTester()
    for type in Self.types {
      var values = kind.bytes(type, rows: 160, columns: 256)
      var random = Random(7)
      for _ in 0..<100 { values[random.below(160 * 256) * type.width] ^= 0x55 }
      let encoded = try tester.encode(values, type, level: 3, rowLength: 256)
      #expect(try encoded.readHeader().codec == .lattice, "\(type)")
      #expect(same(try tester.decode(encoded), values), "\(type)")
    }
  }

  /// Rows of integers times a scale and a 127th, rounded after each.
  @Test func constantIsFound() throws {
    let tester = try BlockTester()
    var random = Random(3)
    let values = (0..<160).flatMap { row in
      let scale = Float(64 + row) / 4096
      return (0..<256).map { column in
        let code = column == row ? 127 : Float(random.below(120) + random.below(120) - 119)
        return code * scale * (1 / Float(127))
      }
    }
    let bytes = Dequantised.rounded(values, to: .f32)
    for level in [1, 3, 7] {
      let encoded = try tester.encode(bytes, .f32, level: level, rowLength: 256)
      #expect(try encoded.readHeader().codec == .lattice)
      #expect(same(try tester.decode(encoded), bytes))
      #expect(encoded.byteCount * 100 < bytes.count * 30)
    }
  }

  /// Among rows that are found: one whose scale no type holds, or that has no number at all; and codes of the largest values that
  /// there are, whose scales are larger still. Another codec takes them, and they come back from any address.
  @Test func numbersThatNoReaderTakes() throws {
    let tester = try BlockTester()
    var random = Random(9)
    let rows = 160
    func constants(_ odd: Float) -> [Float] {
      (0..<rows).flatMap { row in
        (0..<256).map { column in
          let code = column == row ? 127 : Float(random.below(239) - 119)
          return row == 13 ? odd * code : code * (Float(64 + row) / 4096) * (1 / Float(127))
        }
      }
    }
    for odd: Float in [.nan, .infinity, 1e6, 1e30] {
      tester.roundTrip(
        Dequantised.rounded(constants(odd), to: .f32), .f32, level: 3, rowLength: 256, "a row times \(odd)")
    }
    for type: ElementType in [.bf16, .f32] {
      let values = Dequantised.nf4.bytes(type, rows: rows, columns: 256)
      // The exponent of all values, but of zeros, as high as it goes: the largest becomes the largest that there is.
      let width = type.width
      var huge = values
      for start in stride(from: 0, to: huge.count, by: width) where huge[start + width - 1] & 0x7F != 0 {
        huge[start + width - 1] = huge[start + width - 1] & 0x80 | (huge[start + width - 1] & 0x7F) + 0x42
      }
      tester.roundTrip(huge, type, level: 3, rowLength: 256, "huge \(type)")
    }
  }

  /// Ordinary values, and those whose structure another step has destroyed, are left to other codecs.
  @Test func leavesOthersAlone() throws {
    let tester = try BlockTester()
    for type in Self.types {
      for pattern in Pattern.allCases {
        let encoded = try tester.encode(pattern.bytes(type, 128 * 256), type, level: 3, rowLength: 256)
        #expect(try encoded.readHeader().codec != .lattice, "\(pattern), \(type)")
      }
    }
  }

  /// A group of any scale: subnormal products, scales that overflow, and none that is 0.
  @Test func extremeScales() throws {
    let tester = try BlockTester()
    for type in Self.types {
      for exponent in [-149, -130, -120, -30, -14, 10, 100, 120] {
        var random = Random(UInt64(200 + exponent))
        let values = (0..<(64 * 128)).map { index in
          Float(random.below(15) - 7)
            * Float(sign: .plus, exponent: exponent, significand: 1 + Float(index / 64 % 128) / 128)
        }
        tester.roundTrip(
          Dequantised.rounded(values, to: type), type, level: 3, rowLength: 128, "\(type), 2^\(exponent)")
      }
    }
  }
}
