import SwzipCore
import SwzipSamples

/// Makes safetensors files.
struct SafetensorsFile {
  struct Tensor {
    var name: String
    var type: ElementType
    var shape: [Int]
    var bytes: [UInt8]
  }

  var tensors: [Tensor] = []
  var metadata: String? = #"{"format":"pt"}"#

  /// Adds a tensor of a pattern.
  mutating func add(
    _ name: String, _ type: ElementType, _ shape: [Int], _ pattern: Pattern = .weights, seed: UInt64 = 7
  ) {
    let bits = shape.reduce(type.bitCount, *)
    precondition(bits % 8 == 0)
    let bytes = Array(pattern.bytes(type, bits / 8 / type.width, seed: seed))
    tensors.append(Tensor(name: name, type: type, shape: shape, bytes: bytes))
  }

  /// The JSON as the common writers make it, padded to a multiple of eight.
  var header: String {
    var entries: [String] = metadata.map { [#""__metadata__":"# + $0] } ?? []
    var offset = 0
    for tensor in tensors {
      let end = offset + tensor.bytes.count
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      entries.append(
        #""\#(tensor.name)":{"dtype":"\#(tensor.type.name)","shape":[\#(shape)],"data_offsets":[\#(offset),\#(end)]}"#)
      offset = end
    }
    let text = "{" + entries.joined(separator: ",") + "}"
    return text + String(repeating: " ", count: -text.utf8.count & 7)
  }

  var bytes: [UInt8] { Self.file(header, tensors.flatMap(\.bytes)) }

  /// A file of any header and data.
  static func file(_ header: String, _ data: [UInt8]) -> [UInt8] { file(Array(header.utf8), data) }

  static func file(_ header: [UInt8], _ data: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: UInt64(header.count) >> (8 * UInt64($0))) } + header + data
  }

  /// A tensor of every type, empty ones, scalars, many small neighbours, and one in which rows are sorted.
  static func everything(seed: UInt64 = 1) -> SafetensorsFile {
    var file = SafetensorsFile()
    for (index, type) in ElementType.safetensors.enumerated() {
      let pattern = Pattern.allCases[index % Pattern.allCases.count]
      file.add("\(type.name).matrix", type, [16, 40], pattern, seed: seed)
      file.add("\(type.name).empty", type, [0, 3])
      if type.bitCount >= 8 { file.add("\(type.name).scalar", type, [], .random, seed: seed) }
      file.add("\(type.name).weights", type, [24, 128], .weights, seed: seed)
    }
    file.add("large", .bf16, [192, 384], .weights, seed: seed)
    file.add("larger", .f32, [50, 700], .outliers, seed: seed)
    for index in 0..<30 { file.add("bias.\(index)", .bf16, [64], .weights, seed: UInt64(index)) }
    return file
  }
}
