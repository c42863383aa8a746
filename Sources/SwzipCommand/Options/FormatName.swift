internal import ArgumentParser
internal import Swzip

/// `--coder`.
enum CoderName: String, ExpressibleByArgument, CaseIterable {
  case nodes, streams

  var form: SymbolForm {
    switch self {
    case .nodes: .nodes
    case .streams: .streams
    }
  }
}

/// `--format`.
enum FormatName: String, ExpressibleByArgument, CaseIterable {
  case auto, safetensors, torch, gguf, npy, npz, onnx, raw

  var format: InputFormat {
    switch self {
    case .auto: .automatic
    case .safetensors: .safetensors
    case .torch: .torch
    case .gguf: .gguf
    case .npy: .npy
    case .npz: .npz
    case .onnx: .onnx
    case .raw: .raw
    }
  }
}
