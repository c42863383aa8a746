package import SwzipCore
internal import SwzipNames

// The header as safetensors itself writes it.
extension SafetensorsHeader {
  /// The types that safetensors knows, as their tensors lie in a file: it declares them in the other order.
  package static let fileOrder: [ElementType] = [
    .u64, .i64, .f64, .c64, .f32, .u32, .i32, .bf16, .f16, .u16, .i16,
    .f8e5m2fnuz, .f8e4m3fnuz, .f8e8m0, .f8e4m3, .f8e5m2, .i8, .u8, .f6e3m2, .f6e2m3, .f4, .bool,
  ]

  /// The bytes before the tensors, whose offsets count from there.
  package static func bytes(of tensors: [TensorRecord], metadata: [String: String]) -> [UInt8] {
    var entries = tensors.map { tensor in
      let shape = tensor.shape.map(String.init).joined(separator: ",")
      return quoted(tensor.name) + #":{"dtype":"\#(tensor.elementType.name)","shape":[\#(shape)],"#
        + #""data_offsets":[\#(tensor.offset),\#(tensor.offset + tensor.byteCount)]}"#
    }
    if !metadata.isEmpty {
      // There in the order of a hash table; here the same on every run.
      let pairs = metadata.sorted { Exact($0.key) < Exact($1.key) }.map { quoted($0.key) + ":" + quoted($0.value) }
      entries.insert(#""__metadata__":{"# + pairs.joined(separator: ",") + "}", at: 0)
    }
    let text = "{" + entries.joined(separator: ",") + "}"
    let json = Array(text.utf8) + [UInt8](repeating: 0x20, count: -text.utf8.count & 7)
    return (0..<8).map { UInt8(truncatingIfNeeded: UInt64(json.count) >> (8 * $0)) } + json
  }

  /// A string of JSON in which only what must be escaped is.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\u{8}": quoted += "\\b"
      case "\t": quoted += "\\t"
      case "\n": quoted += "\\n"
      case "\u{C}": quoted += "\\f"
      case "\r": quoted += "\\r"
      case "\0"..<" ": quoted += (scalar.value < 16 ? "\\u000" : "\\u00") + String(scalar.value, radix: 16)
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
