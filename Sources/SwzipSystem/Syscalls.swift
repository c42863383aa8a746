// Every call of libc that swzip makes, and the only file that imports it. A call here retries EINTR, moves at most
// 1 GiB, copies errno on the next line and throws SystemError; it decides nothing else. Longer than other files so
// that this stays one place.
internal import CSwzipSystem
internal import SwzipNames

#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#elseif canImport(Bionic)
  internal import Bionic
#else
  #error("swzip needs a POSIX system")
#endif

/// The system calls, by what they do.
enum System {
  static let missing = ENOENT
  static let exists = EEXIST
  static let brokenPipe = EPIPE
  static let accessDenied = EACCES
  static let notPermitted = EPERM
  static let noSpace = ENOSPC
  static let overQuota = EDQUOT
  static let tooLarge = EFBIG
  static let isLink = ELOOP
  static let notDirectory = ENOTDIR
  static let isDirectory = EISDIR
  static let noMemory = ENOMEM
  static let invalid = EINVAL
  static let readOnly = EROFS
  static let badDescriptor = EBADF
  static let inputOutput = EIO
  static let tooManyFiles = EMFILE
  static let nameTooLong = ENAMETOOLONG
  static let unsupported: Set<Int32> = [EINVAL, ENOTSUP, EOPNOTSUPP, ENOSYS]

  /// macOS refuses more than 2 GiB a call and Linux shortens it: every call moves at most this much.
  static let mostBytesACall = 1 << 30

  static func words(for errno: Int32) -> String {
    // The C side writes a terminated text of at most the given size.
    var text = [CChar](repeating: 0, count: 256)
    unsafe swzip_error_words(errno, &text, text.count)
    let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return bytes.isEmpty ? "error \(errno)" : String(decoding: bytes, as: UTF8.self)
  }

  /// Calls again while the system says "interrupted".
  private static func retry<Result: SignedInteger>(
    _ operation: String, _ path: String, _ call: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = call()
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { throw SystemError(errno: code, operation: operation, path: path) }
    }
  }

  // MARK: Files

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
    #if canImport(Darwin)
      let result = Darwin.close(descriptor)
    #elseif canImport(Glibc)
      let result = Glibc.close(descriptor)
    #elseif canImport(Musl)
      let result = Musl.close(descriptor)
    #elseif canImport(Bionic)
      let result = Bionic.close(descriptor)
    #endif
    let code = errno
    if result != 0, code != EINTR { throw SystemError(errno: code, operation: "close", path: path) }
  }

  /// Writes zero bytes or more; the caller loops.
  static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ path: String) throws(SystemError) -> Int {
    let count = min(bytes.count, mostBytesACall)
    #if canImport(Darwin)
      return try retry("write", path) { unsafe Darwin.write(descriptor, bytes.baseAddress, count) }
    #elseif canImport(Glibc)
      return try retry("write", path) { unsafe Glibc.write(descriptor, bytes.baseAddress, count) }
    #elseif canImport(Musl)
      return try retry("write", path) { unsafe Musl.write(descriptor, bytes.baseAddress, count) }
    #elseif canImport(Bionic)
      return try retry("write", path) { unsafe Bionic.write(descriptor, bytes.baseAddress, count) }
    #endif
  }

  static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer, _ path: String) throws(SystemError)
    -> Int
  {
    let count = min(buffer.count, mostBytesACall)
    #if canImport(Darwin)
      return try retry("read", path) { unsafe Darwin.read(descriptor, buffer.baseAddress, count) }
    #elseif canImport(Glibc)
      return try retry("read", path) { unsafe Glibc.read(descriptor, buffer.baseAddress, count) }
    #elseif canImport(Musl)
      return try retry("read", path) { unsafe Musl.read(descriptor, buffer.baseAddress, count) }
    #elseif canImport(Bionic)
      return try retry("read", path) { unsafe Bionic.read(descriptor, buffer.baseAddress, count) }
    #endif
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
  /// Returns false where somebody else holds it.
  static func lock(_ descriptor: Int32) -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }

  // MARK: Names

  /// A name and the directory that it is relative to.
  typealias Place = (name: String, directory: Int32)

  static func link(_ from: Place, _ to: Place, _ path: String) throws(SystemError) {
    _ = try retry("link", path) {
      unsafe linkat(from.directory, from.name.terminated, to.directory, to.name.terminated, 0)
    }
  }

  static func rename(_ from: Place, _ to: Place, _ path: String) throws(SystemError) {
    _ = try retry("rename", path) {
      unsafe renameat(from.directory, from.name.terminated, to.directory, to.name.terminated)
    }
  }

  static func renameNoReplace(_ from: Place, _ to: Place, _ path: String) throws(SystemError) {
    _ = try retry("rename", path) {
      unsafe swzip_rename_no_replace(from.directory, from.name.terminated, to.directory, to.name.terminated)
    }
  }

  static func makeLink(_ name: String, to target: String, in directory: Int32, _ path: String) throws(SystemError) {
    _ = try retry("link", path) { unsafe symlinkat(target.terminated, directory, name.terminated) }
  }

  /// What a link says.
  static func linkTarget(_ path: String) throws(SystemError) -> String {
    var text = [CChar](repeating: 0, count: 1 << 16)
    // Both arrays live through the call, which writes no more than there is room for.
    let count = try retry("follow", path) { unsafe readlink(path.terminated, &text, text.count) }
    return String(nameBytes: text[..<count].map { UInt8(bitPattern: $0) })
  }

  static func unlink(_ name: String, in directory: Int32, _ path: String) throws(SystemError) {
    _ = try retry("remove", path) { unsafe unlinkat(directory, name.terminated, 0) }
  }

  static func makeDirectory(
    _ name: String, mode: UInt32, in directory: Int32, _ path: String
  ) throws(SystemError) {
    _ = try retry("create", path) { unsafe mkdirat(directory, name.terminated, mode_t(mode)) }
  }

  static func removeDirectory(_ name: String, in directory: Int32, _ path: String) throws(SystemError) {
    _ = try retry("remove", path) { unsafe unlinkat(directory, name.terminated, AT_REMOVEDIR) }
  }

  /// Whether this user may make and remove names in a directory.
  static func checkWritable(_ path: String) throws(SystemError) {
    _ = try retry("change", path) { unsafe faccessat(currentDirectory, path.terminated, W_OK | X_OK, AT_EACCESS) }
  }

  /// The names in an open directory, without `.` and `..`.
  static func names(in directory: Int32, _ path: String) throws(SystemError) -> [String] {
    // A descriptor of its own: the stream moves and closes it.
    let copy = try open(".", .directory, in: directory)
    guard let stream = unsafe fdopendir(copy) else {
      let code = errno
      try? close(copy, path)
      throw SystemError(errno: code, operation: "read", path: path)
    }
    // The stream is ours from here to the close below.
    defer { _ = unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        let code = errno
        guard code == 0 else { throw SystemError(errno: code, operation: "read", path: path) }
        return names
      }
      // d_name is terminated and valid until the next readdir; the copy is made at once.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
      if name != Array(".".utf8), name != Array("..".utf8) { names.append(String(nameBytes: name)) }
    }
  }

  /// A path without links, `.` and `..`.
  static func realPath(_ path: String) throws(SystemError) -> String {
    guard let found = unsafe realpath(path.terminated, nil) else {
      throw SystemError(errno: errno, operation: "follow", path: path)
    }
    // Allocated by the call, ours to free.
    defer { unsafe free(found) }
    return unsafe String(nameBytes: UnsafeRawBufferPointer(start: found, count: strlen(found)))
  }

  /// Whether a name fits a shell's pattern; `*` and `?` take slashes and leading dots too.
  static func matches(_ name: String, _ pattern: String) -> Bool {
    unsafe fnmatch(pattern.terminated, name.terminated, 0) == 0
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

  static func returnLargeMemory() { swzip_return_large_memory() }

  /// The bits that a new file does not get. Sets and restores: call it before there are threads.
  static func creationMask() -> UInt32 {
    let mask = umask(0o077)
    _ = umask(mask)
    return UInt32(mask)
  }

  /// Bytes free for this user on the file system of an open file; nil if it will not tell.
  static func freeByteCount(_ descriptor: Int32) -> UInt64? {
    var space = statvfs()
    guard unsafe fstatvfs(descriptor, &space) == 0 else { return nil }
    let (bytes, overflow) = UInt64(space.f_bavail).multipliedReportingOverflow(by: UInt64(space.f_frsize))
    return overflow ? nil : bytes
  }

  // MARK: Process

  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  static func terminalColumns(_ descriptor: Int32) -> Int { Int(swzip_terminal_columns(descriptor)) }

  static func processNumber() -> Int32 { getpid() }

  static func userNumber() -> UInt32 { geteuid() }

  /// The words of the command line.
  static func arguments() -> [String] {
    (0..<Int(CommandLine.argc)).compactMap { index in
      // Terminated texts that live as long as the process.
      guard let word = unsafe CommandLine.unsafeArgv[index] else { return nil }
      return unsafe String(nameBytes: UnsafeRawBufferPointer(start: word, count: strlen(word)))
    }
  }

  static func environment(_ name: String) -> String? {
    // The value is copied at once; nobody here changes the environment.
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  static func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// Waits.
  static func pause(milliseconds: Int) {
    var time = timespec(FileTime(nanoseconds: Int64(milliseconds) * 1_000_000))
    var rest = timespec()
    // A signal makes it go on where it was.
    while unsafe nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
  }

  static func now() -> FileTime {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return FileTime(nanoseconds: 0) }
    return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  static func yield() { sched_yield() }

  static func onlineProcessors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  static func terminate(_ status: Int32) -> Never { exit(status) }

  // MARK: Threads

  #if canImport(Darwin)
    typealias Thread = pthread_t?
  #else
    typealias Thread = pthread_t
  #endif

  /// Starts a thread with a stack of `stackByteCount` bytes that runs `work`; nil where the system has none left.
  static func startThread(stackByteCount: Int, _ work: @escaping () -> Void) -> Thread? {
    var attributes = pthread_attr_t()
    guard unsafe pthread_attr_init(&attributes) == 0 else { return nil }
    // The attributes are ours and initialised; so is the box until the thread takes it.
    defer { _ = unsafe pthread_attr_destroy(&attributes) }
    _ = unsafe pthread_attr_setstacksize(&attributes, stackByteCount)
    let box = unsafe Unmanaged.passRetained(ThreadBox(work))
    #if canImport(Darwin)
      var thread: pthread_t?
      let result = unsafe pthread_create(&thread, &attributes, { unsafe runThread($0) }, box.toOpaque())
    #else
      var thread = pthread_t()
      let result = unsafe pthread_create(&thread, &attributes, { unsafe runThread($0) }, box.toOpaque())
    #endif
    guard result == 0 else {
      unsafe box.release()
      return nil
    }
    return thread
  }

  static func joinThread(_ thread: Thread) {
    #if canImport(Darwin)
      if let thread = unsafe thread { _ = unsafe pthread_join(thread, nil) }
    #else
      _ = pthread_join(thread, nil)
    #endif
  }

  /// Runs `body` with every signal blocked that another thread could take as well, so that threads started inside
  /// never run a handler: the thread that calls us does.
  static func withSignalsBlocked<Result>(_ body: () -> Result) -> Result {
    var blocked = sigset_t()
    var before = sigset_t()
    unsafe sigfillset(&blocked)
    // These come from the thread's own instructions.
    for number in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP] { unsafe sigdelset(&blocked, number) }
    let changed = unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0
    defer { if changed { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) } }
    return body()
  }
}

private final class ThreadBox {
  let work: () -> Void
  init(_ work: @escaping () -> Void) { self.work = work }
}

#if canImport(Darwin)
  private func runThread(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    unsafe Unmanaged<ThreadBox>.fromOpaque(argument).takeRetainedValue().work()
    return nil
  }
#else
  private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let argument = unsafe argument { unsafe Unmanaged<ThreadBox>.fromOpaque(argument).takeRetainedValue().work() }
    return nil
  }
#endif

extension String {
  /// The bytes of a name as C takes them.
  var terminated: [CChar] { nameBytes.map { CChar(bitPattern: $0) } + [0] }
}

extension timespec {
  fileprivate init(_ time: FileTime) {
    self.init(tv_sec: time_t(time.seconds), tv_nsec: Int(time.nanoseconds))
  }
}
