internal import ArgumentParser
internal import Swzip

/// `--format`.
enum FormatName: String, ExpressibleByArgument, CaseIterable {
  case auto, safetensors, torch, raw

  var format: InputFormat {
    switch self {
    case .auto: .automatic
    case .safetensors: .safetensors
    case .torch: .torch
    case .raw: .raw
    }
  }
}
