import SwzipCore
import SwzipSamples
import Testing

/// Palettes: the values that symbols stand for, and their wire form.
struct PaletteTests {
  @Test(arguments: [1, 2, 4, 8]) func roundTrip(width: Int) throws {
    for (count, perSymbol) in [(2, 1), (2, 8), (3, 5), (4, 4), (6, 3), (16, 2), (17, 1), (255, 1), (256, 1)] {
      let palette = Palette(width: width, values: Random.made(count * width), valuesPerSymbol: perSymbol)
      #expect(palette.count == count)
      let wire = Self.wire(palette)
      #expect(try Self.read(wire, width: width) == palette)
      for cut in wire.indices {
        #expect(throws: SwzipError.self, "cut at \(cut)") { try Self.read(Array(wire[..<cut]), width: width) }
      }
      // Each symbol's entry holds the values of its digits, the first in the lowest.
      let memory = try GuardedBuffer(Palette.entriesByteCount)
      unsafe palette.writeEntries(to: memory.bytes.baseAddress!.assumingMemoryBound(to: UInt8.self))
      #expect(memory.guardsAreWhole)
      let entries = unsafe [UInt8](memory.bytes)
      #expect(entries[(64 * palette.symbolCount)...].allSatisfy { $0 == 0 })
      for symbol in 0..<palette.symbolCount {
        var rest = symbol
        for place in 0..<perSymbol {
          let value = (rest % count) * width
          let start = 64 * symbol + place * width
          #expect(entries[start..<(start + width)] == palette.values[value..<(value + width)])
          rest /= count
        }
        #expect(rest == 0)
      }
    }
  }

  @Test func bytesHaveNoPalette() throws {
    let wire = Self.wire(.bytes)
    #expect(wire == [1, 0, 0])
    #expect(try Self.read(wire, width: 1) == .bytes)
    #expect(Palette.bytes.symbolCount == 256)
    #expect(throws: SwzipError.self) { try Self.read(wire, width: 2) }
    #expect(throws: SwzipError.self) { try Self.read([2, 0, 0], width: 1) }
  }

  /// Values a symbol, palette values: more symbols than 256, or numbers out of range.
  @Test(arguments: [
    (0, 2), (9, 2), (255, 2), (1, 1), (8, 1), (6, 3), (2, 17), (8, 3), (8, 235), (8, 255), (8, 256), (2, 256), (1, 257),
    (8, 257), (0, 0), (2, 0), (1, 65_534), (8, 65_534), (8, 65_535),
  ]) func palettesThatCannotBe(perSymbol: UInt8, count: UInt16) {
    for width in [1, 2, 8] {
      var writer = ByteWriter()
      writer.integer(perSymbol)
      writer.integer(count)
      writer.zeros(Int(count) * width)
      #expect(throws: SwzipError.self, "\(perSymbol) of \(count)") { try Self.read(writer.bytes, width: width) }
    }
  }

  private static func wire(_ palette: Palette) -> [UInt8] {
    var writer = ByteWriter()
    palette.write(&writer)
    return writer.bytes
  }

  private static func read(_ wire: [UInt8], width: Int) throws -> Palette {
    var reader = unsafe ByteReader(wire.span.bytes, at: 0)
    return try Palette.read(&reader, width: width)
  }
}
