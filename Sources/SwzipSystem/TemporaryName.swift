internal import SwzipNames

/// `.swzip-<pid>-<16 hexadecimal digits>.tmp`: hidden, ours, and telling whose.
enum TemporaryName {
  static func make() -> String {
    let random = String(UInt64.random(in: 0 ... .max), radix: 16)
    let padded = String(repeating: "0", count: 16 - random.utf8.count) + random
    return ".swzip-\(System.processNumber())-\(padded).tmp"
  }

  /// Strict, because what matches may be removed.
  static func matches(_ name: String) -> Bool {
    guard name.utf8.starts(with: ".swzip-".utf8), let stem = name.withoutSuffix(".tmp") else { return false }
    let parts = stem.utf8.dropFirst(7).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...10).contains(parts[0].count), parts[1].count == 16 else { return false }
    return parts[0].allSatisfy { (0x30...0x39).contains($0) }
      && parts[1].allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
  }
}

/// Whether a path's last part is a name of ours for what is being written.
public func isTemporary(_ path: String) -> Bool { splitPath(path).map { TemporaryName.matches($0.name) } ?? false }

/// Removes what killed runs left in a directory: files and folders with our temporary name and our user, that no living
/// process holds, and that nobody changed for an hour. Returns how many. Never fails: what cannot be removed stays.
@discardableResult
public func removeStaleFiles(in directory: String) -> Int {
  var removed = 0
  guard let folder = try? Directory(directory), let names = try? System.names(in: folder.number, directory) else {
    return 0
  }
  for name in names where TemporaryName.matches(name) {
    let path = folder.path(of: name)
    // Looked at before it is opened: who opens a device may wait, or do things.
    guard let found = try? System.status(of: name, followingLinks: false, in: folder.number), isLeftover(found),
      let file = try? FileHandle.open(path, followingLinks: false), let status = try? file.status(),
      status.isSameFile(as: found), isLeftover(status), file.lock()
    else { continue }
    do throws(SystemError) {
      if status.kind == .directory {
        try removeTree(name, in: folder)
      } else {
        try System.unlink(name, in: folder.number, path)
      }
      removed += 1
    } catch {}
  }
  return removed
}

/// A file or folder of this user that nobody changed for an hour. By the change time, which nobody can set: the
/// modification time is the source's just before publishing.
private func isLeftover(_ status: FileStatus) -> Bool {
  (status.kind == .regular || status.kind == .directory) && status.user == System.userNumber()
    && status.changed.seconds < System.now().seconds - 3600
}

/// Removes a folder with all that is in it; links are removed, never followed.
private func removeTree(_ name: String, in parent: Directory) throws(SystemError) {
  do {
    let folder = try Directory(name, in: parent)
    for entry in try System.names(in: folder.number, folder.path) {
      if try System.status(of: entry, followingLinks: false, in: folder.number).kind == .directory {
        try removeTree(entry, in: folder)
      } else {
        try System.unlink(entry, in: folder.number, folder.path(of: entry))
      }
    }
  }
  try System.removeDirectory(name, in: parent.number, parent.path(of: name))
}
