/// A file that appears under its name complete or not at all.
///
/// Bytes go to `.swzip-<pid>-<random>.tmp` beside the target; `publish` gives it the name after everything is on the
/// disk. Whatever happens before leaves no trace: an error, `discard()`, the last reference going away, or one of
/// the signals of `LiveFiles`. Only a kill leaves the temporary file, which `removeStaleFiles` finds later.
public final class AtomicFile {
  public let target: String
  /// Open for reading and writing until it is published.
  public let handle: FileHandle
  private let directory: Directory
  private let name: String
  private let temporaryName: String
  private var slot: Int32
  private var isPending = true

  /// Creates the temporary file, with `mode` as far as the process allows it to new files. The target is not touched, nor looked
  /// at. `expected`: what its folder must be.
  public init(target: String, in expected: FileStatus? = nil, mode: UInt32 = 0o600) throws(SystemError) {
    guard let (folder, name) = splitPath(target) else {
      throw SystemError(errno: System.invalid, operation: "create", path: target)
    }
    self.target = target
    self.name = name
    do throws(SystemError) {
      directory = try Directory(folder, expecting: expected)
    } catch {
      throw SystemError(errno: error.errno, operation: error.isLinkOrFile ? "go through" : "create", path: target)
    }
    temporaryName = TemporaryName.make()
    let path = directory.path(of: temporaryName)
    // Listed first: a signal between the two calls finds a name that does not exist yet, which is harmless.
    slot = LiveFiles.add(path)
    do throws(SystemError) {
      let number = try System.open(temporaryName, .createNew(mode: mode), in: directory.number)
      handle = FileHandle(number: number, path: path)
    } catch {
      LiveFiles.remove(slot)
      throw SystemError(errno: error.errno, operation: "create", path: target)
    }
    // Tells the cleaners of other processes that the owner lives.
    _ = handle.lock()
  }

  deinit { discard() }

  /// Gives the file the mode, the times and, as far as this user may, the owner of another one.
  public func copyAttributes(of source: FileStatus) throws(SystemError) {
    _ = handle.setOwner(user: source.user, group: source.group)
    try handle.setMode(source.permissions(inGroup: handle.status().group))
    try handle.setTimes(accessed: source.accessed, modified: source.modified)
  }

  /// The mode of a new file, and the group of `source` as far as this user may.
  public func setAccess(mask: UInt32, like source: FileStatus?) throws(SystemError) {
    if let source { _ = handle.setOwner(user: .max, group: source.group) }
    try handle.setMode(0o666 & ~mask)
  }

  /// Takes from others than the owner what they may not do with each of `sources`.
  public func restrict(to sources: [FileStatus]) throws(SystemError) {
    let own = try handle.status()
    try handle.setMode(sources.reduce(own.permissions) { $0 & ($1.permissions(inGroup: own.group) | 0o711) })
  }

  /// Syncs the content, then gives it its name; without `replacing` an existing name is an error
  /// (`alreadyExists`) even if it appeared this instant. Throws only while the name is not there.
  public func publish(replacing: Bool) throws(SystemError) -> Durability {
    do throws(SystemError) {
      try handle.sync()
      // Some file systems report a full disk here and nowhere else.
      try handle.close()
      if replacing {
        try System.rename((temporaryName, directory.number), (name, directory.number), target)
      } else {
        try directory.publishNew(temporaryName, as: name, in: directory, target)
      }
    } catch {
      discard()
      throw error
    }
    isPending = false
    LiveFiles.remove(slot)
    return directory.sync()
  }

  /// Removes the temporary file. Does nothing after publishing.
  public func discard() {
    guard isPending else { return }
    isPending = false
    try? handle.close()
    try? System.unlink(temporaryName, in: directory.number, target)
    LiveFiles.remove(slot)
  }
}

/// Removes a file and syncs its directory. `expected`: what that must be.
public func removeFile(_ path: String, in expected: FileStatus? = nil) throws(SystemError) -> Durability {
  guard let (folder, name) = splitPath(path) else {
    throw SystemError(errno: System.invalid, operation: "remove", path: path)
  }
  let directory = try Directory(folder, expecting: expected)
  try System.unlink(name, in: directory.number, path)
  return directory.sync()
}
