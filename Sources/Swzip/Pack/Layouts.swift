internal import SwzipCore
internal import SwzipInputs

/// Finds out what a file is, and how it is cut.
enum Layouts {
  static func find(_ source: any RandomSource, _ format: InputFormat) throws(SwzipError) -> Layout {
    try find(ForwardInput(source), format)
  }

  static func find(_ input: ForwardInput, _ format: InputFormat) throws(SwzipError) -> Layout {
    var layout = Layout()
    let start = format == .raw ? [] : try input.peek(Formats.sniffBytes)
    for candidate in Formats.all where format == .automatic || format.rawValue == candidate.name {
      guard candidate.recognises(start) else { continue }
      if let map = try candidate.map(input) {
        return try made(of: map, format: map.format ?? candidate.name, input)
      }
      if candidate.isCertain(start) || format != .automatic {
        layout.warnings.append("looks like \(candidate.name), but is damaged or unusual; packed as plain bytes")
        break
      }
    }
    if format == .automatic {
      if layout.warnings.isEmpty, let warning = KnownContent.warning(start, name: input.name) {
        layout.warnings.append(warning)
      } else {
        let tail = layout.warnings.isEmpty ? try Torch.mapOfTail(input) : nil
        var map = tail ?? FileMap()
        if tail != nil { layout.format = map.format ?? Torch.name }
        map.warnings += layout.warnings
        var guessed = try made(of: map, format: layout.format, input)
        guessed.guessesTail = input.byteCount == nil
        return guessed
      }
    }
    if layout.warnings.isEmpty, format != .automatic, format != .raw {
      layout.warnings.append("no \(format.rawValue) file; packed as plain bytes")
    }
    if let byteCount = input.byteCount { layout.segments = Planner.plain(0, byteCount) }
    return layout
  }

  private static func made(
    of map: FileMap, format: String, _ input: ForwardInput
  ) throws(SwzipError) -> Layout {
    var map = map
    let tensors = map.tensors.reduce(0) { $0 + $1.indexByteCount }
    let memory = map.tensors.isEmpty ? [] : [try IndexMemory(byteCount: tensors, items: map.tensors.count)]
    try guessGaps(of: &map, input)
    var layout = Planner.layout(of: map, format: format, fileByteCount: input.byteCount)
    layout.memory = memory
    return layout
  }

  /// Looks for values where no payload is: what a header tells nothing of, or a whole file without one.
  private static func guessGaps(of map: inout FileMap, _ input: ForwardInput) throws(SwzipError) {
    guard let byteCount = input.byteCount else { return }
    var found: [Payload] = []
    var cursor: UInt64 = 0
    for payload in map.payloads {
      let end = min(payload.offset, byteCount)
      if cursor < end { found += try RawGuess.payloads(of: input, in: cursor..<end) }
      found.append(payload)
      cursor = payload.offset + payload.byteCount
    }
    if cursor < byteCount { found += try RawGuess.payloads(of: input, in: cursor..<byteCount) }
    map.payloads = found
  }
}

extension ForwardInput: InputBytes {}
