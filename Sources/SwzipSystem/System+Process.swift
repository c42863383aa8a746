// The process: its arguments, terminal, clocks and memory.
internal import CSwzipSystem
internal import SwzipLibc
package import SwzipNames

extension System {
  static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

  static func terminalColumns(_ descriptor: Int32) -> Int { Int(swzip_terminal_columns(descriptor)) }

  package static func processNumber() -> Int32 { getpid() }

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
  package static func pause(milliseconds: Int) {
    var time = timespec(FileTime(nanoseconds: Int64(milliseconds) * 1_000_000))
    var rest = timespec()
    // A signal makes it go on where it was.
    while unsafe nanosleep(&time, &rest) != 0, errno == EINTR { time = rest }
  }

  package static func now() -> FileTime {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_REALTIME, &time) == 0 else { return FileTime(nanoseconds: 0) }
    return FileTime(seconds: Int64(time.tv_sec), nanoseconds: UInt32(time.tv_nsec))
  }

  static func onlineProcessors() -> Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  static func terminate(_ status: Int32) -> Never { exit(status) }

  /// The bits that a new file does not get. Sets and restores: call it before there are threads.
  static func creationMask() -> UInt32 {
    let mask = umask(0o077)
    _ = umask(mask)
    return UInt32(mask)
  }

  static func returnLargeMemory() { swzip_return_large_memory() }
}
