public import SwzipNames
internal import Synchronization

/// An open file. Positions are the caller's business where it can be: `read(at:)` moves nothing.
/// Closed when the last reference goes; `close()` tells what closing found out (NFS reports a full disk there).
public final class FileHandle: Sendable {
  /// For texts only.
  public let path: String
  let number: Int32
  private let isOpen: Atomic<Bool>

  init(number: Int32, path: String) {
    self.number = number
    self.path = path
    isOpen = Atomic(true)
  }

  deinit { try? close() }

  /// Nothing closes these three but a call of `close()`: do it once for the output, at the end, to learn what
  /// closing has to say.
  public static let standardInput = FileHandle(number: 0, path: "(stdin)")
  public static let standardOutput = FileHandle(number: 1, path: "(stdout)")
  public static let standardError = FileHandle(number: 2, path: "(stderr)")

  /// Opens for reading. Without `followingLinks` a symbolic link as the last part of the path is an error, and a pipe
  /// opens at once.
  public static func open(_ path: String, followingLinks: Bool = true) throws(SystemError) -> FileHandle {
    FileHandle(number: try System.open(path, followingLinks ? .read : .readNoFollow), path: path)
  }

  /// A descriptor of its own for what another one has open.
  public static func duplicate(_ number: Int32) throws(SystemError) -> FileHandle {
    FileHandle(number: try System.duplicate(number), path: "")
  }

  /// Opens an existing file, device or pipe for writing, as it is: nothing is created or cut.
  public static func openForWriting(_ path: String) throws(SystemError) -> FileHandle {
    FileHandle(number: try System.open(path, .write), path: path)
  }

  // MARK: Reading and writing

  /// Reads forward until `buffer` is full or the file ends; returns the bytes read.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      // `rest` is inside the caller's buffer, which outlives the call; so below.
      let count = unsafe try System.read(number, rest, path)
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Reads at a position until `buffer` is full or the file ends.
  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> Int {
    var done = 0
    while done < buffer.count {
      let (place, overflow) = position.addingReportingOverflow(UInt64(done))
      guard !overflow else { throw SystemError(errno: System.invalid, operation: "read", path: path) }
      let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = unsafe try System.read(number, at: place, rest, path)
      if count == 0 { break }
      done += count
    }
    return done
  }

  /// Reads forward all that is left: for lists of names, not for models.
  public func readToEnd() throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var span = chunk.mutableSpan
      // The pointer is used inside the closure only.
      let count = try unsafe span.withUnsafeMutableBytes { (buffer) throws(SystemError) in try unsafe read(into: buffer)
      }
      bytes += chunk[..<count]
      if count < chunk.count { return bytes }
    }
  }

  /// Writes all bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += unsafe try System.write(number, rest, path)
    }
  }

  /// Writes all bytes at `position`; where the next forward write happens stays the same.
  public func write(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SystemError) {
    guard let start = Int64(exactly: position) else {
      throw SystemError(errno: System.tooLarge, operation: "write", path: path)
    }
    var done = 0
    while done < bytes.count {
      let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[done...])
      done += unsafe try System.write(number, rest, at: start + Int64(done), path)
    }
  }

  /// Writes bytes at `position`, or nothing; what lies between `end`, where the file ends, and `position` becomes a hole
  /// that reads as zeros. Space that was reserved for it is given back where the file system can.
  public func write(
    _ bytes: UnsafeRawBufferPointer, behindHoleFrom end: UInt64, to position: UInt64
  ) throws(SystemError) {
    guard let start = Int64(exactly: end), let place = Int64(exactly: position) else {
      throw SystemError(errno: System.tooLarge, operation: "write", path: path)
    }
    try System.seek(number, to: place, path)
    if unsafe bytes.isEmpty { try System.setLength(number, place, path) } else { unsafe try write(bytes) }
    // Not before: behind the end of a file there are no holes.
    System.punch(number, at: start, place - start)
  }

  /// Writes a text as UTF-8.
  public func write(_ text: String) throws(SystemError) {
    let bytes = Array(text.utf8)
    // The pointer is used inside the closure only.
    try unsafe bytes.span.withUnsafeBytes { (bytes) throws(SystemError) in unsafe try write(bytes) }
  }

  // MARK: State

  public func status() throws(SystemError) -> FileStatus { try System.status(number, path) }

  /// Where the next forward read or write happens; nil for a pipe.
  public var position: UInt64? { System.position(number) }

  public var isTerminal: Bool { System.isTerminal(number) }

  /// Of a terminal; nil if it does not tell.
  public var columnCount: Int? {
    let count = System.terminalColumns(number)
    return count > 0 ? count : nil
  }

  /// Bytes that this user may still write to the file system; nil if it will not tell.
  public var freeByteCount: UInt64? { System.freeByteCount(number) }

  /// Returns once the bytes are on the disk. Never call it again after it threw: write the file anew.
  public func sync() throws(SystemError) { try System.sync(number, path) }

  /// A hint to begin writing a part of the file to the disk, so that `sync` has less to wait for.
  public func startWriteBack(_ range: Range<UInt64>) {
    guard let start = Int64(exactly: range.lowerBound), let end = Int64(exactly: range.upperBound) else { return }
    System.startWriteBack(number, at: start, end - start)
  }

  /// A hint to read from the disk next time, not from memory.
  public func forgetPages() { System.forgetPages(number) }

  /// Reserves disk space, so that a full disk shows now. Does nothing where the file system cannot.
  public func reserve(_ byteCount: UInt64) throws(SystemError) {
    guard byteCount > 0, let count = Int64(exactly: byteCount) else { return }
    do throws(SystemError) {
      try System.reserve(number, count, path)
    } catch {
      if [System.noSpace, System.overQuota, System.tooLarge].contains(error.errno) { throw error }
    }
  }

  /// Keeps others from opening the file for writing until `release` or its close; those who try wait for that, some
  /// seconds at most. False: somebody has it open or mapped for writing. Nil: the system cannot tell.
  public func hold() -> Bool? { System.hold(number) }

  /// Whether the file is still held, and nobody waits to write.
  public var isHeld: Bool { System.isHeld(number) }

  public func release() { System.release(number) }

  public func setMode(_ mode: UInt32) throws(SystemError) { try System.setMode(number, mode, path) }

  public func setTimes(accessed: FileTime, modified: FileTime) throws(SystemError) {
    try System.setTimes(number, accessed: accessed, modified: modified, path)
  }

  /// Gives the file to a user and a group, each as far as this user may. Returns whether the group is right.
  public func setOwner(user: UInt32, group: UInt32) -> Bool {
    _ = System.setOwner(number, user: user, group: .max)
    return System.setOwner(number, user: .max, group: group)
  }

  /// Marks the file as in use until it is closed. False: another process has it.
  public func lock() -> Bool { System.lock(number) == true }

  /// The same, but nil where the file system has no such marks.
  package func tryLock() -> Bool? { System.lock(number) }

  public func close() throws(SystemError) {
    // Exactly one caller sees it open.
    guard isOpen.exchange(false, ordering: .acquiringAndReleasing) else { return }
    try System.close(number, path)
  }
}
