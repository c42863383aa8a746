public import SwzipCore
package import SwzipSystem
internal import Synchronization

/// A file, or whatever else has a descriptor, as a sink. Only an `AtomicFile`'s handle can be read back; it will be made
/// durable.
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
    /// What stands before it is on its way to the disk.
    var writeBackStart: UInt64 = 0
    var failure: SystemError?
  }

  /// What file systems allocate.
  private static let holeUnit = 4096
  /// What is made durable at the end is sent to the disk in such parts as it comes.
  private static let writeBackBytes: UInt64 = 8 << 20

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
    if canReadBack { startWriteBack() }
  }

  private func startWriteBack() {
    let range = state.withLock { state -> Range<UInt64>? in
      guard state.dataEnd >= state.writeBackStart + Self.writeBackBytes else { return nil }
      defer { state.writeBackStart = state.dataEnd }
      return state.writeBackStart..<state.dataEnd
    }
    if let range { handle.startWriteBack(range) }
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

  public var canRewrite: Bool { canReadBack }

  public func rewrite(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    guard canRewrite else { throw SwzipError(.refused, .notRandomAccess) }
    // No part of it is a hole that is not made yet: what is written again is never all zeros.
    try call { () throws(SystemError) in try unsafe handle.write(bytes, at: position) }
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
    self.init(
      .io, .system, file: error.path.isEmpty ? nil : error.path, errno: error.errno, detail: error.text)
  }
}
