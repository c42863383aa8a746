internal import Swzip
internal import SwzipCore
internal import Synchronization

/// A sink that writes nothing and compares what it gets with a file.
final class ComparingSink: OutputSink {
  private let file: any RandomSource
  private let position = Mutex<UInt64>(0)

  init(_ file: any RandomSource) { self.file = file }

  static let difference = SwzipError(
    .io, .system, detail: "what was written is not what is read back; keep the source, the disk may be failing")

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    let start = position.withLock { $0 }
    var found = [UInt8](repeating: 0, count: min(bytes.count, 1 << 20))
    var done = 0
    while done < bytes.count {
      let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<min(bytes.count, done + found.count)])
      let isEqual = try unsafe isEqual(part, &found, at: start + UInt64(done))
      guard isEqual else { throw ComparingSink.difference }
      done += part.count
    }
    position.withLock { $0 = start + UInt64(done) }
  }

  private func isEqual(
    _ part: UnsafeRawBufferPointer, _ found: inout [UInt8], at place: UInt64
  ) throws(SwzipError) -> Bool {
    var span = found.mutableSpan
    // Both pointers are used inside the closure only.
    return try unsafe span.withUnsafeMutableBytes { (buffer) throws(SwzipError) in
      let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<part.count])
      let count = unsafe try file.read(at: place, into: room)
      return unsafe count == part.count && equalBytes(part, UnsafeRawBufferPointer(room))
    }
  }

  /// The file must end where the writing did.
  func checkEnd() throws(SwzipError) {
    guard file.byteCount == position.withLock({ $0 }) else { throw ComparingSink.difference }
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard unsafe try file.read(at: position, into: buffer) == buffer.count else { throw ComparingSink.difference }
  }
}
