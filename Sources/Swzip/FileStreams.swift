public import SwzipCore
package import SwzipSystem
internal import Synchronization

/// A file, or whatever else has a descriptor, as a source. A regular file is read by position, from where the
/// descriptor stood, up to the length that it had when it was opened; anything else forward only.
public final class FileSource: InputSource {
  package let handle: FileHandle
  public let byteCount: UInt64?
  private let start: UInt64
  private let forward = Mutex<UInt64>(0)
  /// Bytes that `peek` took from a pipe.
  private let peeked = Mutex<[UInt8]>([])

  public convenience init(path: String) throws(SwzipError) {
    do throws(SystemError) {
      try self.init(FileHandle.open(path))
    } catch {
      throw SwzipError(error)
    }
  }

  package init(_ handle: FileHandle) throws(SystemError) {
    self.handle = handle
    let status = try handle.status()
    guard status.kind == .regular, let position = handle.position else {
      start = 0
      byteCount = nil
      return
    }
    start = position
    let count = status.byteCount > position ? status.byteCount - position : 0
    // Files of /proc claim to be empty: only the end of reading tells.
    if count == 0, try FileSource.hasByte(handle, at: position) {
      byteCount = nil
    } else {
      byteCount = count
    }
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

  /// The first bytes, without consuming them: `count`, or all if there are fewer. For a pipe before anything else is read.
  public func peek(_ count: Int) throws(SwzipError) -> [UInt8] {
    if let byteCount { return try bytes(at: 0, count: Int(min(UInt64(count), byteCount))) }
    let memory = try Memory(count)
    let found = try unsafe read(into: memory.bytes)
    let bytes = unsafe [UInt8](memory.prefix(found))
    peeked.withLock { $0 = bytes }
    return bytes
  }

  /// Whether a container begins here, and holds a folder. The header's bytes are not consumed.
  public func beginsFolder() throws(SwzipError) -> Bool {
    let start = try peek(FileHeader.byteCount)
    guard let header = try? FileHeader.read(start) else { return false }
    return header.kind != .file
  }

  /// The XXH3-128 of all bytes, as reports show it; the forward position stays.
  public func checksum() throws(SwzipError) -> String {
    let sum = try StreamChecksum()
    let memory = try Memory(1 << 20)
    var position: UInt64 = 0
    while case let count = try unsafe read(at: position, into: memory.bytes), count > 0 {
      unsafe sum.add(memory.prefix(count))
      position += UInt64(count)
    }
    return sum.sum.hexadecimal
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard byteCount != nil else {
      let start = peeked.withLock { bytes in
        defer { bytes.removeFirst(min(bytes.count, buffer.count)) }
        return Array(bytes.prefix(buffer.count))
      }
      unsafe buffer.copyBytes(from: start)
      // The rest is inside the caller's buffer.
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[start.count...])
      do throws(SystemError) { return start.count + (unsafe try handle.read(into: rest)) } catch {
        throw SwzipError(error)
      }
    }
    let position = forward.withLock { $0 }
    let count = unsafe try read(at: position, into: buffer)
    forward.withLock { $0 = position + UInt64(count) }
    return count
  }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard let byteCount else { throw SwzipError(.refused, .notRandomAccess) }
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
    let read: Int
    // `part` is inside the caller's buffer.
    do throws(SystemError) { read = unsafe try handle.read(at: start + position, into: part) } catch {
      throw SwzipError(error)
    }
    guard read == count else {
      throw SwzipError(
        .io, .system, detail: "it became shorter while it was read; run it again when nobody writes to it")
    }
    return count
  }
}

/// A file, or whatever else has a descriptor, as a sink. Only an `AtomicFile`'s handle can be read back.
///
/// With `makesHoles` blocks of zeros take no space on the disk; call `finish` at the end.
public final class FileSink: OutputSink {
  package let handle: FileHandle
  private let canReadBack: Bool
  private let makesHoles: Bool
  private let state = Mutex<State>(State())

  private struct State {
    var written: UInt64 = 0
    /// Where the bytes in the file end: what was written behind them is a hole, not made yet.
    var dataEnd: UInt64 = 0
    var failure: SystemError?
  }

  /// What file systems allocate.
  private static let holeUnit = 4096

  package init(_ handle: FileHandle, canReadBack: Bool, makesHoles: Bool = false) {
    self.handle = handle
    self.canReadBack = canReadBack
    self.makesHoles = makesHoles
  }

  package var written: UInt64 { state.withLock { $0.written } }

  /// What the system said when a write failed: a broken pipe is treated apart.
  package var failure: SystemError? { state.withLock { $0.failure } }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    let start = state.withLock { $0.written }
    var dataStart = 0
    if makesHoles {
      for hole in unsafe FileSink.holes(in: bytes, at: start) {
        try unsafe put(bytes[dataStart..<hole.lowerBound], at: start)
        dataStart = hole.upperBound
      }
    }
    try unsafe put(bytes[dataStart...], at: start)
    state.withLock { $0.written = start + UInt64(bytes.count) }
  }

  /// Aligned blocks of zeros; `start`: the position of the first byte in the file.
  private static func holes(in bytes: UnsafeRawBufferPointer, at start: UInt64) -> [Range<Int>] {
    var holes: [Range<Int>] = []
    var place = Int((0 &- start) % UInt64(holeUnit))
    while place <= bytes.count - holeUnit {
      let next = place + holeUnit
      if unsafe areZero(UnsafeRawBufferPointer(rebasing: bytes[place..<next])) {
        if let last = holes.last, last.upperBound == place {
          holes[holes.count - 1] = last.lowerBound..<next
        } else {
          holes.append(place..<next)
        }
      }
      place = next
    }
    return holes
  }

  /// Writes a part of what stands at `start`, behind the hole before it.
  private func put(_ part: Slice<UnsafeRawBufferPointer>, at start: UInt64) throws(SwzipError) {
    guard unsafe !part.isEmpty else { return }
    let place = unsafe start + UInt64(part.startIndex)
    let end = unsafe start + UInt64(part.endIndex)
    let dataEnd = state.withLock { $0.dataEnd }
    try call { () throws(SystemError) in
      // They lie in the caller's.
      let bytes = unsafe UnsafeRawBufferPointer(rebasing: part)
      if dataEnd < place {
        try unsafe handle.write(bytes, behindHoleFrom: dataEnd, to: place)
      } else {
        try unsafe handle.write(bytes)
      }
    }
    state.withLock { $0.dataEnd = end }
  }

  /// Keeps what the system said, which the library's error does not.
  private func call(_ call: () throws(SystemError) -> Void) throws(SwzipError) {
    do throws(SystemError) { try call() } catch {
      state.withLock { $0.failure = error }
      throw SwzipError(error)
    }
  }

  /// Makes the hole at the end, if there is one.
  package func finish() throws(SwzipError) {
    let (dataEnd, end) = state.withLock { ($0.dataEnd, $0.written) }
    guard dataEnd < end else { return }
    try call { () throws(SystemError) in
      try unsafe handle.write(UnsafeRawBufferPointer(start: nil, count: 0), behindHoleFrom: dataEnd, to: end)
    }
    state.withLock { $0.dataEnd = end }
  }

  public func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard canReadBack else { throw SwzipError(.refused, .notRandomAccess) }
    let (dataEnd, written) = state.withLock { ($0.dataEnd, $0.written) }
    var count: Int
    do throws(SystemError) { count = unsafe try handle.read(at: position, into: buffer) } catch {
      throw SwzipError(error)
    }
    // A hole that is not made yet.
    if position + UInt64(count) >= dataEnd, position + UInt64(buffer.count) <= written {
      unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).initializeMemory(as: UInt8.self, repeating: 0)
      count = buffer.count
    }
    guard count == buffer.count else {
      throw SwzipError(.io, .system, detail: "what was written cannot be read back; the disk may be failing")
    }
  }
}

extension SwzipError {
  /// A failed call of the system, with its words.
  package init(_ error: SystemError) {
    self.init(.io, .system, detail: error.text)
  }
}
