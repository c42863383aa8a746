internal import ArgumentParser
internal import Swzip

/// `--format`.
enum FormatName: String, ExpressibleByArgument, CaseIterable {
  case auto, safetensors, raw

  var format: InputFormat {
    switch self {
    case .auto: .automatic
    case .safetensors: .safetensors
    case .raw: .raw
    }
  }
}
