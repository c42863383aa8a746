import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Quants find the model that they were made of: in the same container, whatever the order of the files, or in a base; and come
/// back byte for byte.
struct QuantTests {
  private static let rows: UInt64 = 96
  private static let columns: UInt64 = 1024
  private static var count: Int { Int(rows * columns) }

  private static func values(_ seed: UInt64) -> [UInt8] { Pattern.weights.bytes(.bf16, count, seed: seed) }

  private static func quant(_ type: ElementType, names: [String] = ["blk.0.ffn_up.weight", "blk.1.ffn_up.weight"])
    -> [UInt8]
  {
    var file = GGUFFile()
    for (index, name) in names.enumerated() {
      var blocks = Quants.made(type, of: values(UInt64(index)), .bf16)
      for place in stride(from: 5, to: blocks.count, by: 9973) where type != .tq10 { blocks[place] ^= 4 }
      file.add(name, [columns, rows], type: UInt32(type.rawValue & 63), blocks)
    }
    return file.bytes
  }

  private static let model: [UInt8] = {
    var file = GGUFFile()
    for index in 0..<2 {
      file.add("blk.\(index).ffn_up.weight", [columns, rows], type: 30, values(UInt64(index)))
    }
    return file.bytes
  }()

  private static let others: [UInt8] = {
    var file = SafetensorsFile()
    for index in 0..<2 {
      file.add(
        "model.layers.\(index).mlp.up_proj.weight", .bf16, [Int(rows), Int(columns)], .weights, seed: UInt64(index))
      file.tensors[index].bytes = values(UInt64(index))
    }
    return file.bytes
  }()

  /// Packs files that stand in this order then, and reads them back in every way.
  private func pack(_ files: [(name: String, bytes: [UInt8])], given: [Int]? = nil) throws -> Container {
    let files = files.map { FolderTests.File(name: $0.name, bytes: $0.bytes) }
    let (container, _) = try FolderTests.packed((given ?? Array(files.indices)).map { files[$0] }, options(threads: 2))
    for isPipe in [false, true] {
      let sinks = ArraySinks()
      _ = try unpack(from: byteSource(container, isPipe: isPipe), to: sinks, threads: 2)
      sinks.expect(files)
    }
    let file = try Container(ArraySource(container))
    let last = ArraySinks()
    _ = try unpack([files.count - 1], of: file, to: last, threads: 1)
    last.expect([files[files.count - 1]])
    return file
  }

  private func replayed(_ file: Container) -> UInt64 {
    file.segments.filter { $0.codec == "replay" }.reduce(0) { $0 + $1.byteCount }
  }

  private static let types: [ElementType] = [
    .q40, .q41, .q50, .q51, .q80, .q2K, .q3K, .q4K, .q5K, .q6K, .iq4NL, .tq10, .tq20,
  ]

  @Test(arguments: types) func besideTheModel(type: ElementType) throws {
    let quant = Self.quant(type)
    let tensors = UInt64(2 * Self.count / type.elementsPerValue * type.width)
    for model in [("z-model.gguf", Self.model), ("model.safetensors", Self.others)] {
      let file = try pack([model, ("a-quant.gguf", quant)], given: [1, 0])
      #expect(replayed(file) == tensors)
      let packed = file.segments.filter { $0.codec == "replay" }.reduce(0) { $0 + $1.packedByteCount }
      #expect(packed * 20 < tensors)
    }
  }

  /// Names that nothing knows; a quant of something else; the same quant twice.
  @Test func otherNames() throws {
    let renamed = Self.quant(.q4K, names: ["x.weight", "y"])
    #expect(replayed(try pack([("m.gguf", Self.model), ("q.gguf", renamed)])) == UInt64(2 * Self.count / 256 * 144))
    var stranger = GGUFFile()
    let blocks = Quants.made(.q4K, of: Self.values(99), .bf16)
    stranger.add("blk.0.ffn_up.weight", [Self.columns, Self.rows], type: 12, blocks)
    #expect(replayed(try pack([("m.gguf", Self.model), ("q.gguf", stranger.bytes)])) == 0)
    let twice = try pack([("m.gguf", Self.model), ("q1.gguf", renamed), ("q2.gguf", renamed)])
    #expect(replayed(twice) == UInt64(4 * Self.count / 256 * 144))
  }

  @Test func givenABase() throws {
    let quant = Self.quant(.q6K)
    for model in [Self.model, Self.others] {
      let (container, _) = try BaseTests.packed(quant, base: model)
      let file = try Container(ArraySource(container))
      #expect(replayed(file) == UInt64(2 * Self.count / 256 * 210))
      for isPipe in [false, true] {
        #expect(same(try BaseTests.unpacked(container, bases: [model], isPipe: isPipe, threads: 2), quant))
      }
      #expect(throws: SwzipError.self) { try BaseTests.unpacked(container, bases: [Self.quant(.q80)]) }
    }
  }

  /// Every flipped byte of a quant's segments is an error.
  @Test func damage() throws {
    let files = [("m.gguf", Self.model), ("q.gguf", Self.quant(.q4K))].map { FolderTests.File(name: $0.0, bytes: $0.1) }
    let (container, _) = try FolderTests.packed(files, options())
    let file = try Container(ArraySource(container))
    let place = try #require(file.index.segments.last { $0.record.codec == CodecID.replay.rawValue })
    for offset in stride(
      from: Int(place.framePosition), to: Int(place.blocksPosition + place.record.blocksByteCount), by: 7)
    {
      var damaged = container
      damaged[offset] ^= 0x20
      #expect(throws: SwzipError.self, "byte \(offset)") {
        try unpack(from: ArraySource(damaged), to: ArraySinks(), threads: 1)
      }
    }
  }
}
