import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Files of Fixtures/inputs, made by the libraries that own the formats (tools/fixtures/inputs.py): what the parsers
/// find is what those libraries say, and whatever becomes of such a file, it comes back.
struct ModelFormatTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    let name: String
    let format: String
    /// Whether a pipe tells as much as a file.
    var streams = true
    var testDescription: String { name }
  }

  static let samples = [
    Sample(name: "types.gguf", format: "gguf"), Sample(name: "float.npy", format: "npy"),
    Sample(name: "fortran.npy", format: "npy"), Sample(name: "bfloat.npy", format: "npy"),
    Sample(name: "scalar.npy", format: "npy"), Sample(name: "arrays.npz", format: "npz", streams: false),
    Sample(name: "model.onnx", format: "onnx"),
  ]

  private static func fixture(_ name: String) throws -> [UInt8] {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    let file = try FileSource(path: "/\(root)/Fixtures/inputs/\(name)")
    return try file.bytes(at: 0, count: Int(try #require(file.byteCount)))
  }

  private static func expected(_ name: String) throws -> [TensorRecord] {
    String(decoding: try fixture("\(name).tensors"), as: UTF8.self).split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 3)
      let shape = parts[2] == "-" ? [] : parts[2].split(separator: "x").map { UInt64($0)! }
      let type = ElementType.allCases.first { $0.name == parts[1] }!
      return TensorRecord(
        name: String(parts[3]), elementType: type, shape: shape, offset: UInt64(parts[0])!,
        byteCount: TensorRecord.byteCount(of: type, shape: shape)!)
    }
  }

  @Test(arguments: samples) func tensorsAsTheLibrarySays(sample: Sample) throws {
    let original = try Self.fixture(sample.name)
    for isPipe in [false, true] {
      for level in [1, 3] {
        let (container, report) = try packed(from: ArraySource(original, isPipe: isPipe), options(level: level))
        #expect(same(try unpackedForward(container, isPipe: isPipe), original))
        #expect(report.warnings.isEmpty == (sample.streams || !isPipe))
        guard sample.streams || !isPipe else { continue }
        #expect(report.format == sample.format)
        let file = try SwzFile(ArraySource(container))
        let expected = try Self.expected(sample.name)
        #expect(file.tensors.map(\.name) == expected.map(\.name))
        #expect(file.tensors.map(\.elementType) == expected.map(\.elementType.name))
        #expect(file.tensors.map(\.shape) == expected.map(\.shape))
        #expect(file.tensors.map(\.offset) == expected.map(\.offset))
        #expect(file.tensors.map(\.byteCount) == expected.map(\.byteCount))
      }
    }
  }

  /// A block type is coded by its fields, not as plain bytes.
  @Test func blockTypesAreCodedAsSuch() throws {
    let file = try SwzFile(ArraySource(try packed(from: ArraySource(try Self.fixture("types.gguf")), options()).bytes))
    let types = Set(file.segments.filter { $0.codec == "planes" }.map(\.elementType))
    #expect(types.isSuperset(of: ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "TQ1_0", "TQ2_0"]))
  }

  /// Cut anywhere, changed anywhere: the map stays inside what it promises, and the file comes back.
  @Test(arguments: samples) func damaged(sample: Sample) throws {
    let original = try Self.fixture(sample.name)
    var random = Random(41)
    for round in 0..<60 {
      let cut = round < 20 ? min(original.count, 9 * round * round) : random.below(original.count)
      try expectComesBack(Array(original[..<cut]), isPipe: round % 3 == 0)
    }
    let headerBytes = min(original.count, 6000)
    for round in 0..<400 {
      var bytes = original
      // The structure is at the front, and in a zip archive at the end.
      for _ in 0..<(1 + round % 4) {
        let place = random.below(headerBytes)
        let at = sample.format == "npz" && random.below(2) == 0 ? original.count - 1 - min(place, 700) : place
        let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256))]
        for step in 0..<[1, 1, 2, 8][random.below(4)] where at + step < bytes.count {
          bytes[at + step] = interesting[random.below(interesting.count)]
        }
      }
      expectSoundMap(bytes)
      if round % 8 == 0 { try expectComesBack(bytes, isPipe: round % 16 == 0) }
    }
  }

  private func expectComesBack(_ bytes: [UInt8], isPipe: Bool) throws {
    expectSoundMap(bytes)
    let (container, _) = try packed(from: ArraySource(bytes, isPipe: isPipe), options(level: 1, verify: false))
    #expect(same(try unpackedForward(container), bytes))
  }

  private func expectSoundMap(_ bytes: [UInt8]) {
    for format in Formats.all {
      guard let map = try? format.map(MemoryInput(bytes)) else { continue }
      let layout = Planner.layout(of: map, format: format.name, fileByteCount: UInt64(bytes.count))
      var end: UInt64 = 0
      for payload in map.payloads {
        #expect(payload.offset >= end && payload.byteCount > 0)
        #expect(payload.byteCount % UInt64(payload.elementType.width) == 0)
        end = payload.offset + payload.byteCount
      }
      var cursor: UInt64 = 0
      for segment in layout.segments {
        #expect(segment.offset == cursor && segment.byteCount > 0)
        cursor += UInt64(segment.byteCount)
      }
      #expect(cursor == UInt64(bytes.count))
      for tensor in layout.tensors { #expect(tensor.offset + tensor.byteCount <= UInt64(bytes.count)) }
    }
  }

  /// A file without a header: type and phase show in the values.
  @Test(arguments: [ElementType.bf16, .f16, .f32]) func guesses(type: ElementType) throws {
    for phase in 0..<type.width {
      let bytes = Random.made(phase) + Pattern.weights.bytes(type, 100_000)
      let map = try #require(try RawGuess.map(MemoryInput(bytes)))
      #expect(map.payloads.map(\.elementType) == [type])
      #expect(map.payloads[0].offset == UInt64(phase))
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
      #expect(try RawGuess.map(MemoryInput(bytes)) == nil)
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

/// A file in memory, as parsers see it.
private struct MemoryInput: InputBytes {
  let content: [UInt8]
  init(_ content: [UInt8]) { self.content = content }
  var byteCount: UInt64? { UInt64(content.count) }
  func peek(_ count: Int) throws(SwzipError) -> [UInt8] { Array(content.prefix(count)) }
  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard offset < content.count else { return [] }
    return Array(content[Int(offset)...].prefix(count))
  }
}
