// Names: links, directories and paths.
internal import CSwzipSystem
internal import SwzipLibc
internal import SwzipNames

extension System {
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
}
