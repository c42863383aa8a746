/// The parts of a body of several (multipart/byteranges), each with its place in the body.
struct HTTPParts {
  private(set) var parts: [(part: HTTPHead.Part, place: Range<Int>)] = []

  private static let mostParts = 4
  private static let longestLine = 1024
  private static let mostLines = 16

  /// Nil where the body is anything but parts of one file between such boundaries.
  init?(_ body: [UInt8], boundary: String) {
    let mark = Array("--\(boundary)".utf8)
    let end = Array("\r\n".utf8)
    var place = body.starts(with: end) ? end.count : 0
    while true {
      guard body[place...].starts(with: mark) else { return nil }
      place += mark.count
      if body[place...].starts(with: Array("--".utf8)) { break }
      guard body[place...].starts(with: end), parts.count < Self.mostParts else { return nil }
      place += end.count
      guard let part = Self.head(body, &place) else { return nil }
      let (next, overflow) = place.addingReportingOverflow(part.range.count)
      guard !overflow, next <= body.count, body[next...].starts(with: end) else { return nil }
      if let first = parts.first, first.part.fileByteCount != part.fileByteCount { return nil }
      parts.append((part, place..<next))
      place = next + end.count
    }
    if parts.isEmpty { return nil }
  }

  /// Lines up to an empty one, which say where the part lies.
  private static func head(_ body: [UInt8], _ place: inout Int) -> HTTPHead.Part? {
    var head = HTTPHead()
    for _ in 0..<mostLines {
      guard let length = body[place...].prefix(longestLine).firstIndex(of: 10).map({ $0 - place }) else { return nil }
      let line = body[place..<(place + length)]
      place += length + 1
      if line.allSatisfy({ $0 == 13 }) { return head.part.flatMap { $0.range.isEmpty ? nil : $0 } }
      head.add(String(decoding: line, as: UTF8.self))
    }
    return nil
  }
}
