internal import SwzipCore
internal import SwzipSystem

extension HTTPFile {
  /// What a container is opened by: its header, and the end with the directory.
  private static let headByteCount: UInt64 = UInt64(FileHeader.byteCount)
  private static let tailByteCount: UInt64 = Container.tailByteCount
  /// Both, and the heads of two parts.
  private static let mostBytes = headByteCount + tailByteCount + 8192

  /// Asks for the two ends of a file at once: one request opens a container. Where a server gives one range a request, for the
  /// tail alone.
  static func open(_ url: String, _ goesOn: GoesOn) throws(SwzipError) -> HTTPFile {
    let tail = "-\(tailByteCount)"
    let connections = try connect()
    for ranges in ["0-\(headByteCount - 1),\(tail)", tail] {
      if let file = try open(url, ranges, connections, goesOn) { return file }
    }
    throw noRanges
  }

  /// Nil: the server sends the whole file instead.
  private static func open(
    _ url: String, _ ranges: String, _ connections: HTTPConnections, _ goesOn: GoesOn
  ) throws(SwzipError) -> HTTPFile? {
    let memory = try Memory(Int(mostBytes))
    return try trying(goesOn) { () throws(SwzipError) in
      let answer = unsafe HTTPAnswer(memory.bytes) { head in
        !head.isEncoded && (head.status == 206 || head.status == 200 && head.byteCount ?? .max <= mostBytes)
      }
      let transfer = try get(url, ranges, nil, to: answer, on: connections)
      try run(transfer, on: connections, goesOn)
      if let reason = try failure(transfer, answer) { return .again(reason) }
      let body = unsafe [UInt8](memory.prefix(answer.byteCount))
      // Some servers refuse several ranges.
      if ranges.contains(","), [400, 416, 501].contains(answer.head.status) { return .done(nil) }
      return try file(url, answer, body, at: transfer.url ?? url, connections)
    }
  }

  private static func file(
    _ url: String, _ answer: HTTPAnswer, _ body: [UInt8], at place: String, _ connections: HTTPConnections
  ) throws(SwzipError) -> Outcome<HTTPFile?> {
    let head = answer.head
    guard !head.isEncoded else { throw encoded }
    let parts: [(part: HTTPHead.Part, place: Range<Int>)]
    switch head.status {
    case 200 where head.isPage: throw page
    case 200 where head.byteCount ?? .max > mostBytes: return .done(nil)
    case 200: parts = [(HTTPHead.Part(0..<UInt64(body.count), of: UInt64(body.count)), body.indices)]
    case 206:
      if let boundary = head.boundary {
        guard let found = HTTPParts(body, boundary: boundary) else {
          throw error("the parts that it sends are damaged")
        }
        parts = found.parts
      } else {
        guard let part = head.part, part.range.count == body.count else {
          throw error("the server does not say which part it sends")
        }
        parts = [(part, body.indices)]
      }
    case 416 where head.part?.fileByteCount == 0: parts = [(HTTPHead.Part(0..<0, of: 0), 0..<0)]
    default: return .again(try mayRecover(head))
    }
    let pieces = try parts.map { part, place throws(SwzipError) in
      let piece = try HTTPPiece(part.range)
      unsafe piece.bytes.copyBytes(from: body[place])
      return piece
    }
    let byteCount = parts[0].part.fileByteCount
    return .done(HTTPFile(url, at: place, byteCount: byteCount, head.version, pieces, connections))
  }
}
