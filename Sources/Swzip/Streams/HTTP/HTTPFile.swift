internal import SwzipCore
internal import SwzipSystem

/// Whether to go on: asked by who waits for a server, several times a second.
typealias GoesOn = @Sendable () -> Bool

/// A file on a server: where it is, what it was when it was opened, and connections to it.
final class HTTPFile: Sendable {
  let url: String
  let byteCount: UInt64
  let version: HTTPHead.Version
  /// What came when it was opened.
  let pieces: [HTTPPiece]
  /// Where redirections led then, and last.
  private let opened: String
  private let place: Guarded<String>
  private let idle: Guarded<[HTTPConnections]>
  let process = System.processNumber()

  private static let pauses = [0, 250, 1000]  // milliseconds
  private static let wait: Int32 = 50  // milliseconds

  init(
    _ url: String, at place: String, byteCount: UInt64, _ version: HTTPHead.Version, _ pieces: [HTTPPiece],
    _ connections: HTTPConnections? = nil
  ) {
    (self.url, opened, self.place) = (url, place, Guarded(place))
    (self.byteCount, self.version, self.pieces) = (byteCount, version, pieces)
    idle = Guarded([connections].compactMap { $0 })
  }

  /// The same file with connections of its own: those of a process belong to no child of it.
  convenience init(_ other: HTTPFile) {
    self.init(other.url, at: other.opened, byteCount: other.byteCount, other.version, other.pieces)
  }

  // MARK: ranges

  /// Fills `target` with the bytes from `start` on, which are there.
  func fetch(from start: UInt64, into target: UnsafeMutableRawBufferPointer, _ goesOn: GoesOn) throws(SwzipError) {
    let connections = if let known = idle.withLock({ $0.popLast() }) { known } else { try HTTPFile.connect() }
    defer { idle.withLock { $0.append(connections) } }
    var done = 0
    try HTTPFile.trying(goesOn) { () throws(SwzipError) in
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: target[done...])
      let request = try unsafe request(from: start + UInt64(done), into: rest, on: connections)
      try HTTPFile.run(request.transfer, on: connections, goesOn)
      let outcome = try judge(request)
      done += request.answer.byteCount
      return outcome
    }
  }

  /// A request for a range that is under way.
  struct Request {
    let transfer: HTTPTransfer
    let answer: HTTPAnswer
    let range: Range<UInt64>
    let place: String
  }

  /// Asks for what fills `target`, which must be there until the transfer has ended.
  func request(
    from start: UInt64, into target: UnsafeMutableRawBufferPointer, on connections: HTTPConnections
  ) throws(SwzipError) -> Request {
    let range = start..<(start + UInt64(target.count))
    let (version, byteCount) = (version, byteCount)
    let answer = unsafe HTTPAnswer(target) { head in
      head.status == 206 && head.part?.range == range && head.part?.fileByteCount == byteCount && !head.isEncoded
        && head.version.agrees(with: version)
    }
    let place = place.withLock { $0 }
    let transfer = try HTTPFile.get(
      place, "\(range.lowerBound)-\(range.upperBound - 1)", version.condition, to: answer, on: connections)
    return Request(transfer: transfer, answer: answer, range: range, place: place)
  }

  /// What became of a request.
  enum Outcome<Result> {
    case done(Result)
    /// Another try may help.
    case again(String)
  }

  func judge(_ request: Request) throws(SwzipError) -> Outcome<Void> {
    let (answer, head) = (request.answer, request.answer.head)
    // Whatever came of the connection then: nothing is taken but of the right part.
    if answer.byteCount == request.range.count, !answer.isTooLong {
      keep(request.transfer.url)
      return .done(())
    }
    if let reason = try HTTPFile.failure(request.transfer, answer) { return .again(reason) }
    switch head.status {
    case 206 where head.isEncoded: throw HTTPFile.encoded
    case 206 where answer.takes(head): return .again("the server sent less than it said")
    case 206 where head.part?.fileByteCount == byteCount && head.version.agrees(with: version):
      throw HTTPFile.error("the server answers with another part than it was asked for")
    case 200 where head.isPage: throw HTTPFile.page
    case 200 where head.version.agrees(with: version) && head.byteCount ?? byteCount == byteCount:
      throw HTTPFile.noRanges
    case 200, 206, 412, 416: throw HTTPFile.changed
    case 401, 403, 404, 410:
      // A place to which redirections led may be good for some time only.
      guard request.place != url else { fallthrough }
      place.withLock { $0 = url }
      return .again("the server says \(head.text)")
    default: return .again(try HTTPFile.mayRecover(head))
    }
  }

  /// The next request need not be redirected.
  private func keep(_ url: String?) {
    guard let url else { return }
    place.withLock { $0 = url }
  }

  // MARK: requests

  /// Several tries, with growing pauses between them.
  static func trying<Result>(
    _ goesOn: GoesOn, _ attempt: () throws(SwzipError) -> Outcome<Result>
  ) throws(SwzipError) -> Result {
    var reason = ""
    for pause in pauses {
      let clock = Stopwatch()
      while clock.seconds < Double(pause) / 1000 {
        guard goesOn() else { throw SwzipError(.cancelled, .cancelled) }
        System.pause(milliseconds: Int(wait))
      }
      switch try attempt() {
      case .done(let result): return result
      case .again(let why): reason = why
      }
    }
    throw error("\(reason) (tried \(pauses.count) times)")
  }

  static func connect() throws(SwzipError) -> HTTPConnections {
    guard HTTPConnections.isPossible else {
      throw error("to read a URL takes libcurl, 7.66 or later, which is not there; install it (libcurl4)")
    }
    guard let connections = HTTPConnections() else { throw noMemory }
    return connections
  }

  /// Begins a request for ranges, "0-63,-500".
  static func get(
    _ url: String, _ ranges: String, _ condition: String?, to answer: HTTPAnswer, on connections: HTTPConnections
  ) throws(SwzipError) -> HTTPTransfer {
    let headers = ["Range: bytes=" + ranges, "Accept-Encoding: identity"] + [condition].compactMap { $0 }
    guard let transfer = HTTPTransfer(url, headers: headers, to: answer, on: connections) else { throw noMemory }
    return transfer
  }

  /// Waits for the end of a transfer.
  static func run(
    _ transfer: HTTPTransfer, on connections: HTTPConnections, _ goesOn: GoesOn
  ) throws(SwzipError) {
    while transfer.state == .runs {
      guard goesOn() else { throw SwzipError(.cancelled, .cancelled) }
      guard connections.wait(milliseconds: wait) else { throw error("libcurl cannot go on") }
    }
  }

  /// Why a transfer that has ended brought no whole answer, if another try may help.
  static func failure(_ transfer: HTTPTransfer, _ answer: HTTPAnswer) throws(SwzipError) -> String? {
    if answer.isTooLong { throw error("the server sends more than it was asked for") }
    switch transfer.state {
    case .failed: throw error(transfer.words)
    case .broken: return transfer.words
    case .runs, .done, .ended: return nil
    }
  }

  /// What the server says, if it may say otherwise another time; else throws it.
  static func mayRecover(_ head: HTTPHead) throws(SwzipError) -> String {
    let words = "the server says \(head.text)"
    guard head.status >= 500 || head.status == 429 || head.status == 408 else { throw error(words) }
    return words
  }

  static func error(_ words: String) -> SwzipError { SwzipError(.io, .system, detail: words.printable) }

  static let noMemory = SwzipError(.memory, .outOfMemory)
  static let page = error(
    "the answer is a page for people (text/html), not the file; a proxy or a login may be between")
  static let encoded = error("the server sends it coded, though it was not asked to")
  static let noRanges = error(
    "the server gives whole files only, no parts of them; download it, or unpack it from a pipe")
  private static let changed = error("it changed on the server while it was read; run it again")
}

extension HTTPHead.Part {
  init(_ range: Range<UInt64>, of fileByteCount: UInt64) { (self.range, self.fileByteCount) = (range, fileByteCount) }
}

/// Bytes of a file, with room for decoders behind them.
final class HTTPPiece: @unchecked Sendable {  // nobody changes it once it is filled
  let range: Range<UInt64>
  private let memory: Memory

  init(_ range: Range<UInt64>) throws(SwzipError) {
    self.range = range
    memory = try Memory(range.count + Limits.slack)
  }

  var bytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<range.count])
  }

  /// A part of it, which lies in it.
  func lend(_ part: Range<UInt64>) -> LentBytes {
    let all = unsafe LentBytes(memory.prefix(range.count), slack: Limits.slack, owner: self)
    return all.part(at: Int(part.lowerBound - range.lowerBound), count: part.count)
  }

  func holds(_ part: Range<UInt64>) -> Bool {
    range.lowerBound <= part.lowerBound && part.upperBound <= range.upperBound
  }
}
