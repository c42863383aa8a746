import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import SwzipTestSupport
import Testing

/// What the parsers find is what the libraries that own the formats say, and whatever becomes of such a file, it comes back.
struct ModelFormatTests {
  /// Segments tile a file, read or piped, however it was damaged, and it comes back.
  @Test(arguments: ModelFile.all) func segmentsTile(file: ModelFile) throws {
    try expectSound(file.bytes, file.format, "whole", comesBack: true)
    var damaged = Damaged(file.bytes)
    for number in 1... {
      guard let bytes = damaged.next() else { break }
      try expectSound(bytes, file.format, "\(damaged.what)", comesBack: number % 40 == 0)
    }
  }

  /// Asks the format of the file that was, and whichever else may be meant.
  private func expectSound(
    _ bytes: [UInt8], _ format: any ModelFormat.Type, _ comment: Comment, comesBack: Bool
  ) throws {
    let start = Array(bytes.prefix(Formats.sniffBytes))
    for isPipe in [false, true] {
      for candidate in Formats.all where candidate == format || candidate.recognises(start) {
        let map = try candidate.map(SparseBytes(bytes, isPipe: isPipe))
        #expect(map?.problem(byteCount: isPipe ? nil : UInt64(bytes.count)) == nil, comment)
      }
      guard comesBack else { continue }
      let (container, _) = try packed(from: byteSource(bytes, isPipe: isPipe), options(level: 1))
      #expect(same(try unpackedForward(container), bytes), comment)
    }
  }

  @Test(arguments: ModelFile.all) func comesBack(file: ModelFile) throws {
    let map = try #require(try file.format.map(SparseBytes(file.bytes)))
    let piped = try file.format.map(SparseBytes(file.bytes, isPipe: true))
    if file.streams { #expect(map == piped) }
    for isPipe in [false, true] {
      let (container, report) = try packed(from: byteSource(file.bytes, isPipe: isPipe), options(threads: 2))
      #expect(same(try unpackedForward(container, isPipe: isPipe), file.bytes))
      #expect(same(try unpacked(container, capacity: file.bytes.count), file.bytes))
      guard !isPipe || file.streams else { continue }
      #expect(report.format == file.format.name && report.warnings.isEmpty)
      #expect(try Container(ArraySource(container)).tensors.map(\.name) == map.tensors.map(\.name))
    }
  }

  @Test(arguments: ModelFile.libraries) func tensorsAsTheLibrarySays(file: ModelFile) throws {
    let expected = try Fixtures.lines("inputs/\(file.name).tensors", separator: " ", most: 4).map { fields in
      let shape = fields[2] == "-" ? [] : fields[2].split(separator: "x").compactMap { UInt64($0) }
      let type = try #require(ElementType.allCases.first { $0.name == fields[1] })
      return TensorRecord(
        name: fields[3], elementType: type, shape: shape, offset: try #require(UInt64(fields[0])),
        byteCount: try #require(TensorRecord.byteCount(of: type, shape: shape)))
    }
    #expect(try file.format.map(SparseBytes(file.bytes))?.tensors == expected)
  }

  /// A block type is coded by its fields, not as plain bytes; tensors of a few hundred bytes beside padding are not.
  @Test func blockTypesAreCodedAsSuch() throws {
    let original = Fixtures.bytes("inputs/types.gguf")
    let known = Set(try #require(try GGUF.map(SparseBytes(original))).payloads.map(\.elementType.name))
    #expect(known.isSuperset(of: ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "TQ1_0", "TQ2_0"]))
    let file = try Container(ArraySource(try packed(from: ArraySource(original), options()).bytes))
    let types = Set(file.segments.filter { $0.codec == "planes" }.map(\.elementType))
    #expect(types.isSuperset(of: ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]))
  }

  /// A file without a header: type and phase show in the values.
  @Test(arguments: [ElementType.bf16, .f16, .f32]) func guesses(type: ElementType) throws {
    for phase in 0..<type.width {
      let bytes = Random.made(phase) + Pattern.weights.bytes(type, 100_000)
      let payloads = try RawGuess.payloads(of: SparseBytes(bytes), in: 0..<UInt64(bytes.count))
      #expect(payloads.map(\.elementType) == [type])
      #expect(payloads[0].offset == UInt64(phase))
      let (container, report) = try packed(from: ArraySource(bytes), options())
      #expect(report.format == "raw" && report.warnings.isEmpty)
      #expect(same(try unpackedForward(container), bytes))
      var plain = options()
      plain.format = .raw
      #expect(container.count * 100 < (try packed(from: ArraySource(bytes), plain)).bytes.count * 98)
    }
  }

  @Test func guessesNothing() throws {
    let text = Array(String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 4000).utf8)
    for bytes in [Random.made(300_000), text, [UInt8](repeating: 0, count: 200_000), Array(text.prefix(5000))] {
      #expect(try RawGuess.payloads(of: SparseBytes(bytes), in: 0..<UInt64(bytes.count)).isEmpty)
    }
  }

  @Test(
    arguments: [
      (Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n".utf8), "git-LFS"),
      ([0x28, 0xB5, 0x2F, 0xFD, 0, 0], "zstd"), ([0x1F, 0x8B, 8, 0], "gzip"),
    ] as [([UInt8], String)])
  func warnings(bytes: [UInt8], word: String) throws {
    let (container, report) = try packed(from: ArraySource(bytes), options())
    #expect(report.warnings.count == 1 && report.warnings[0].contains(word))
    #expect(same(try unpackedForward(container), bytes))
  }
}
