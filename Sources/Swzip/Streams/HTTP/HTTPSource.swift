public import SwzipCore
internal import SwzipSystem

/// A file at a URL, `http://` or `https://`, read in ranges by libcurl, which is loaded for that. Proxies, certificates and
/// `.netrc` are as libcurl has them, `CURL_CA_BUNDLE` and `SSL_CERT_FILE` as curl. A file that changes while it is read is an
/// error.
public final class HTTPSource: RandomSource {
  private let file: HTTPFile
  private let goesOn: GoesOn
  /// What was read last in small parts, and a little of what follows; the last used last.
  private let windows: Guarded<[HTTPPiece]>

  /// Read at least, and more where reading goes on.
  private static let leastWindow = 64 << 10
  private static let mostWindow = 4 << 20
  private static let growth = 4
  private static let mostWindows = 3
  private static let unit: UInt64 = 4096

  /// Asks for the beginning and the end of the file.
  public convenience init(url: String, control: Control? = nil) throws(SwzipError) {
    let goesOn = (control ?? Control()).goesOn
    do throws(SwzipError) { self.init(try HTTPFile.open(url, goesOn), goesOn) } catch { throw error.of(url) }
  }

  private init(_ file: HTTPFile, _ goesOn: @escaping GoesOn, _ windows: Guarded<[HTTPPiece]> = Guarded([])) {
    (self.file, self.goesOn, self.windows) = (file, goesOn, windows)
  }

  /// Whether a path is a URL, by how it begins: `./http:/` is a folder.
  package static func isURL(_ path: String) -> Bool {
    ["http://", "https://"].contains { path.lowercased().hasPrefix($0) }
  }

  /// The same file, in a forked child with connections of its own.
  package func inThisProcess() -> HTTPSource {
    file.process == System.processNumber() ? self : HTTPSource(HTTPFile(file), goesOn)
  }

  public func watched(by goesOn: @escaping @Sendable () -> Bool) -> any RandomSource {
    HTTPSource(file, goesOn, windows)
  }

  public var byteCount: UInt64 { file.byteCount }

  /// A request costs as much as many bytes do. A segment that the writer makes is one step; of a tensor that is not very large all
  /// that is planned together is one, and nothing else is in memory then.
  public func steps(for byteCount: Int) -> ReadSteps {
    let most = byteCount <= 64 << 20 ? 40 << 20 : UInt64(Limits.segmentBytes + (1 << 20))
    return ReadSteps(least: most, most: most, near: 1 << 20)
  }

  public func forward() -> any ForwardSource { HTTPReader(self, file, goesOn) }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount, buffer.count > 0 else { return 0 }
    let range = position..<(position + min(UInt64(buffer.count), byteCount - position))
    if range.count > Self.mostWindow, known(range) == nil {
      // Into the caller's buffer; so below.
      try unsafe fetch(position, UnsafeMutableRawBufferPointer(rebasing: buffer[..<range.count]))
    } else {
      try unsafe buffer.copyMemory(from: lend(range).bytes)
    }
    return range.count
  }

  public func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? {
    guard count > 0, position <= byteCount, UInt64(count) <= byteCount - position else { return nil }
    return try lend(position..<(position + UInt64(count)))
  }

  /// What is there already.
  func known(_ range: Range<UInt64>) -> LentBytes? {
    if let piece = file.pieces.first(where: { $0.holds(range) }) { return piece.lend(range) }
    return windows.withLock { windows in
      guard let place = windows.lastIndex(where: { $0.holds(range) }) else { return nil }
      windows.append(windows.remove(at: place))
      return windows.last?.lend(range)
    }
  }

  private func lend(_ range: Range<UInt64>) throws(SwzipError) -> LentBytes {
    if let known = known(range) { return known }
    guard range.count <= Self.mostWindow else {
      let piece = try HTTPPiece(range)
      unsafe try fetch(range.lowerBound, piece.bytes)
      return piece.lend(range)
    }
    // Reading goes on behind a window, or in it.
    let before = windows.withLock { windows in
      windows.last {
        $0.range.lowerBound <= range.lowerBound && range.lowerBound <= $0.range.upperBound + UInt64(Self.leastWindow)
      }
    }
    let ahead = min(max(Self.leastWindow, Self.growth * (before?.range.count ?? 0)), Self.mostWindow)
    let start = before == nil ? range.lowerBound / Self.unit * Self.unit : range.lowerBound
    let piece = try HTTPPiece(start..<min(byteCount, max(range.upperBound, start + UInt64(ahead))))
    var done = 0
    if let before, before.range.contains(start) {
      let part = unsafe before.lend(start..<before.range.upperBound).bytes
      unsafe piece.bytes.copyMemory(from: part)
      done = part.count
    }
    try unsafe fetch(start + UInt64(done), UnsafeMutableRawBufferPointer(rebasing: piece.bytes[done...]))
    windows.withLock { windows in
      windows.removeAll { $0 === before }
      if windows.count == Self.mostWindows { windows.removeFirst() }
      windows.append(piece)
    }
    return piece.lend(range)
  }

  private func fetch(_ start: UInt64, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    do throws(SwzipError) { try unsafe file.fetch(from: start, into: target, goesOn) } catch {
      throw error.of(file.url)
    }
  }
}
