// Open files: their bytes, who else has them open, and what the system knows of them.
internal import CSwzipSystem
internal import SwzipLibc
internal import SwzipNames

extension System {
  /// How to open a file.
  enum Opening {
    case read, directory
    /// Refuses a link, and waits for nobody: a pipe is opened at once, with nothing in it.
    case readNoFollow
    /// Refuses a link.
    case directoryNoFollow
    /// An existing file, device or pipe, as it is.
    case write
    /// Refuses an existing name, and never follows a link.
    case createNew(mode: UInt32)
  }

  static func open(_ path: String, _ opening: Opening, in directory: Int32 = currentDirectory) throws(SystemError)
    -> Int32
  {
    var flags = O_CLOEXEC
    var mode: UInt32 = 0
    switch opening {
    case .read: flags |= O_RDONLY
    case .readNoFollow: flags |= O_RDONLY | O_NOFOLLOW | O_NONBLOCK
    case .write: flags |= O_WRONLY
    case .directory: flags |= O_RDONLY | O_DIRECTORY
    case .directoryNoFollow: flags |= O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    case .createNew(let bits):
      flags |= O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
      mode = bits
    }
    // The array lives through the call; libc copies nothing that outlasts it. The same holds for every path below.
    return try retry("open", path) { unsafe openat(directory, path.terminated, flags, mode_t(mode)) }
  }

  /// A directory by path only, where it may not be read: names can be made in it, it cannot be synced.
  static func openPathOnly(_ path: String) throws(SystemError) -> Int32 {
    let flags = O_CLOEXEC | O_DIRECTORY | swzip_open_path_only
    return try retry("open", path) { unsafe openat(currentDirectory, path.terminated, flags) }
  }

  static var currentDirectory: Int32 { AT_FDCWD }

  /// Never retried: after EINTR the descriptor is gone on Linux, and a second close could hit another file.
  static func close(_ descriptor: Int32, _ path: String) throws(SystemError) {
    let result = closeFile(descriptor)
    let code = errno
    if result != 0, code != EINTR { throw SystemError(errno: code, operation: "close", path: path) }
  }

  /// Writes zero bytes or more; the caller loops.
  static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String) throws(SystemError) -> Int {
    let count = min(bytes.count, mostBytesACall)
    return try retry("write", path) { unsafe writeFile(descriptor, bytes.baseAddress, count) }
  }

  static func write(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at position: Int64, _ path: String
  ) throws(SystemError) -> Int {
    let count = min(bytes.count, mostBytesACall)
    return try retry("write", path) { unsafe pwrite(descriptor, bytes.baseAddress, count, off_t(position)) }
  }

  static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: String) throws(SystemError)
    -> Int
  {
    let count = min(buffer.count, mostBytesACall)
    return try retry("read", path) { unsafe readFile(descriptor, buffer.baseAddress, count) }
  }

  static func read(
    _ descriptor: Int32, at position: UInt64, _ buffer: UnsafeMutableRawBufferPointer, _ path: String
  ) throws(SystemError) -> Int {
    let count = min(buffer.count, mostBytesACall)
    guard let place = off_t(exactly: position) else {
      throw SystemError(errno: EINVAL, operation: "read", path: path)
    }
    return try retry("read", path) { unsafe pread(descriptor, buffer.baseAddress, count, place) }
  }

  static func duplicate(_ descriptor: Int32) throws(SystemError) -> Int32 {
    try retry("open", "") { fcntl(descriptor, F_DUPFD_CLOEXEC, 0) }
  }

  /// The position of the descriptor itself, nil where it has none (a pipe).
  static func position(_ descriptor: Int32) -> UInt64? {
    let place = lseek(descriptor, 0, SEEK_CUR)
    return place < 0 ? nil : UInt64(place)
  }

  /// Never retried after a failure: the pages may be dropped, and a second call would then lie.
  static func sync(_ descriptor: Int32, _ path: String) throws(SystemError) {
    #if canImport(Darwin)
      // fsync leaves the data in the drive's cache there.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    _ = try retry("sync", path) { fsync(descriptor) }
  }

  static func reserve(_ descriptor: Int32, _ byteCount: Int64, _ path: String) throws(SystemError) {
    _ = try retry("reserve space for", path) { swzip_reserve(descriptor, byteCount) }
  }

  /// Frees the space of a range where the file system can.
  static func punch(_ descriptor: Int32, at position: Int64, _ byteCount: Int64) {
    _ = swzip_punch(descriptor, position, byteCount)
  }

  static func startWriteBack(_ descriptor: Int32, at position: Int64, _ byteCount: Int64) {
    swzip_start_write_back(descriptor, position, byteCount)
  }

  /// Moves the position of the descriptor.
  static func seek(_ descriptor: Int32, to position: Int64, _ path: String) throws(SystemError) {
    _ = try retry("write", path) { lseek(descriptor, off_t(position), SEEK_SET) }
  }

  /// Makes a file longer, with zeros, or shorter.
  static func setLength(_ descriptor: Int32, _ byteCount: Int64, _ path: String) throws(SystemError) {
    _ = try retry("write", path) { ftruncate(descriptor, off_t(byteCount)) }
  }

  /// Nil where the system cannot tell who writes.
  static func hold(_ descriptor: Int32) -> Bool? {
    let result = swzip_hold(descriptor)
    return result < 0 ? nil : result == 1
  }

  static func isHeld(_ descriptor: Int32) -> Bool { swzip_is_held(descriptor) == 1 }

  static func release(_ descriptor: Int32) { swzip_release(descriptor) }

  static func forgetPages(_ descriptor: Int32) { swzip_forget_pages(descriptor) }

  /// Marks the file as in use by this process; released when it is closed, however the process ends.
  /// Returns false where somebody else holds it, nil where the file system cannot tell.
  static func lock(_ descriptor: Int32) -> Bool? {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    return errno == EWOULDBLOCK ? false : nil
  }

  // MARK: Attributes

  static func status(_ descriptor: Int32, _ path: String) throws(SystemError) -> FileStatus {
    var raw = swzip_status()
    _ = try retry("examine", path) { unsafe swzip_status_of_descriptor(descriptor, &raw) }
    return FileStatus(raw)
  }

  static func status(
    of path: String, followingLinks: Bool, in directory: Int32 = currentDirectory
  ) throws(SystemError) -> FileStatus {
    var raw = swzip_status()
    _ = try retry("examine", path) {
      unsafe swzip_status_of_path(directory, path.terminated, followingLinks ? 1 : 0, &raw)
    }
    return FileStatus(raw)
  }

  static func setMode(_ descriptor: Int32, _ mode: UInt32, _ path: String) throws(SystemError) {
    _ = try retry("set the mode of", path) { fchmod(descriptor, mode_t(mode)) }
  }

  /// Returns whether it was allowed. All ones leaves user or group as it is.
  static func setOwner(_ descriptor: Int32, user: UInt32, group: UInt32) -> Bool {
    fchown(descriptor, user, group) == 0
  }

  static func setTimes(
    _ descriptor: Int32, accessed: FileTime, modified: FileTime, _ path: String
  ) throws(SystemError) {
    var times = [timespec(accessed), timespec(modified)]
    // Two times in a row are what futimens takes.
    _ = try retry("set the times of", path) { unsafe futimens(descriptor, &times) }
  }

  /// Bytes free for this user on the file system of an open file; nil if it will not tell.
  static func freeByteCount(_ descriptor: Int32) -> UInt64? {
    var space = statvfs()
    guard unsafe fstatvfs(descriptor, &space) == 0 else { return nil }
    let (bytes, overflow) = UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize))
    return overflow ? nil : bytes
  }
}

// Within `System` its own functions of these names hide libc's.
private func closeFile(_ descriptor: Int32) -> Int32 { close(descriptor) }
private func readFile(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  unsafe read(descriptor, bytes, count)
}
private func writeFile(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}
