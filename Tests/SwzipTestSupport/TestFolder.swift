#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#endif

/// A folder of one test, removed with all that is in it.
public final class TestFolder {
  public let path: String

  public init() {
    let base = TestFolder.environment("TMPDIR") ?? "/tmp"
    path = base + "/swzip-test-" + String(UInt64.random(in: 0 ... .max), radix: 36)
    precondition(unsafe mkdir(path, 0o700) == 0, "no folder for the test at \(path)")
  }

  deinit { TestFolder.remove(path) }

  public func callAsFunction(_ name: String) -> String { path + "/" + name }

  /// All names, sorted, temporary and hidden ones too.
  public var names: [String] { TestFolder.names(path).sorted() }

  public func write(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) {
    TestFolder.write(self(name), bytes, mode: mode)
  }

  public static func write(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) {
    let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(mode))
    precondition(file >= 0, "cannot create \(path)")
    defer { close(file) }
    var done = 0
    while done < bytes.count {
      let count = unsafe bytes[done...].withUnsafeBytes { unsafe Self.put(file, $0) }
      precondition(count > 0, "cannot write \(path)")
      done += count
    }
    // The creation mask does not count here.
    fchmod(file, mode_t(mode))
  }

  private static func put(_ file: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    #if canImport(Darwin)
      unsafe Darwin.write(file, bytes.baseAddress, bytes.count)
    #elseif canImport(Glibc)
      unsafe Glibc.write(file, bytes.baseAddress, bytes.count)
    #elseif canImport(Musl)
      unsafe Musl.write(file, bytes.baseAddress, bytes.count)
    #endif
  }

  /// The bytes of a file, nil if there is none.
  public func read(_ name: String) -> [UInt8]? { TestFolder.read(self(name)) }

  public static func read(_ path: String) -> [UInt8]? {
    // A pipe is not waited for: it has no bytes at a place.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe pread(file, $0.baseAddress, $0.count, off_t(bytes.count))
      }
      guard count > 0 else { return count == 0 ? bytes : nil }
      bytes += chunk[..<count]
    }
  }

  public func makeFolder(_ name: String) { precondition(unsafe mkdir(self(name), 0o700) == 0) }

  /// Makes a file, and the folders that its name goes through.
  public func writeDeep(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) {
    for place in name.utf8.indices where name.utf8[place] == UInt8(ascii: "/") {
      _ = unsafe mkdir(self(String(name[..<place])), 0o755)
    }
    write(name, bytes, mode: mode)
  }

  /// Every file below a folder, links followed, by its name relative to it.
  public func files(_ folder: String) -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for name in TestFolder.names(self(folder)) {
      let path = folder + "/" + name
      if TestFolder.isFolder(self(path)) {
        for (inner, bytes) in files(path) { found[name + "/" + inner] = bytes }
      } else {
        found[name] = TestFolder.read(self(path)) ?? []
      }
    }
    return found
  }

  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  public func link(_ name: String, to target: String) { precondition(unsafe symlink(target, self(name)) == 0) }

  public func removeLink(_ name: String) { precondition(unsafe unlink(self(name)) == 0) }

  public func hardLink(_ name: String, to target: String) {
    precondition(unsafe linkat(AT_FDCWD, self(target), AT_FDCWD, self(name), 0) == 0)
  }

  public func makePipe(_ name: String) { precondition(unsafe mkfifo(self(name), 0o600) == 0) }

  public func setTime(_ name: String, seconds: Int, nanoseconds: Int) {
    var times = [timespec(tv_sec: seconds, tv_nsec: nanoseconds), timespec(tv_sec: seconds, tv_nsec: nanoseconds)]
    precondition(unsafe utimensat(AT_FDCWD, self(name), &times, 0) == 0)
  }

  public func setMode(_ name: String, _ mode: UInt32) { precondition(unsafe chmod(self(name), mode_t(mode)) == 0) }

  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  public static func environment(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }

  /// True where permissions do not bind this user.
  public static var isSuperuser: Bool { geteuid() == 0 }

  private static func names(_ path: String) -> [String] {
    guard let stream = unsafe opendir(path) else { return [] }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func remove(_ path: String) {
    if unsafe unlink(path) == 0 { return }
    for name in names(path) { remove(path + "/" + name) }
    _ = unsafe rmdir(path)
  }
}
