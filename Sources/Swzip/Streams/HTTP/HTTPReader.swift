internal import SwzipCore
internal import SwzipSystem

/// A file at a URL, read forward: some requests are always under way, so that what is next comes while bytes are decoded. One
/// thread at a time.
final class HTTPReader: ForwardSource, @unchecked Sendable {
  private let source: HTTPSource
  private let file: HTTPFile
  private let goesOn: GoesOn
  private var connections: HTTPConnections?
  private var pieces: [(piece: HTTPPiece, request: HTTPFile.Request?)] = []
  private var position: UInt64 = 0
  /// Where what has been asked for ends.
  private var end: UInt64 = 0

  private static let pieceBytes: UInt64 = 4 << 20
  private static let mostPieces = 2

  init(_ source: HTTPSource, _ file: HTTPFile, _ goesOn: @escaping GoesOn) {
    (self.source, self.file, self.goesOn) = (source, file, goesOn)
  }

  var byteCount: UInt64? { file.byteCount }
  var name: String { file.url }
  var random: (any RandomSource)? { source }
  var readsAhead: Bool { true }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var done = 0
    while done < buffer.count, position < file.byteCount {
      let range = position..<(position + min(UInt64(buffer.count - done), file.byteCount - position))
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let bytes: LentBytes
      do throws(SwzipError) { bytes = try next(range) } catch { throw error.of(file.url) }
      // No more than the rest of the caller's buffer.
      unsafe target.copyMemory(from: bytes.bytes)
      done += unsafe bytes.bytes.count
      position += UInt64(unsafe bytes.bytes.count)
    }
    return done
  }

  /// The first bytes of a range, which begins where reading is.
  private func next(_ range: Range<UInt64>) throws(SwzipError) -> LentBytes {
    // A small file came whole when it was opened.
    if pieces.isEmpty, let known = source.known(range) {
      end = range.upperBound
      return known
    }
    while pieces.count < Self.mostPieces, end < file.byteCount { try ask() }
    let (piece, request) = pieces[0]
    if let request {
      try complete(piece, request)
      pieces[0].request = nil
    }
    let part = range.lowerBound..<min(range.upperBound, piece.range.upperBound)
    if part.upperBound == piece.range.upperBound { pieces.removeFirst() }
    return piece.lend(part)
  }

  private func ask() throws(SwzipError) {
    let connections = if let connections { connections } else { try HTTPFile.connect() }
    self.connections = connections
    let piece = try HTTPPiece(end..<min(file.byteCount, end + Self.pieceBytes))
    pieces.append((piece, unsafe try file.request(from: end, into: piece.bytes, on: connections)))
    end = piece.range.upperBound
  }

  /// Waits for a piece; where it does not come, tries once more on its own.
  private func complete(_ piece: HTTPPiece, _ request: HTTPFile.Request) throws(SwzipError) {
    try HTTPFile.run(request.transfer, on: connections!, goesOn)
    if case .done = try file.judge(request) { return }
    let done = request.answer.byteCount
    try unsafe file.fetch(
      from: piece.range.lowerBound + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: piece.bytes[done...]),
      goesOn)
  }
}
