import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Pickles that are hostile or odd, in otherwise sound torch files: none is run, none takes long, none traps.
struct PickleTests {
  struct Probe: Sendable, CustomTestStringConvertible {
    let name: String
    let pickle: [UInt8]
    /// Names of the tensors; nil if the file is not understood.
    var tensors: [String]?
    var testDescription: String { name }
  }

  // MARK: opcodes

  static let stop: [UInt8] = [0x2E]
  static let emptyDict: [UInt8] = [0x7D]
  static let emptyList: [UInt8] = [0x5D]
  static let mark: [UInt8] = [0x28]
  static func text(_ text: String) -> [UInt8] { [0x8C, UInt8(text.utf8.count)] + Array(text.utf8) }
  static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
  static func number(_ value: Int32) -> [UInt8] {
    [0x4A] + (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  static func tuple(_ items: [UInt8]...) -> [UInt8] { mark + items.flatMap(\.self) + [0x74] }

  static func storage(_ key: String = "0", class name: String = "FloatStorage", count: Int32 = 1024) -> [UInt8] {
    tuple(text("storage"), global("torch", name), text(key), text("cpu"), number(count)) + [0x51]
  }

  static func tensor(
    _ storage: [UInt8] = storage(), offset: Int32 = 0, shape: [Int32] = [32, 32], strides: [Int32] = [32, 1]
  ) -> [UInt8] {
    let (shape, strides) = (shape.flatMap(number), strides.flatMap(number))
    return global("torch._utils", "_rebuild_tensor_v2")
      + tuple(storage, number(offset), mark + shape + [0x74], mark + strides + [0x74], [0x89]) + [0x52]
  }

  /// {"w": value}
  static func dictionary(_ value: [UInt8]) -> [UInt8] { emptyDict + text("w") + value + [0x73] + stop }

  static func repeated(_ bytes: [UInt8], _ count: Int) -> [UInt8] {
    [[UInt8]](repeating: bytes, count: count).flatMap(\.self)
  }

  static let probes: [Probe] = [
    Probe(name: "a tensor", pickle: dictionary(tensor()), tensors: ["w"]),
    Probe(
      name: "the same in protocol 0 texts", pickle: emptyDict + Array("Vw\n".utf8) + tensor() + [0x73, 0x2E],
      tensors: ["w"]),
    Probe(
      name: "os.system is only text", pickle: dictionary(global("os", "system") + tuple(text("exit")) + [0x52]),
      tensors: []),
    Probe(
      name: "a tensor in an unknown object's arguments",
      pickle: dictionary(global("any", "thing") + tuple(number(1), tensor()) + [0x52]), tensors: ["w.1"]),
    Probe(
      name: "a tensor in an unknown object's state",
      pickle: dictionary(
        global("any", "thing") + [0x29, 0x81] + emptyDict + text("x") + tensor() + [0x73, 0x62]), tensors: ["w.x"]),
    Probe(
      name: "a storage that ends inside a value",
      pickle: dictionary(
        global("torch._utils", "_rebuild_tensor_v3")
          + tuple(
            storage(class: "UntypedStorage", count: 4094), number(0), tuple(number(9)), tuple(number(1)), [0x89],
            [0x4E],
            global("torch", "float32")) + [0x52]), tensors: []),
    Probe(name: "beyond its storage", pickle: dictionary(tensor(offset: 1)), tensors: []),
    Probe(
      name: "strides beyond counting",
      pickle: dictionary(tensor(shape: [.max, .max, .max], strides: [.max, .max, 1])), tensors: []),
    Probe(name: "negative stride", pickle: dictionary(tensor(strides: [-32, 1])), tensors: []),
    Probe(name: "negative offset", pickle: dictionary(tensor(offset: -1)), tensors: []),
    Probe(name: "negative count", pickle: dictionary(tensor(storage(count: -1))), tensors: []),
    Probe(name: "another count than the record's", pickle: dictionary(tensor(storage(count: 2048))), tensors: []),
    Probe(name: "unknown class of storage", pickle: dictionary(tensor(storage(class: "OddStorage"))), tensors: []),
    Probe(name: "no record of that key", pickle: dictionary(tensor(storage("no"))), tensors: []),
    Probe(
      name: "one storage, two types",
      pickle: emptyDict + text("a") + tensor() + [0x73] + text("b") + tensor(storage(class: "LongStorage")) + [0x73]
        + stop, tensors: ["a", "b"]),
    Probe(
      name: "a list within itself", pickle: emptyList + [0x71, 0, 0x68, 0, 0x61] + tensor() + [0x61] + stop,
      tensors: ["1"]),
    Probe(name: "deep lists", pickle: repeated(emptyList, 200_000) + repeated([0x61], 199_999) + stop, tensors: []),
    Probe(
      name: "deep lists around a tensor",
      pickle: repeated(emptyList, 100_000) + tensor() + repeated([0x61], 100_000) + stop, tensors: []),
    Probe(
      name: "tuples of tuples, 2^60 paths to a tensor",
      pickle: tensor() + [0x71, 0]
        + (1...60).flatMap { [0x68, UInt8($0 - 1), 0x68, UInt8($0 - 1), 0x86, 0x71, UInt8($0)] } + stop,
      tensors: ["0", "1"].map { String(repeating: "0.", count: 59) + $0 }),
    Probe(name: "far memo index", pickle: dictionary([0x4E, 0x72, 0xFF, 0xFF, 0xFF, 0x7F]), tensors: nil),
    Probe(name: "unknown memo index", pickle: [0x68, 9] + stop, tensors: nil),
    Probe(name: "text of 2^63 bytes", pickle: [0x8D] + repeated([0xFF], 7) + [0x7F] + stop, tensors: nil),
    Probe(name: "bytes of 2^32 bytes", pickle: [0x42, 0xFF, 0xFF, 0xFF, 0xFF] + stop, tensors: nil),
    Probe(name: "number of 2^31 bytes", pickle: [0x8B, 0xFF, 0xFF, 0xFF, 0x7F] + stop, tensors: nil),
    Probe(name: "number of 255 bytes", pickle: dictionary([0x8A, 0xFF] + repeated([1], 255)), tensors: []),
    Probe(name: "nothing on the stack", pickle: stop, tensors: nil),
    Probe(name: "no end", pickle: emptyDict, tensors: nil),
    Probe(name: "takes what is below a mark", pickle: emptyDict + mark + [0x30, 0x2E], tensors: nil),
    Probe(name: "items without a list", pickle: mark + [0x65, 0x2E], tensors: nil),
    Probe(name: "an odd number of items", pickle: emptyDict + mark + number(1) + [0x75, 0x2E], tensors: nil),
    Probe(name: "tuple of three from one", pickle: number(1) + [0x87, 0x2E], tensors: nil),
    Probe(name: "an extension", pickle: [0x82, 1] + stop, tensors: nil),
    Probe(name: "persistent id that is no tuple", pickle: dictionary(text("storage") + [0x51]), tensors: []),
    Probe(
      name: "many marks", pickle: repeated(mark, 300_000) + repeated([0x31], 300_000) + emptyDict + stop, tensors: []),
    Probe(
      name: "many names of one tensor",
      pickle: tensor() + [0x71, 0, 0x30] + emptyList + mark + repeated([0x68, 0], 100_000) + [0x65] + stop,
      tensors: (0..<100_000).map(String.init)),
    Probe(
      name: "long names of one tensor",
      pickle: [0x8E - 0x36, 0, 0, 1, 0] + repeated([0x61], 65_536) + [0x71, 0, 0x30] + tensor() + [0x71, 1, 0x30]
        + emptyList + mark + repeated(emptyDict + [0x68, 0, 0x68, 1, 0x73], 30_000) + [0x65] + stop, tensors: []),
  ]

  @Test(arguments: probes) func isLookedAtOnly(probe: Probe) throws {
    let file = ZipFile.torch(pickle: probe.pickle, storages: [Pattern.weights.bytes(.f32, 1024)])
    let map = try Torch.map(SparseBytes(file))
    #expect(map?.problem(byteCount: UInt64(file.count)) == nil)
    if let map, let names = probe.tensors {
      #expect(Set(map.tensors.map(\.name)) == Set(names))
    } else {
      #expect((map == nil) == (probe.tensors == nil))
    }
    #expect(try Torch.map(SparseBytes(file, isPipe: true))?.problem(byteCount: nil) == nil)
  }

  /// A storage that is counted in bytes, named beside a tensor of it: whole values of the tensor's type.
  @Test func storageThatEndsInsideAValue() throws {
    let storage = Self.storage(class: "UntypedStorage", count: 4094)
    let tensor =
      Self.global("torch._utils", "_rebuild_tensor_v3")
      + Self.tuple(
        storage, Self.number(0), Self.tuple(Self.number(9)), Self.tuple(Self.number(1)), [0x89], [0x4E],
        Self.global("torch", "float32")) + [0x52]
    let pickle = Self.emptyDict + Self.text("t") + tensor + [0x73] + Self.text("s") + storage + [0x73] + Self.stop
    let file = ZipFile.torch(pickle: pickle, storages: [[UInt8](repeating: 1, count: 4094)])
    for isPipe in [false, true] {
      let map = try #require(try Torch.map(SparseBytes(file, isPipe: isPipe)))
      #expect(map.problem(byteCount: isPipe ? nil : UInt64(file.count)) == nil)
      #expect(map.tensors.map(\.byteCount).sorted() == [36, 4092])
    }
  }

  /// Tensors that share a storage are no copies of each other; a second storage of the same bytes is one.
  @Test func sharedAndCopiedStorages() throws {
    let bytes = Pattern.weights.bytes(.f32, 128 * 256)
    let shape: [Int32] = [128, 256]
    let tensors = [
      ("part", Self.tensor(Self.storage(count: 128 * 256), offset: 28 * 256, shape: [100, 256], strides: [256, 1])),
      ("whole", Self.tensor(Self.storage(count: 128 * 256), shape: shape, strides: [256, 1])),
      ("tied", Self.tensor(Self.storage(count: 128 * 256), shape: shape, strides: [256, 1])),
      ("copy", Self.tensor(Self.storage("1", count: 128 * 256), shape: shape, strides: [256, 1])),
    ]
    let pickle = Self.emptyDict + tensors.flatMap { Self.text($0.0) + $0.1 + [0x73] } + Self.stop
    let original = ZipFile.torch(pickle: pickle, storages: [bytes, bytes])
    let (container, report) = try packed(from: ArraySource(original), options())
    #expect(report.tensorCount == tensors.count)
    #expect(
      try Container(ArraySource(container)).segments.filter { $0.codec == "copy" }.map(\.byteCount) == [128 * 1024])
    #expect(same(try unpackedForward(container), original))
    #expect(same(try unpacked(container, capacity: original.count), original))
    let predicted = try predict(ArraySource(original), level: 3).flatMap(\.tensors).map(\.name)
    #expect(predicted.sorted() == tensors.map(\.0).sorted())
  }

  /// Random opcodes and operands, with pieces of sound ones among them.
  @Test func randomPickles() throws {
    var random = Random(5)
    let opcodes = Array("(012NI.JKML]}e)asdtlubRbQqrpgjhcXUTVSGCB".utf8) + Array(0x80...0x98)
    let pieces = [Self.tensor(), Self.storage(), Self.text("k"), Self.number(3), Self.emptyDict, Self.mark]
    for round in 0..<1500 {
      var pickle: [UInt8] = []
      for _ in 0..<(1 + random.below(30)) {
        switch random.below(4) {
        case 0: pickle += pieces[random.below(pieces.count)]
        case 1: pickle.append(UInt8(random.below(4)))
        default: pickle.append(opcodes[random.below(opcodes.count)])
        }
      }
      let file = ZipFile.torch(pickle: pickle + Self.stop, storages: [[UInt8](repeating: 1, count: 4096)])
      for isPipe in [false, true] {
        let map = try Torch.map(SparseBytes(file, isPipe: isPipe))
        #expect(map?.problem(byteCount: isPipe ? nil : UInt64(file.count)) == nil, "round \(round)")
      }
    }
  }
}
