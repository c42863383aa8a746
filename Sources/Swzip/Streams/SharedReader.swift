internal import SwzipCore

/// A source of random access, read forward by several threads: to copy what the system has in memory takes about as long as to
/// decode it. One thread at a time asks.
final class SharedReader: ForwardSource, @unchecked Sendable {
  /// Less is not worth a thread.
  private static let leastBytes = 1 << 20

  private let source: any RandomSource
  private let threads: Int
  private let control: Control?
  private var position: UInt64 = 0

  init(_ source: any RandomSource, threads: Int, _ control: Control?) {
    self.source = source
    self.threads = threads
    self.control = control
  }

  var byteCount: UInt64? { source.byteCount }
  var random: (any RandomSource)? { source }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let count = Int(min(UInt64(buffer.count), source.byteCount - position))
    let parts = max(1, min(threads, count / Self.leastBytes))
    let step = (count + parts - 1) / parts
    try runJobs(threads: parts, count: parts, control) { part, _ throws(SwzipError) in
      let range = min(part * step, count)..<min((part + 1) * step, count)
      // Parts of the caller's buffer, apart from each other.
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[range])
      guard try unsafe source.read(at: position + UInt64(range.lowerBound), into: target) == range.count else {
        throw SwzipError(.corrupt, .truncated, at: position + UInt64(range.lowerBound))
      }
    }
    position += UInt64(count)
    return count
  }
}
