internal import SwzipCore
internal import SwzipInputs

/// Finds out what a file is, and how it is cut.
enum Layouts {
  static func find(_ input: ForwardInput, byteCount: UInt64?, format: InputFormat) throws(SwzipError) -> Layout {
    var layout = Layout()
    let start = format == .raw ? [] : try input.peek(Formats.sniffBytes)
    for candidate in Formats.all where format == .automatic || format.rawValue == candidate.name {
      guard candidate.recognises(start) else { continue }
      if let map = try candidate.map(input) {
        try MemoryBudget.check(indexByteCount: map.tensors.reduce(0) { $0 + $1.indexByteCount })
        return Planner.layout(of: map, format: candidate.name, fileByteCount: byteCount)
      }
      if candidate.isCertain || format != .automatic {
        layout.warnings.append("looks like \(candidate.name), but is damaged or unusual; packed as plain bytes")
        break
      }
    }
    if format == .automatic {
      if let warning = KnownContent.warning(start) {
        layout.warnings.append(warning)
      } else if let map = try RawGuess.map(input) {
        var guessed = Planner.layout(of: map, format: layout.format, fileByteCount: byteCount)
        guessed.warnings = layout.warnings
        return guessed
      }
    }
    if layout.warnings.isEmpty, format != .automatic, format != .raw {
      layout.warnings.append("no \(format.rawValue) file; packed as plain bytes")
    }
    if let byteCount { layout.segments = Planner.plain(0, byteCount) }
    return layout
  }
}

extension ForwardInput: InputBytes {}
