internal import SwzipNames

/// An open directory: names are made and removed relative to it, so that renaming one of its parents in the
/// meantime does no harm.
final class Directory {
  let path: String
  let number: Int32
  /// False where the directory may be written but not read: it cannot be synced then.
  private let canSync: Bool

  /// `expected`: what it must be, or it is an error (`ELOOP`): somebody put a link or another folder there.
  init(_ path: String, expecting expected: FileStatus? = nil) throws(SystemError) {
    self.path = path
    do throws(SystemError) {
      number = try System.open(path, .directory)
      canSync = true
    } catch {
      guard error.errno == System.accessDenied else { throw error }
      number = try System.openPathOnly(path)
      canSync = false
    }
    guard let expected, try !System.status(number, path).isSameFile(as: expected) else { return }
    throw SystemError(errno: System.isLink, operation: "go through", path: path)
  }

  /// The directory `name` in `parent`; a link is an error (`ELOOP` or `ENOTDIR`).
  init(_ name: String, in parent: Directory) throws(SystemError) {
    path = parent.path(of: name)
    number = try System.open(name, .directoryNoFollow, in: parent.number)
    canSync = true
  }

  deinit { try? System.close(number, path) }

  /// The directory `name` in this one, made if it is not there.
  func child(_ name: String, mode: UInt32) throws(SystemError) -> Directory {
    do throws(SystemError) {
      try System.makeDirectory(name, mode: mode, in: number, path(of: name))
    } catch  where error.alreadyExists {
    }
    return try Directory(name, in: self)
  }

  /// Gives a file of this directory a name in `other` that must be new (`alreadyExists`), and takes away its old one.
  func publishNew(
    _ temporaryName: String, as name: String, in other: Directory, _ target: String
  ) throws(SystemError) {
    do throws(SystemError) {
      try System.link((temporaryName, number), (name, other.number), target)
    } catch {
      if error.alreadyExists { throw error }
      // No hard links here: FAT, some network and user-space file systems.
      try System.renameNoReplace((temporaryName, number), (name, other.number), target)
      return
    }
    // If this fails the content has two names; the hidden one goes with the next cleaning.
    try? System.unlink(temporaryName, in: number, target)
  }

  /// Makes the names durable. A failure is never retried.
  func sync() -> Durability {
    guard canSync else { return .unknown(SystemError(errno: System.accessDenied, operation: "sync", path: path)) }
    do throws(SystemError) {
      try System.sync(number, path)
      return .synced
    } catch {
      return .unknown(error)
    }
  }

  /// The same; throws where it fails, unless that cannot be done here.
  func syncIfReadable() throws(SystemError) {
    if canSync { try sync().require() }
  }

  func path(of name: String) -> String { join(path, name) }
}

/// Whether a name that now exists will still exist after a power cut.
public enum Durability: Equatable, Sendable {
  case synced
  /// The name stands and its content is on the disk; only the directory could not be synced.
  case unknown(SystemError)

  /// Throws what failed; a file system that cannot sync directories at all has nothing to tell.
  public func require() throws(SystemError) {
    if case .unknown(let error) = self, !error.isUnsupported { throw error }
  }
}

/// A path as directory and name. Nil for a path that names no file: empty, or ending in `/`, `.` or `..`.
public func splitPath(_ path: String) -> (directory: String, name: String)? {
  let bytes = Array(path.utf8)
  let slash = bytes.lastIndex(of: UInt8(ascii: "/"))
  let name = String(decoding: bytes[(slash.map { $0 + 1 } ?? 0)...], as: UTF8.self)
  guard !name.isEmpty, name != ".", name != ".." else { return nil }
  guard let slash else { return (".", name) }
  return (slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self), name)
}

/// Gives a file another name in its folder, which must be new, and syncs the folder. Throws unless the old name is gone.
public func renameFile(_ path: String, to name: String) throws(SystemError) -> Durability {
  guard let (folder, old) = splitPath(path) else {
    throw SystemError(errno: System.invalid, operation: "rename", path: path)
  }
  let directory = try Directory(folder)
  do throws(SystemError) {
    try System.renameNoReplace((old, directory.number), (name, directory.number), path)
  } catch {
    guard error.isUnsupported else { throw error }
    // NFS has no such call, but links.
    try System.link((old, directory.number), (name, directory.number), path)
    try directory.sync().require()
    try System.unlink(old, in: directory.number, path)
  }
  return directory.sync()
}

/// Moves a file to another folder, under a name that must be new there (`alreadyExists`), and syncs both: until the new name
/// is on the disk it has both. A move that was interrupted is ended.
public func moveFile(_ path: String, to target: String) throws(SystemError) -> Durability {
  guard let (folder, old) = splitPath(path), let (newFolder, name) = splitPath(target) else {
    throw SystemError(errno: System.invalid, operation: "rename", path: path)
  }
  let (from, to) = (try Directory(folder), try Directory(newFolder))
  do throws(SystemError) { try System.link((old, from.number), (name, to.number), target) } catch {
    if error.alreadyExists {
      let file = try System.status(of: old, followingLinks: false, in: from.number)
      let there = try System.status(of: name, followingLinks: false, in: to.number)
      guard file.isSameFile(as: there) else { throw error }
    } else if error.isMissing {
      throw error
    } else {
      // No hard links here.
      try System.renameNoReplace((old, from.number), (name, to.number), target)
      let durability = to.sync()
      return durability == .synced ? from.sync() : durability
    }
  }
  if case .unknown(let error) = to.sync(), !error.isUnsupported { throw error }
  try System.unlink(old, in: from.number, path)
  return from.sync()
}

/// Makes the names in a folder durable.
public func syncFolder(_ path: String) throws(SystemError) -> Durability { try Directory(path).sync() }

/// The names in a folder, in no order.
public func fileNames(in folder: String) throws(SystemError) -> [String] {
  let directory = try Directory(folder)
  return try System.names(in: directory.number, folder)
}

/// Throws what removing a file would, as far as that can be known: its folder may not be written, or is one where only
/// owners remove.
public func checkRemovable(_ path: String) throws(SystemError) {
  guard let (folder, _) = splitPath(path) else {
    throw SystemError(errno: System.invalid, operation: "remove", path: path)
  }
  try System.checkWritable(folder)
  let place = try FileStatus.of(folder)
  let file = try FileStatus.of(path, followingLinks: false)
  let user = System.userNumber()
  if place.isSticky, ![0, file.user, place.user].contains(user) {
    throw SystemError(errno: System.notPermitted, operation: "remove", path: path)
  }
}

/// Makes a folder, and those that its path goes through, where they are missing, each durable where its parent may be read.
public func makeFolders(_ path: String) throws(SystemError) {
  if let status = try? FileStatus.of(path), status.kind == .directory { return }
  let parent = splitPath(path)?.directory
  if let parent { try makeFolders(parent) }
  do throws(SystemError) {
    try System.makeDirectory(path, mode: 0o777, in: System.currentDirectory, path)
  } catch {
    // Somebody else was faster, or it is no folder.
    guard error.alreadyExists, let status = try? FileStatus.of(path), status.kind == .directory else { throw error }
  }
  if let parent { try Directory(parent).syncIfReadable() }
}

/// Makes the folders that a name below `folder` goes through, where they are missing, and no other: a link or a file in
/// the way is an error. Returns what the last of them is.
public func makeFolders(above name: String, below folder: String) throws(SystemError) -> FileStatus {
  try makeFolders(folder)
  var place = try Directory(folder)
  for part in name.nameParts.dropLast() where !part.isEmpty {
    let path = place.path(of: part)
    do throws(SystemError) {
      let child = try place.child(part, mode: 0o777)
      try place.syncIfReadable()
      place = child
    } catch {
      throw SystemError(errno: error.errno, operation: error.isLinkOrFile ? "go through" : "create", path: path)
    }
  }
  return try System.status(place.number, place.path)
}
