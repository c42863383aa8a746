import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Files that are sound though not as the usual writers make them, with the tensors that must be found.
struct UnusualFile: Sendable, CustomTestStringConvertible {
  let name: String
  let bytes: [UInt8]
  let format: any ModelFormat.Type
  /// What packing calls it.
  var called: String
  /// "name TYPE 2x3", in the order of the file.
  var tensors: [String]
  /// A word of the one warning.
  var warns: String?
  /// Whether its values are coded by their type.
  var isMapped = true
  var testDescription: String { name }

  init(
    _ name: String, _ bytes: [UInt8], _ format: any ModelFormat.Type, called: String? = nil, _ tensors: [String],
    warns: String? = nil, isMapped: Bool = true
  ) {
    (self.name, self.bytes, self.format, self.tensors, self.warns) = (name, bytes, format, tensors, warns)
    self.called = called ?? format.name
    self.isMapped = isMapped
  }

  static let all = gguf + torch + pickles + numPy + others
  static let values = Pattern.weights.bytes(.f32, 64 * 96)

  // MARK: GGUF

  private static func gguf(_ edit: (inout GGUFFile) -> Void) -> [UInt8] {
    var file = GGUFFile()
    edit(&file)
    file.add("last", [96, 64], type: 0, values)
    return file.bytes
  }

  private static let longName = String(repeating: "n", count: 200)

  static let gguf: [UnusualFile] = [
    UnusualFile(
      "five dimensions", gguf { $0.add("patch", [16, 8, 1, 2, 24], type: 0, values) }, GGUF.self,
      ["patch F32 24x2x1x8x16", "last F32 64x96"]),
    UnusualFile(
      "a long name", gguf { $0.add(longName, [6144], type: 0, values) }, GGUF.self,
      ["\(longName) F32 6144", "last F32 64x96"]),
    UnusualFile(
      "arrays of arrays",
      gguf {
        let inner = GGUFFile.number(UInt32(4)) + GGUFFile.number(UInt64(2)) + [1, 0, 0, 0, 2, 0, 0, 0]
        let texts = GGUFFile.number(UInt32(8)) + GGUFFile.number(UInt64(1)) + GGUFFile.text("x")
        $0.add(key: "nested", type: 9, GGUFFile.number(UInt32(9)) + GGUFFile.number(UInt64(2)) + inner + texts)
      }, GGUF.self, ["last F32 64x96"]),
    UnusualFile(
      "an unknown type",
      gguf {
        $0.add("odd", [6144], type: 60, values)
        $0.add("odd too", [6144], type: 61, values)
      }, GGUF.self, ["odd BYTES 24576", "odd too BYTES 24576", "last F32 64x96"], warns: "tensor odd is of type 60"),
    UnusualFile(
      "a row that is no whole block", gguf { $0.add("odd", [33], type: 2, values) }, GGUF.self,
      ["odd BYTES 24576", "last F32 64x96"], warns: "dimensions"),
    UnusualFile(
      "big-endian",
      Array("GGUF".utf8) + [0, 0, 0, 3] + [UInt8](repeating: 0, count: 120) + Pattern.weights.bytes(.f32, 30_000),
      GGUF.self, [], warns: "big-endian"),
  ]

  // MARK: torch

  private static let dictionary = PickleTests.dictionary(
    PickleTests.tensor(PickleTests.storage(count: 6144), shape: [64, 96], strides: [96, 1]))

  /// By another writer of zip files: no alignment, lengths in front.
  private static func rewritten(_ records: [(name: String, data: [UInt8], isStored: Bool)], lead: Int = 0) -> [UInt8] {
    var file = PlainZip()
    for record in records { file.add(record.name, record.data, isStored: record.isStored) }
    return Random.made(lead) + file.finished
  }

  private static func saved(isStored: Bool = true) -> [(name: String, data: [UInt8], isStored: Bool)] {
    [
      ("m/version", Array("3\n".utf8), true), ("m/data/0", values, isStored), ("m/data.pkl", dictionary, isStored),
      ("m/byteorder", Array("little".utf8), true),
    ]
  }

  private static let exported =
    #"{"config":{"a.weight":{"path_name":"weight_0","is_param":true,"use_pickle":false,"tensor_meta":{"dtype":7,"sizes":"#
    + #"[{"as_int":64},{"as_int":96}],"requires_grad":true,"device":{"type":"cpu","index":null},"strides":[{"as_int":96},"#
    + #"{"as_int":1}],"storage_offset":{"as_int":0},"layout":7}},"odd":{"path_name":"weight_1","tensor_meta":null}}}"#

  private static let torchFile = ZipFile.torch(pickle: dictionary, storages: [values])

  /// torch.save without zip: `protocol` 2 to 5.
  static func legacy(protocol version: UInt8, count: Int32 = 6144) -> [UInt8] {
    let start = [0x80, version] + (version < 4 ? [] : [0x95] + GGUFFile.number(UInt64(13)))
    let magic: [UInt8] = [0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E]
    let sizes = PickleTests.emptyDict + PickleTests.text("little_endian") + [0x88, 0x73, 0x2E]
    let keys = PickleTests.emptyList + PickleTests.text("0") + [0x61, 0x2E]
    return start + magic + [0x80, version, 0x4D, 0xE9, 0x03, 0x2E] + sizes + dictionary + keys
      + GGUFFile.number(UInt64(count)) + values
  }

  static let torch: [UnusualFile] =
    (2...5).map { UnusualFile("legacy, protocol \($0)", legacy(protocol: $0), Torch.self, ["w F32 64x96"]) } + [
      UnusualFile("rewritten", rewritten(saved()), Torch.self, ["w F32 64x96"]),
      UnusualFile("behind other bytes", rewritten(saved(), lead: 700), Torch.self, ["w F32 64x96"]),
      UnusualFile("followed by other bytes", torchFile + [10, 10, 10], Torch.self, ["w F32 64x96"]),
      UnusualFile("followed by many bytes", torchFile + Random.made(60_000), Torch.self, ["w F32 64x96"]),
      UnusualFile(
        "compressed", rewritten(saved(isStored: false)), Torch.self, [], warns: "compressed already"),
      UnusualFile(
        "exported",
        rewritten([
          ("e/data/weights/weight_0", values, true),
          ("e/data/weights/model_weights_config.json", Array(exported.utf8), true),
          ("e/models/model.json", [0x7B], true),
        ]), Torch.self, called: "zip", ["a.weight F32 64x96"]),
      UnusualFile(
        "a package",
        rewritten([
          ("p/.data/0.storage", values, true), ("p/net/net.pkl", dictionary, true),
          ("p/code.py", Array("pass".utf8), true),
        ]), Torch.self, ["net.net.w F32 64x96"]),
      UnusualFile(
        "models in an archive",
        rewritten([("args.json", Array("{}".utf8), true), ("model.pt", torchFile, true), ("x.npy", array(), true)]),
        Torch.self, called: "zip", ["model.pt/w F32 64x96", "x.npy/array F32 64x96"]),
    ]

  // MARK: pickles

  private static func dtype(_ name: String, order: String = "<") -> [UInt8] {
    let state = PickleTests.tuple(PickleTests.number(3), PickleTests.text(order), [0x4E], [0x4E], [0x4E])
    return PickleTests.global("numpy", "dtype") + PickleTests.tuple(PickleTests.text(name), [0x89], [0x88]) + [0x52]
      + [0x94] + state + [0x62]
  }

  private static let shape = PickleTests.tuple(PickleTests.number(64), PickleTests.number(96))

  /// As arrays reduce themselves up to protocol 4.
  private static func reconstructed(_ module: String, _ type: [UInt8] = dtype("f4")) -> [UInt8] {
    let made = PickleTests.tuple(
      PickleTests.global("numpy", "ndarray"), PickleTests.tuple(PickleTests.number(0)), [0x43, 1, 0x62])
    let data = [0x42] + GGUFFile.number(UInt32(values.count)) + values
    let state = PickleTests.tuple(PickleTests.number(1), shape, type, [0x89], data)
    return PickleTests.global(module, "_reconstruct") + made + [0x52, 0x94] + state + [0x62]
  }

  private static let fromBuffer =
    PickleTests.global("numpy._core.numeric", "_frombuffer")
    + PickleTests.tuple(
      [0x96] + GGUFFile.number(UInt64(values.count)) + values, dtype("f4"), shape, PickleTests.text("C")) + [0x52]

  /// joblib writes the values behind the opcode that sets the state.
  private static let joblib =
    PickleTests.global("joblib.numpy_pickle", "NumpyArrayWrapper") + [0x29, 0x81] + PickleTests.emptyDict
    + PickleTests.mark + PickleTests.text("shape") + shape + PickleTests.text("order") + PickleTests.text("C")
    + PickleTests.text("dtype") + dtype("f4") + PickleTests.text("numpy_array_alignment_bytes") + [0x4B, 16]
    + [0x75, 0x62] + [5] + [255, 255, 255, 255, 255] + values

  private static func pickle(_ value: [UInt8]) -> [UInt8] {
    [0x80, 4, 0x95] + GGUFFile.number(UInt64(60)) + PickleTests.dictionary(value)
  }

  static let pickles: [UnusualFile] = [
    UnusualFile(
      "an array", pickle(reconstructed("numpy.core.multiarray")), Torch.self, called: "pickle", ["w F32 64x96"]),
    UnusualFile(
      "an array of NumPy 2", pickle(reconstructed("numpy._core.multiarray")), Torch.self, called: "pickle",
      ["w F32 64x96"]),
    UnusualFile("an array from a buffer", pickle(fromBuffer), Torch.self, called: "pickle", ["w F32 64x96"]),
    UnusualFile("an array of joblib", pickle(joblib), Torch.self, called: "pickle", ["w F32 64x96"]),
    UnusualFile(
      "an array beside a tensor",
      ZipFile.torch(
        pickle: PickleTests.emptyDict + PickleTests.text("a") + reconstructed("numpy.core.multiarray") + [0x73]
          + PickleTests.text("w") + PickleTests.tensor(PickleTests.storage(count: 1024)) + [0x73, 0x2E],
        storages: [Pattern.weights.bytes(.f32, 1024)]), Torch.self, ["a F32 64x96", "w F32 32x32"]),
  ]

  // MARK: NumPy

  static func array(
    _ header: String = "{'descr': '<f4', 'fortran_order': False, 'shape': (64, 96), }", version: UInt8 = 1,
    _ data: [UInt8] = values
  ) -> [UInt8] {
    let length = version == 1 ? GGUFFile.number(UInt16(header.utf8.count)) : GGUFFile.number(UInt32(header.utf8.count))
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + Array(header.utf8) + data
  }

  /// The values with the bytes of each `width` in the other order.
  private static func swapped(_ width: Int) -> [UInt8] {
    values.indices.map { values[$0 / width * width + width - 1 - $0 % width] }
  }

  private static func described(_ type: String, shape: String = "(64, 96)") -> [UInt8] {
    array("{'descr': \(type), 'fortran_order': False, 'shape': \(shape), }      \n")
  }

  static let numPy: [UnusualFile] = [
    UnusualFile("Python 2", described("'<f4'", shape: "(64L, 96L)"), NPY.self, ["array F32 64x96"]),
    UnusualFile(
      "double quotes", array(#"{"descr": "<f4", "fortran_order": False, "shape": [64, 96]}"#), NPY.self,
      ["array F32 64x96"]),
    UnusualFile(
      "other order, native values",
      array("{'shape':(6144,),'descr':'=f4', 'fortran_order':True,'more':[1,('a',None)]}"),
      NPY.self, ["array F32 6144"]),
    UnusualFile(
      "version 3", array("{'descr': '<f4', 'fortran_order': False, 'shape': (64, 96), 'ä': 1}", version: 3), NPY.self,
      ["array F32 64x96"]),
    UnusualFile("complex64", described("'<c8'", shape: "(64, 48)"), NPY.self, ["array C64 64x48"]),
    UnusualFile("complex128", described("'<c16'", shape: "(64, 24)"), NPY.self, ["array F64 64x24x2"]),
    UnusualFile(
      "big-endian values", array("{'descr': '>f4', 'fortran_order': False, 'shape': (64, 96), }", swapped(4)), NPY.self,
      ["array F32_BE 64x96"]),
    UnusualFile(
      "big-endian complex128", array("{'descr': '>c16', 'fortran_order': False, 'shape': (64, 24), }", swapped(8)),
      NPY.self, ["array F64_BE 64x24x2"]),
    UnusualFile("texts", described("'<U4'", shape: "(1536,)"), NPY.self, ["array BYTES 1536x16"]),
    UnusualFile("a structure", described("[('x', '<f4'), ('y', '<i4', (2,))]"), NPY.self, []),
    UnusualFile("objects", described("'|O'"), NPY.self, []),
    UnusualFile(
      "several arrays", array() + array() + described("'<f2'", shape: "(96, 128)"), NPY.self,
      ["array F32 64x96", "array.1 F32 64x96", "array.2 F16 96x128"]),
    UnusualFile(
      "no values", array("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 96), }", []), NPY.self,
      ["array F32 0x96"], isMapped: false),
    UnusualFile(
      "compressed arrays", rewritten([("a.npy", array(), true), ("b.npy", values, false)]), NPZ.self, ["a F32 64x96"],
      warns: "1 of 2 arrays"),
  ]

  // MARK: others

  /// A protocol buffer's field of bytes.
  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    var length: [UInt8] = []
    var rest = bytes.count
    while rest >= 0x80 {
      length.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    return [number << 3 | 2] + length + [UInt8(rest)] + bytes
  }

  private static func onnx(_ tensors: [[UInt8]]) -> [UInt8] {
    [8, 7] + field(2, Array("test".utf8)) + field(7, tensors.flatMap { field(5, $0) })
  }

  private static func initializer(_ name: String, type: UInt8, _ shape: [UInt8], _ data: [UInt8]) -> [UInt8] {
    field(1, shape) + [0x10, type] + field(8, Array(name.utf8)) + data
  }

  private static func tar(_ name: String, _ data: [UInt8]) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    header.replaceSubrange(0..<name.utf8.count, with: name.utf8)
    let octal = String(data.count, radix: 8)
    let digits = String(repeating: "0", count: 11 - octal.utf8.count) + octal
    header.replaceSubrange(124..<135, with: digits.utf8)
    header[156] = UInt8(ascii: "0")
    header.replaceSubrange(257..<262, with: "ustar".utf8)
    return header + data + [UInt8](repeating: 0, count: -data.count & 511)
  }

  static let others: [UnusualFile] = [
    UnusualFile(
      "integers in fields of their own",
      onnx([
        initializer("half", type: 10, [96], field(5, (0..<96).flatMap { [0x80 | $0, 0x70] })),
        initializer("ids", type: 7, [5], field(7, [1, 2, 3, 4, 5])),
        initializer("complex", type: 14, [0x80, 24], field(4, values)),
        initializer("raw complex", type: 15, [0x80, 12], field(9, values)),
      ]), ONNX.self, ["half BYTES 192", "ids BYTES 5", "complex C64 3072", "raw complex F64 1536x2"]),
    UnusualFile(
      "an unknown type of ONNX",
      onnx([
        initializer("odd", type: 99, [6], field(9, values)), initializer("w", type: 1, [0x80, 48], field(9, values)),
      ]), ONNX.self, ["odd BYTES 24576", "w F32 6144"], warns: "of type 99"),
    UnusualFile(
      "seventy dimensions",
      onnx([
        initializer("odd", type: 1, [UInt8](repeating: 1, count: 70), field(9, [0, 0, 0, 0])),
        initializer("w", type: 1, [0x80, 48], field(9, values)),
      ]), ONNX.self, ["odd BYTES 4", "w F32 6144"], warns: "length of its shape"),
    UnusualFile(
      "models in a tar",
      tar("model/args.json", Array("{}".utf8)) + tar("model/model.pt", torchFile) + [UInt8](repeating: 0, count: 1024),
      Tar.self, ["model/model.pt/w F32 64x96"]),
  ]
}
