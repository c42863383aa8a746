import SwzipCore
import SwzipInputs
import SwzipTestSupport
import Testing

/// A model file that parsers are tested with: those of Fixtures/torch and Fixtures/inputs, made by the libraries that own
/// the formats (tools/fixtures), and a safetensors file made here.
struct ModelFile: Sendable, CustomTestStringConvertible {
  let name: String
  let format: any ModelFormat.Type
  /// Whether a pipe tells as much as the file.
  var streams = true
  let bytes: [UInt8]
  var testDescription: String { name }

  static let all = torch + libraries + [safetensors]

  /// The pickle of some, or that of a later item, comes behind the storages.
  static let torch = Fixtures.lines("torch/MANIFEST", separator: "\t").map { $0[0] }
    .filter { $0 != "large.parts" }
    .map { name in
      ModelFile(
        name: name, format: Torch.self, streams: name != "script.pt" && name != "dcp.distcp",
        bytes: Fixtures.bytes("torch/\(name)"))
    }

  static let libraries = [
    input("types.gguf", GGUF.self), input("float.npy", NPY.self), input("fortran.npy", NPY.self),
    input("bfloat.npy", NPY.self), input("scalar.npy", NPY.self), input("arrays.npz", NPZ.self, streams: false),
    input("model.onnx", ONNX.self),
  ]

  static let safetensors: ModelFile = {
    var file = SafetensorsFile()
    for (index, type) in ElementType.safetensors.enumerated() { file.add(type.name, type, [8, 16 + 64 * (index % 3)]) }
    file.add("large", .f32, [40, 30])
    return ModelFile(name: "types.safetensors", format: Safetensors.self, bytes: file.bytes)
  }()

  private static func input(_ name: String, _ format: any ModelFormat.Type, streams: Bool = true) -> ModelFile {
    ModelFile(name: name, format: format, streams: streams, bytes: Fixtures.bytes("inputs/\(name)"))
  }
}
