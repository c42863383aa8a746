#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A program that runs in a folder, started with posix_spawn.
public final class Child {
  /// Where a stream of the program goes or comes from.
  public enum Stream {
    /// `/dev/null`.
    case nothing
    /// A file in the folder; made and cut for output.
    case file(String)
    /// The program's side of a pipe whose other end stays open, unused, until the program has ended.
    case openPipe
    /// A terminal of our own; what the program shows is in `Outcome.terminal`.
    case terminal
  }

  public struct Outcome {
    /// The exit status, or 128 + n after signal n, as a shell shows it.
    public let status: Int32
    public let terminal: String
  }

  public let number: Int32
  private var ours: [Int32] = []
  private var master: Int32 = -1

  public init(
    _ program: String, _ arguments: [String], in folder: String, environment: [String: String] = [:],
    input: Stream = .nothing, output: Stream = .nothing, errors: Stream = .nothing
  ) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    // A test that runs in the background may have been started with signals ignored, and the thread
    // that runs a test may block them: programs start without either.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { unsafe sigaddset(&signals, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    var blocked = sigset_t()
    unsafe sigemptyset(&blocked)
    unsafe posix_spawnattr_setsigmask(&attributes, &blocked)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var theirs: [Int32] = []
    for (descriptor, stream) in [(Int32(0), input), (1, output), (2, errors)] {
      let end: Int32
      switch stream {
      case .nothing: end = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
      case .file(let name):
        let flags = descriptor == 0 ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC
        end = unsafe open(name.hasPrefix("/") ? name : folder + "/" + name, flags | O_CLOEXEC, 0o600)
      case .openPipe:
        var ends: [Int32] = [0, 0]
        precondition(unsafe pipe(&ends) == 0)
        let kept = descriptor == 0 ? ends[1] : ends[0]
        end = descriptor == 0 ? ends[0] : ends[1]
        _ = fcntl(kept, F_SETFD, FD_CLOEXEC)
        _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        ours.append(kept)
      case .terminal:
        if master < 0 { master = Child.openMaster() }
        end = unsafe open(Child.slave(of: master), O_RDWR | O_NOCTTY | O_CLOEXEC)
      }
      precondition(end >= 0, "cannot open stream \(descriptor)")
      unsafe posix_spawn_file_actions_adddup2(&actions, end, descriptor)
      theirs.append(end)
    }
    var words = ["PATH=/usr/bin:/bin", "HOME=/nonexistent", "COLUMNS=80", "SWIFT_BACKTRACE=enable=no"]
    words += environment.map { $0.key + "=" + $0.value }
    var child = pid_t()
    let result = unsafe Child.withWords(["sh", "-c", "cd \"$0\" && exec \"$@\"", folder, program] + arguments) {
      arguments in
      unsafe Child.withWords(words) { environment in
        unsafe posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environment)
      }
    }
    precondition(result == 0, "cannot start \(program): error \(result)")
    number = child
    for end in theirs { close(end) }
  }

  public func signal(_ signal: Int32) { kill(number, signal) }

  public func wait() -> Outcome {
    var status: Int32 = 0
    while unsafe waitpid(number, &status, 0) < 0 && errno == EINTR {}
    for end in ours { close(end) }
    let code = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    return Outcome(status: code, terminal: readTerminal())
  }

  #if canImport(Glibc) || canImport(Musl)
    /// The calls that open a terminal are not in Swift's libc module; these are the ioctls behind them.
    private static func openMaster() -> Int32 {
      let master = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
      var unlocked: Int32 = 0
      precondition(unsafe master >= 0 && ioctl(master, 0x4004_5431, &unlocked) == 0, "no terminal")
      return master
    }

    private static func slave(of master: Int32) -> String {
      var number: Int32 = 0
      precondition(unsafe ioctl(master, 0x8004_5430, &number) == 0, "no terminal")
      return "/dev/pts/\(number)"
    }
  #else
    private static func openMaster() -> Int32 {
      let master = posix_openpt(O_RDWR | O_NOCTTY)
      precondition(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0, "no terminal")
      return master
    }

    private static func slave(of master: Int32) -> String {
      guard let name = unsafe ptsname(master) else { preconditionFailure("no terminal") }
      return unsafe String(cString: name)
    }
  #endif

  private func readTerminal() -> String {
    guard master >= 0 else { return "" }
    defer { close(master) }
    // The program has ended: what it wrote is there, and reading past it must not wait.
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    var text: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = unsafe read(master, &chunk, chunk.count)
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += chunk[..<count]
    }
  }

  private static func withWords<Result>(
    _ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
    return unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      guard let start = buffer.baseAddress else { preconditionFailure("never empty") }
      return unsafe body(UnsafePointer(start))
    }
  }
}

/// Waits a little; for conditions that another process brings about.
public func waitUntil(seconds: Double = 20, _ condition: () -> Bool) -> Bool {
  for _ in 0..<Int(seconds * 200) {
    if condition() { return true }
    usleep(5000)
  }
  return condition()
}
