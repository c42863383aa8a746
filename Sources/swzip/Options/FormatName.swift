internal import ArgumentParser
internal import Swzip

/// `--format`.
enum FormatName: String, ExpressibleByArgument, CaseIterable {
  case auto, safetensors, gguf, npy, npz, onnx, raw

  var format: InputFormat {
    switch self {
    case .auto: .automatic
    case .safetensors: .safetensors
    case .gguf: .gguf
    case .npy: .npy
    case .npz: .npz
    case .onnx: .onnx
    case .raw: .raw
    }
  }
}
