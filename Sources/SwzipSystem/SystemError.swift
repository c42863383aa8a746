/// A call of the system that failed.
public struct SystemError: Error, Equatable, Sendable {
  /// The system's number, copied at once after the call.
  public let errno: Int32
  /// What was tried, as a verb for people: "open", "write".
  public let operation: String
  /// On which file; empty where there is none.
  public let path: String

  public init(errno: Int32, operation: String, path: String) {
    self.errno = errno
    self.operation = operation
    self.path = path
  }

  /// The system's words for `errno`: "No such file or directory".
  public var words: String { System.words(for: errno) }

  public var isMissing: Bool { errno == System.missing }
  public var alreadyExists: Bool { errno == System.exists }
  /// Something is there that must not be replaced or gone through; nothing is wrong with the system.
  public var isInTheWay: Bool {
    alreadyExists || ["go through", "replace"].contains(operation) && errno != System.accessDenied
  }
  /// A folder was expected.
  var isLinkOrFile: Bool { errno == System.isLink || errno == System.notDirectory }
  /// The reader of a pipe has gone.
  public var isBrokenPipe: Bool { errno == System.brokenPipe }
  /// The descriptor was never open: a command started without stdout.
  public var isBadDescriptor: Bool { errno == System.badDescriptor }
  /// The file system cannot do what was asked; retrying will not help.
  public var isUnsupported: Bool { System.unsupported.contains(errno) }
}
