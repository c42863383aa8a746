internal import CSwzipSystem
public import SwzipNames

/// What the system says of a file.
public struct FileStatus: Equatable, Sendable {
  public let device, inode, byteCount, linkCount: UInt64
  public let accessed, modified, changed: FileTime
  /// Type and permissions, as in `st_mode`.
  public let mode: UInt32
  public let user, group: UInt32

  init(_ raw: swzip_status) {
    device = raw.device
    inode = raw.inode
    byteCount = raw.byte_count
    linkCount = raw.link_count
    accessed = FileTime(raw.accessed)
    modified = FileTime(raw.modified)
    changed = FileTime(raw.changed)
    mode = raw.mode
    user = raw.user
    group = raw.group
  }

  /// Of a file on another machine, of which the length alone is known: what is made of it is for its owner.
  public static func remote(byteCount: UInt64) -> FileStatus {
    var raw = swzip_status()
    (raw.byte_count, raw.mode) = (byteCount, 0o100600)
    return FileStatus(raw)
  }

  /// Follows symbolic links unless told not to.
  public static func of(_ path: String, followingLinks: Bool = true) throws(SystemError) -> FileStatus {
    try System.status(of: path, followingLinks: followingLinks)
  }

  public enum Kind: Sendable {
    case regular, directory, link, pipe, socket, device, other
  }

  public var kind: Kind {
    // The numbers of POSIX systems in use; they are part of every archive format.
    switch mode & 0o170000 {
    case 0o100000: .regular
    case 0o040000: .directory
    case 0o120000: .link
    case 0o010000: .pipe
    case 0o140000: .socket
    case 0o020000, 0o060000: .device
    default: .other
    }
  }

  /// Read, write and execute bits only: never set-user, set-group or sticky.
  public var permissions: UInt32 { mode & 0o777 }

  /// Permission bits for what is made of this file, if it has `group`: another one must not get what this file's group had,
  /// but what everybody has.
  func permissions(inGroup group: UInt32) -> UInt32 {
    let mode = permissions
    return group == self.group ? mode : mode & 0o707 | (mode & mode << 3 & 0o070)
  }

  /// Of a folder: only owners remove names.
  var isSticky: Bool { mode & 0o1000 != 0 }

  public func isSameFile(as other: FileStatus) -> Bool { device == other.device && inode == other.inode }

  /// The same file, and nothing has written to it since. The change time may move on its own: a new name, another owner.
  public func hasSameContent(as earlier: FileStatus) -> Bool {
    isSameFile(as: earlier) && byteCount == earlier.byteCount && modified == earlier.modified
  }

  /// Returns when a write from then on moves the modification time: the clocks of file systems tick.
  public func waitForClock() {
    let tick: Int64 = modified.nanoseconds == 0 ? 2000 : 20
    let now = System.now()
    let (seconds, overflow) = modified.seconds.subtractingReportingOverflow(now.seconds)
    guard !overflow, (-10...10).contains(seconds) else { return }
    let left = seconds * 1000 + (Int64(modified.nanoseconds) - Int64(now.nanoseconds)) / 1_000_000 + tick + 1
    if (1...tick + 1).contains(left) { System.pause(milliseconds: Int(left)) }
  }

  /// Since it was written to, or changed its names or owner: by the clock here, which may not be that of its file system.
  public var secondsSinceChange: Int64 {
    System.now().seconds.subtractingReportingOverflow(max(modified.seconds, changed.seconds)).partialValue
  }

  /// The file is the one it was, and nothing has written to it or changed its names since.
  public func isUnchanged(since earlier: FileStatus) -> Bool {
    hasSameContent(as: earlier) && changed == earlier.changed
  }
}

extension FileTime {
  fileprivate init(_ raw: swzip_time) { self.init(seconds: raw.seconds, nanoseconds: raw.nanoseconds) }
}
