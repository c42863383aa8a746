internal import SwzipCore

/// A stretch of the container in memory, moved forward: frames are looked at where they lie.
final class FrameWindow {
  private var memory: Memory
  private var start = 0
  private var end = 0

  /// `expected`: bytes of the container, if that is known. `batchBytes`: of output that are decoded together.
  init(expected: UInt64?, batchBytes: Int) throws(SwzipError) {
    let most = batchBytes * 3 / 2
    let expected = expected.map { Int(min($0, UInt64(most))) } ?? most
    memory = try Memory(max(expected, 1 << 16) + Limits.slack)
  }

  /// All bytes that are there and not consumed. They stay where they are until `room` is asked for while it is full.
  var bytes: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: memory.base + start, count: end - start) }

  var byteCount: Int { end - start }

  func consume(_ count: Int) {
    precondition(count <= byteCount)
    start += count
  }

  /// Whether there is no room left behind what is there.
  var isFull: Bool { end == memory.byteCount - Limits.slack }

  /// Room for more, behind what is there; to be filled and told `add`. Moves what is there to the front if it is full. Memory
  /// grows with the bytes that arrive, never by what a frame claims.
  func room() throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if isFull, start > 0 {
      unsafe memory.base.copyMemory(from: memory.base + start, byteCount: end - start)
      (start, end) = (0, end - start)
    }
    if isFull {
      let larger = try Memory(2 * memory.byteCount)
      unsafe larger.base.copyMemory(from: memory.base, byteCount: end)
      memory = larger
    }
    return unsafe UnsafeMutableRawBufferPointer(start: memory.base + end, count: memory.byteCount - Limits.slack - end)
  }

  /// So many bytes of the room have been filled.
  func add(_ count: Int) { end += count }
}
