// Every system call is made by System, in a file for each topic: System+Files, +Names, +Process, +Threads. A call retries
// EINTR, moves at most 1 GiB, copies errno on the next line and throws SystemError; it decides nothing else.
internal import CSwzipSystem
internal import SwzipLibc
internal import SwzipNames

/// The system calls, by what they do.
package enum System {
  static let missing = ENOENT
  package static let exists = EEXIST
  static let brokenPipe = EPIPE
  package static let accessDenied = EACCES
  static let notPermitted = EPERM
  package static let noSpace = ENOSPC
  package static let overQuota = EDQUOT
  package static let tooLarge = EFBIG
  package static let isLink = ELOOP
  package static let notDirectory = ENOTDIR
  package static let isDirectory = EISDIR
  static let noMemory = ENOMEM
  static let invalid = EINVAL
  package static let readOnly = EROFS
  static let badDescriptor = EBADF
  package static let inputOutput = EIO
  package static let tooManyFiles = EMFILE
  package static let nameTooLong = ENAMETOOLONG
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
  static func retry<Result: SignedInteger>(
    _ operation: String, _ path: String, _ call: () -> Result
  ) throws(SystemError) -> Result {
    while true {
      let result = call()
      if result >= 0 { return result }
      let code = errno
      if code != EINTR { throw SystemError(errno: code, operation: operation, path: path) }
    }
  }
}

extension String {
  /// The bytes of a name as C takes them.
  var terminated: [CChar] { nameBytes.map { CChar(bitPattern: $0) } + [0] }
}

extension timespec {
  init(_ time: FileTime) {
    self.init(tv_sec: time_t(time.seconds), tv_nsec: Int(time.nanoseconds))
  }
}
