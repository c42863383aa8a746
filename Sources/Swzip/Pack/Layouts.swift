internal import SwzipCore
internal import SwzipInputs

/// Finds out what a file is, and how it is cut.
enum Layouts {
  static func find(_ input: ForwardInput, byteCount: UInt64?, format: InputFormat) throws(SwzipError) -> Layout {
    var layout = Layout()
    if format != .raw {
      let start = try input.peek(9)
      if let headerBytes = SafetensorsHeader.byteCount(announcedBy: start) {
        let bytes = try input.peek(headerBytes)
        if bytes.count == headerBytes, let header = SafetensorsHeader(bytes) {
          return Planner.layout(of: header, fileByteCount: byteCount)
        }
        layout.warnings.append("looks like safetensors, but its header is damaged or unusual; packed as plain bytes")
      } else if format == .safetensors {
        layout.warnings.append("no safetensors file; packed as plain bytes")
      }
    }
    if let byteCount { layout.segments = Planner.plain(0, byteCount) }
    return layout
  }
}
