public import SwzipCore
package import SwzipSystem
internal import Synchronization

/// A regular file, from where its descriptor stood, up to the length that it had when it was opened.
public final class FileSource: RandomSource {
  private let handle: FileHandle
  private let start: UInt64
  public let byteCount: UInt64

  /// Throws `notRandomAccess` for a pipe.
  public convenience init(path: String) throws(SwzipError) {
    let handle: FileHandle
    do throws(SystemError) { handle = try FileHandle.open(path) } catch { throw SwzipError(error) }
    try self.init(handle)
  }

  /// As above, of what is open. `fromStart`: all of it, wherever the descriptor stands.
  package convenience init(_ handle: FileHandle, fromStart: Bool = false) throws(SwzipError) {
    let range: Range<UInt64>?
    do throws(SystemError) { range = try FileSource.range(handle, fromStart: fromStart) } catch {
      throw SwzipError(error)
    }
    guard let range else { throw SwzipError(.refused, .notRandomAccess) }
    self.init(handle, range)
  }

  fileprivate init(_ handle: FileHandle, _ range: Range<UInt64>) {
    self.handle = handle
    start = range.lowerBound
    byteCount = range.upperBound - range.lowerBound
  }

  /// What is left of a file, or all of it; nil where only reading tells.
  fileprivate static func range(_ handle: FileHandle, fromStart: Bool = false) throws(SystemError) -> Range<UInt64>? {
    let status = try handle.status()
    guard status.kind == .regular, let position = fromStart ? 0 : handle.position else { return nil }
    let end = max(position, status.byteCount)
    // Files of /proc claim to be empty: only the end of reading tells.
    if position == end, try hasByte(handle, at: position) { return nil }
    return position..<end
  }

  private static func hasByte(_ handle: FileHandle, at position: UInt64) throws(SystemError) -> Bool {
    var byte: UInt8 = 0
    var count = 0
    var failure: SystemError?
    // The pointer is used inside the closure only.
    unsafe withUnsafeMutableBytes(of: &byte) { bytes in
      do throws(SystemError) { count = unsafe try handle.read(at: position, into: bytes) } catch { failure = error }
    }
    if let failure { throw failure }
    return count == 1
  }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    let read: Int
    // `part` is inside the caller's buffer.
    do throws(SystemError) { read = unsafe try handle.read(at: start + position, into: part) } catch {
      throw SwzipError(error)
    }
    guard read == count else { throw SwzipError.sourceShortened }
    return count
  }
}

/// A file, or whatever else has a descriptor, read forward. A regular file can be read at random too.
public final class FileStream: ForwardSource {
  package let handle: FileHandle
  private let file: FileSource?
  private let forward: (any ForwardSource)?
  /// Bytes that `peek` took from a pipe.
  private let peeked = Mutex<[UInt8]>([])

  package init(_ handle: FileHandle) throws(SystemError) {
    self.handle = handle
    file = try FileSource.range(handle).map { FileSource(handle, $0) }
    forward = file?.forward()
  }

  public var byteCount: UInt64? { file?.byteCount }
  public var name: String { handle.path }
  public var random: (any RandomSource)? { file }

  /// The first bytes, without consuming them: `count`, or all if there are fewer. Before anything else is read.
  public func peek(_ count: Int) throws(SwzipError) -> [UInt8] {
    if let file { return try file.bytes(at: 0, count: Int(min(UInt64(count), file.byteCount))) }
    let memory = try Memory(count)
    let found = try unsafe read(into: memory.bytes)
    let bytes = unsafe [UInt8](memory.prefix(found))
    peeked.withLock { $0 = bytes }
    return bytes
  }

  /// Whether a container begins here, and holds a folder. The header's bytes are not consumed.
  public func beginsFolder() throws(SwzipError) -> Bool { FileHeader.saysFolder(try peek(FileHeader.byteCount)) }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on; so below.
    if let forward { return unsafe try forward.read(into: buffer) }
    let start = peeked.withLock { bytes in
      defer { bytes.removeFirst(min(bytes.count, buffer.count)) }
      return Array(bytes.prefix(buffer.count))
    }
    unsafe buffer.copyBytes(from: start)
    let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start.count...])
    do throws(SystemError) { return start.count + (unsafe try handle.read(into: rest)) } catch {
      throw SwzipError(error)
    }
  }
}

extension FileHeader {
  /// Whether these bytes are the header of a folder's container.
  static func saysFolder(_ start: [UInt8]) -> Bool { (try? read(start)).map { $0.kind != .file } ?? false }
}
