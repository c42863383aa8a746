import SwzipCore
import SwzipInputs
import SwzipLibc
import SwzipSamples
import SwzipSystem
import SwzipTestSupport
import Testing

@testable import Swzip

/// Tensors in memory, packed as the safetensors file that they make.
struct TensorTests {
  private static func bytes(_ source: SafetensorsSource) throws -> [UInt8] {
    try source.bytes(at: 0, count: Int(source.byteCount))
  }

  /// Every type that safetensors writes, in a file of its own making, from tensors in any order.
  @Test(arguments: 0..<4) func asSafetensorsWritesThem(seed: UInt64) throws {
    let file = Fixtures.bytes("inputs/types.safetensors")
    let container = try Container(bytes: packed(file))
    var random = Random(seed)
    let tensors = try container.tensors.map { tensor in
      PackTensor(
        name: tensor.name, elementType: try #require(ElementType(safetensorsName: tensor.elementType)),
        shape: tensor.shape.map(Int.init), values: try container.bytes(of: tensor))
    }
    let metadata = ["format\u{1}": "\"pt\"\n\\\u{7F}\u{8}\u{C}\r\t/é𐀀"]
    #expect(tensors.count > 40)
    #expect(same(try Self.bytes(SafetensorsSource(tensors.shuffled(using: &random), metadata: metadata)), file))
  }

  /// Tensors of any names, types and shapes come back, from a file that is laid out as it should be.
  @Test(arguments: 0..<12) func anyTensors(seed: UInt64) throws {
    var random = Random(seed)
    let folder = TestFolder()
    let tensors = Self.anyTensors(&random)
    let metadata = seed % 2 == 0 ? [:] : ["\u{1F}": "", "a": "\"", "": "é"]
    let report = try pack(tensors: tensors.map(\.packed), metadata: metadata, to: folder("a.swz"))
    #expect(report.format == "safetensors" && report.tensorCount == tensors.count && report.warnings.isEmpty)

    let container = try Container(path: folder("a.swz"))
    for tensor in tensors {
      let found = try #require(container.tensors[tensor.packed.name])
      #expect(
        found.elementType == tensor.packed.elementType.name && found.shape == tensor.packed.shape.map(UInt64.init))
      #expect(same(try container.bytes(of: found), tensor.bytes))
    }
    var end = UInt64(8) + (try container.bytes(ofMember: 0).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) })
    #expect(end % 8 == 0)
    let laidOut = container.tensors.filter { $0.byteCount > 0 }.sorted { $0.offset < $1.offset }
    for tensor in laidOut {
      #expect(tensor.offset == end)
      end += tensor.byteCount
    }
    #expect(end == report.rawByteCount)
    let widths = laidOut.map { ElementType(safetensorsName: $0.elementType)!.width }
    #expect(zip(widths, widths.dropFirst()).allSatisfy { $0 >= $1 }, "each lies where its type may")
  }

  private struct Sample {
    let packed: PackTensor
    let bytes: [UInt8]
  }

  private static func anyTensors(_ random: inout Random) -> [Sample] {
    // Some mean the same to a reader, and are other names.
    let names = [
      "", "a", "A", "\u{E9}", "e\u{301}", "\u{212B}", "\u{C5}", "\"\\/", "\0", "\n\r\t", "𐀀", "\u{FFFF}", "\u{10FFFF}",
      "層.重み", "model.layers.0.weight", "model.layers.10.weight", "__metadata", String(repeating: "long", count: 5000),
    ]
    return names.shuffled(using: &random).prefix(1 + random.below(names.count)).map { name in
      let type = ElementType.safetensors[random.below(ElementType.safetensors.count)]
      var shape = (0..<random.below(5)).map { _ in random.below(8) }
      if type.bitCount < 8 { shape.append(4 * random.below(9)) }
      let bytes = random.bytes(shape.reduce(type.bitCount, *) / 8)
      return Sample(packed: PackTensor(name: name, elementType: type, shape: shape, values: bytes), bytes: bytes)
    }
  }

  /// Numbers, memory of others, parts of a container: what a tensor is made of makes no difference.
  @Test func sources() throws {
    let numbers = (0..<50_000).map { Float($0) / 7 }
    let bytes = unsafe numbers.withUnsafeBytes { unsafe Array($0) }
    let container = try Container(bytes: packed([1, 2, 3] + bytes))
    let part = PartSource(container.source(ofMember: 0), 3..<UInt64(bytes.count + 3))
    try unsafe bytes.withUnsafeBytes { memory in
      let files = try [
        PackTensor(name: "w", elementType: .f32, shape: [100, 500], values: numbers),
        PackTensor(name: "w", elementType: .f32, shape: [100, 500], values: bytes),
        PackTensor(name: "w", elementType: .f32, shape: [100, 500], source: unsafe MemorySource(memory)),
        PackTensor(name: "w", elementType: .f32, shape: [100, 500], source: part),
      ].map { try packed(from: SafetensorsSource([$0]), options(threads: 3)).bytes }
      #expect(Set(files).count == 1)
      #expect(same(try Container(bytes: files[0]).bytes(ofMember: 0).suffix(bytes.count), bytes))
    }
  }

  /// Differences to the version before; who may read that may read them. The first is readable as any new file.
  @Test func steps() throws {
    let folder = TestFolder()
    var values = Pattern.weights.bytes(.bf16, 60_000)
    func save(_ name: String, bases: [String] = []) throws -> PackReport {
      let tensor = PackTensor(name: "w", elementType: .bf16, shape: [60, 1000], values: values)
      return try pack(tensors: [tensor], bases: bases.map { folder($0) }, to: folder(name))
    }
    let first = try save("1.swz")
    #expect(close(unsafe SwzipLibc.open(folder("new"), O_CREAT | O_WRONLY, 0o666)) == 0)
    #expect(try FileStatus.of(folder("1.swz")).permissions == FileStatus.of(folder("new")).permissions)
    for place in stride(from: 0, to: values.count, by: 300) { values[place] ^= 1 }
    folder.setMode("1.swz", 0o640)
    let second = try save("2.swz", bases: ["1.swz"])
    #expect(second.packedByteCount * 10 < first.packedByteCount)
    #expect(try FileStatus.of(folder("2.swz")).permissions == 0o640)
    let container = try Container(path: folder("2.swz"), bases: Bases([baseFile(folder("1.swz"))]))
    #expect(same(try container.bytes(of: container.tensors[0]), values))
  }

  @Test func mistakes() throws {
    func tensor(_ name: String, _ type: ElementType, _ shape: [Int], _ count: Int) -> PackTensor {
      PackTensor(name: name, elementType: type, shape: shape, values: [UInt8](repeating: 0, count: count))
    }
    let folder = TestFolder()
    folder.write("out", [7])
    for (tensors, words) in [
      ([tensor("w", .f32, [2, 3], 20)], "tensor 'w': it has 20 bytes, and F32 of shape [2, 3] takes 24"),
      ([tensor("w", .f32, [], 0)], "tensor 'w': it has 0 bytes, and F32 of shape [] takes 4"),
      ([tensor("w", .f32, [2, -3], 24)], "tensor 'w': F32 of shape [2, -3] is no whole number of bytes"),
      ([tensor("w", .f4, [3], 2)], "tensor 'w': F4 of shape [3] is no whole number of bytes"),
      ([tensor("w", .u8, [.max, .max], 1)], "no whole number of bytes"),
      ([tensor("w", .q40, [32], 18)], "tensor 'w': safetensors has no type Q4_0"),
      ([tensor("w", .bf16BE, [1], 2)], "tensor 'w': safetensors has no type BF16_BE"),
      ([tensor("w", .u8, [1], 1), tensor("w", .f32, [1], 4)], "tensor 'w': the name is taken"),
      ([tensor("__metadata__", .u8, [1], 1)], "tensor '__metadata__': the name is taken"),
    ] {
      let error = #expect(throws: SwzipError.self) { try pack(tensors: tensors, to: folder("out")) }
      #expect(error?.kind == .invalidArgument && error?.text.contains(words) == true, "\(error?.text ?? "")")
    }
    #expect(folder.read("out") == [7])
  }

  @Test func everyTypeHasAPlace() {
    #expect(Set(SafetensorsHeader.fileOrder) == Set(ElementType.safetensors))
    #expect(SafetensorsHeader.fileOrder.count == ElementType.safetensors.count)
  }
}
