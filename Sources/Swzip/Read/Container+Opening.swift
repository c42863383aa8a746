public import SwzipCore
internal import SwzipSystem

// Other ways to open a container than a path or a source of one's own.

extension Container {
  /// Opens a container in memory.
  public convenience init(bytes: [UInt8], bases: (any BaseResolver)? = nil) throws(SwzipError) {
    try self.init(BytesSource(bytes), bases: bases)
  }

  /// Opens the container in a regular file that is open; the descriptor may be closed afterwards, and its position is not moved.
  public convenience init(descriptor: Int32, bases: (any BaseResolver)? = nil) throws(SwzipError) {
    let handle: FileHandle
    do throws(SystemError) { handle = try FileHandle.duplicate(descriptor) } catch { throw SwzipError(error) }
    try self.init(FileSource(handle, fromStart: true), bases: bases)
  }

  /// Opens a container of `byteCount` bytes that a function reads at any position, by several threads at once: it fills its
  /// buffer, and returns fewer bytes only at the end.
  public convenience init(
    byteCount: UInt64, bases: (any BaseResolver)? = nil,
    readAt: @escaping @Sendable (UInt64, UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  ) throws(SwzipError) {
    try unsafe self.init(FunctionSource(byteCount: byteCount, function: readAt), bases: bases)
  }
}

/// A function as a source.
@safe private final class FunctionSource: RandomSource {
  let byteCount: UInt64
  private let function: @Sendable (UInt64, UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int

  init(
    byteCount: UInt64, function: @escaping @Sendable (UInt64, UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  ) {
    self.byteCount = byteCount
    unsafe self.function = function
  }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let count = try unsafe function(position, buffer)
    guard (0...buffer.count).contains(count) else { throw SwzipError(.invalidArgument, .range) }
    return count
  }
}
