internal import SwzipCore

/// A stretch of the container in memory, moved forward: frames are looked at where they lie.
final class FrameWindow {
  private let source: any ForwardSource
  private var memory: Memory
  private var start = 0
  private var end = 0
  private var ended = false
  /// Offset in the container of the first byte that is not consumed.
  private(set) var position: UInt64 = 0

  private static let firstBytes = 12 << 20

  init(_ source: any ForwardSource) throws(SwzipError) {
    self.source = source
    let expected = source.byteCount.map { Int(min($0, UInt64(Self.firstBytes))) } ?? Self.firstBytes
    memory = try Memory(max(expected, 1 << 16) + Limits.slack)
  }

  /// Whether `count` bytes after those consumed are there already: looking at them moves nothing.
  func holds(_ count: Int) -> Bool { end - start >= count }

  /// The next `count` bytes, which stay valid until `fill`. Needs `holds`.
  func peek(_ count: Int) -> UnsafeRawBufferPointer {
    precondition(holds(count))
    return unsafe UnsafeRawBufferPointer(start: memory.base + start, count: count)
  }

  func consume(_ count: Int) {
    precondition(holds(count))
    start += count
    position += UInt64(count)
  }

  /// Reads until `count` bytes are there, and as many more as fit. Invalidates what `peek` returned. False at the end.
  /// Memory grows with the bytes that arrive, never by what a frame claims.
  func fill(_ count: Int) throws(SwzipError) -> Bool {
    if start > 0 {
      unsafe memory.base.copyMemory(from: memory.base + start, byteCount: end - start)
      (start, end) = (0, end - start)
    }
    while end < count, !ended {
      if memory.byteCount - Limits.slack == end { try grow() }
      let room = unsafe UnsafeMutableRawBufferPointer(
        start: memory.base + end, count: memory.byteCount - Limits.slack - end)
      let read = try unsafe source.read(into: room)
      ended = read < room.count
      end += read
    }
    return end >= count
  }

  private func grow() throws(SwzipError) {
    let larger = try Memory(2 * memory.byteCount)
    unsafe larger.base.copyMemory(from: memory.base, byteCount: end)
    memory = larger
  }

  /// The next `count` bytes, consumed; throws `truncated` if the container ends before.
  func take(_ count: Int) throws(SwzipError) -> [UInt8] {
    var bytes: [UInt8] = []
    try unsafe take(count) { (part, _) in unsafe bytes.append(contentsOf: part) }
    return bytes
  }

  /// Hands out the next `count` bytes in pieces, each with its offset in them: what is larger than the window never lies in
  /// it as a whole.
  func take(
    _ count: Int, piece: (UnsafeRawBufferPointer, _ offset: Int) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    var offset = 0
    while offset < count {
      let part = min(count - offset, 1 << 20)
      if !holds(part) {
        guard try fill(part) else { throw SwzipError(.corrupt, .truncated, at: position + UInt64(end - start)) }
      }
      try unsafe piece(peek(part), offset)
      consume(part)
      offset += part
    }
  }
}
