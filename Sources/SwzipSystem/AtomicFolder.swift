internal import SwzipNames

/// A folder of files that appears complete or not at all.
///
/// Files go to a folder `.swzip-<pid>-<random>.tmp`; `publish` moves them to their place when everything is on the disk.
/// A target that does not exist yet appears in one step. One that exists gets file after file, each complete. Whatever
/// happens before leaves no trace, as with `AtomicFile`. At most one such folder is open at a time.
///
/// Nothing is made outside: directories are opened one part of a name after the other, links refused.
public final class AtomicFolder {
  public let target: String
  /// Whether the target was there before.
  public let isNew: Bool
  private let parent: Directory
  private let name: String
  private let temporaryName: String
  private let folder: Directory
  private var created: [String] = []
  private var isPending = true
  private static let folderMode: UInt32 = 0o700

  /// Makes the temporary folder: in the target if that is a folder, else beside it. The target may be a link to a folder,
  /// unless `expected` says what the folder that it lies in must be.
  public init(target: String, in expected: FileStatus? = nil) throws(SystemError) {
    self.target = target
    if let existing = try? FileStatus.of(target, followingLinks: expected == nil) {
      guard existing.kind == .directory else {
        let code = existing.kind == .link ? System.isLink : System.exists
        throw SystemError(errno: code, operation: existing.kind == .link ? "go through" : "create", path: target)
      }
      isNew = false
      if let expected, let (place, name) = splitPath(target) {
        parent = try Directory(name, in: Directory(place, expecting: expected))
      } else {
        parent = try Directory(target)
      }
      name = "."
    } else {
      guard let (place, name) = splitPath(target) else {
        throw SystemError(errno: System.invalid, operation: "create", path: target)
      }
      isNew = true
      do throws(SystemError) { parent = try Directory(place, expecting: expected) } catch {
        throw SystemError(errno: error.errno, operation: "create", path: target)
      }
      self.name = name
    }
    temporaryName = TemporaryName.make()
    let path = parent.path(of: temporaryName)
    try LiveFiles.noteInTree(path)
    do throws(SystemError) {
      try System.makeDirectory(temporaryName, mode: Self.folderMode, in: parent.number, target)
      folder = try Directory(temporaryName, in: parent)
    } catch {
      LiveFiles.removeTree()
      throw error
    }
    // Tells the cleaners of other processes that the owner lives.
    _ = System.lock(folder.number)
  }

  deinit { discard() }

  /// Where the files lie until they are published.
  package var temporaryPath: String { parent.path(of: temporaryName) }

  /// Room on the file system for all that will be written.
  public var freeByteCount: UInt64? { System.freeByteCount(folder.number) }

  /// `mode` for new folders, without what it gives to those who may not read each of `sources`.
  public func mode(_ mode: UInt32, readableAs sources: [FileStatus]) throws(SystemError) -> UInt32 {
    let group = try System.status(folder.number, target).group
    return sources.reduce(mode) { mode, source in
      let readers = source.permissions(inGroup: group) & 0o044
      return mode & (0o700 | readers | readers >> 1 | readers >> 2)
    }
  }

  /// Makes a file, and the folders that its name goes through. `name`: relative, without empty parts, `.` and `..`.
  public func create(_ name: String) throws(SystemError) -> FileHandle {
    let (place, last) = try walk(name) { (parent, part) throws(SystemError) in
      try LiveFiles.noteInTree(parent.path(of: part))
      return try parent.child(part, mode: Self.folderMode)
    }
    let path = place.path(of: last)
    try LiveFiles.noteInTree(path)
    let number = try System.open(last, .createNew(mode: 0o600), in: place.number)
    created.append(name)
    return FileHandle(number: number, path: path)
  }

  /// Makes a symbolic link, and the folders that its name goes through.
  public func createLink(_ name: String, to target: String) throws(SystemError) {
    let (place, last) = try walk(name) { (parent, part) throws(SystemError) in
      try LiveFiles.noteInTree(parent.path(of: part))
      return try parent.child(part, mode: Self.folderMode)
    }
    try LiveFiles.noteInTree(place.path(of: last))
    try System.makeLink(last, to: target, in: place.number, place.path(of: last))
    created.append(name)
  }

  /// Opens a file that was made, for reading.
  public func open(_ name: String) throws(SystemError) -> FileHandle {
    let (place, last) = try walk(name) { (parent, part) throws(SystemError) in try Directory(part, in: parent) }
    return FileHandle(
      number: try System.open(last, .readNoFollow, in: place.number), path: place.path(of: last))
  }

  /// Gives a file that was made another name in its folder, which must be new.
  public func rename(_ name: String, to new: String) throws(SystemError) {
    let step = { (parent: Directory, part: String) throws(SystemError) in try Directory(part, in: parent) }
    let ((place, last), (_, newLast)) = (try walk(name, step), try walk(new, step))
    try LiveFiles.noteInTree(place.path(of: newLast))
    try System.renameNoReplace((last, place.number), (newLast, place.number), place.path(of: newLast))
    created.removeAll { Exact($0) == Exact(name) }
    created.append(new)
  }

  /// Throws if a file of this name could not be published: something is there that may not be replaced, or a part of the
  /// name is a link or a file. Without `replacing` nothing may be there.
  public func check(_ name: String, replacing: Bool) throws(SystemError) {
    guard !isNew else { return }
    var place = parent
    let parts = name.nameParts
    for (index, part) in parts.enumerated() {
      let path = place.path(of: part)
      let status: FileStatus
      do throws(SystemError) {
        status = try System.status(of: part, followingLinks: false, in: place.number)
      } catch {
        guard error.isMissing else { throw SystemError(errno: error.errno, operation: "create", path: path) }
        return
      }
      if index < parts.count - 1 {
        guard status.kind == .directory else {
          let code = status.kind == .link ? System.isLink : System.notDirectory
          throw SystemError(errno: code, operation: "go through", path: path)
        }
        place = try Directory(part, in: place)
      } else if status.kind == .directory {
        throw SystemError(errno: System.isDirectory, operation: "replace", path: path)
      } else if !replacing {
        throw SystemError(errno: System.exists, operation: "create", path: path)
      }
    }
  }

  /// Moves the files to their place; others that were made go. Their content must be synced and closed. New folders get `folderMode`.
  public func publish(
    _ names: [String], folderMode: UInt32, replacing: Bool
  ) throws(SystemError) -> Durability {
    isNew ? try publishAll(names, folderMode) : try publishEach(names, folderMode, replacing: replacing)
  }

  private func publishAll(_ names: [String], _ folderMode: UInt32) throws(SystemError) -> Durability {
    try removeOthers(names)
    for path in Self.folders(of: names).sorted().reversed().map(\.wrappedValue) + [""] {
      let place = path.isEmpty ? folder : try directory(path)
      try System.setMode(place.number, folderMode, place.path)
      try place.sync().require()
    }
    do throws(SystemError) {
      try System.renameNoReplace((temporaryName, parent.number), (name, parent.number), target)
    } catch {
      if error.alreadyExists { throw error }
      // Where there is no such call: an empty folder is made, which only an empty one can be renamed to.
      try System.makeDirectory(name, mode: folderMode, in: parent.number, target)
      try System.rename((temporaryName, parent.number), (name, parent.number), target)
    }
    isPending = false
    LiveFiles.forgetTree()
    return parent.sync()
  }

  private func removeOthers(_ names: [String]) throws(SystemError) {
    let kept = Set(names.map { Exact($0) })
    guard kept.count < created.count else { return }
    for name in created where !kept.contains(Exact(name)) {
      let (place, last) = try walk(name) { (parent, part) throws(SystemError) in try Directory(part, in: parent) }
      try System.unlink(last, in: place.number, place.path(of: last))
    }
    for path in Self.folders(of: created).subtracting(Self.folders(of: names)).sorted().reversed() {
      let (place, last) = try walk(path.wrappedValue) { (parent, part) throws(SystemError) in
        try Directory(part, in: parent)
      }
      try System.removeDirectory(last, in: place.number, place.path(of: last))
    }
  }

  private func publishEach(
    _ names: [String], _ folderMode: UInt32, replacing: Bool
  ) throws(SystemError) -> Durability {
    for name in names { try check(name, replacing: replacing) }
    var durability = Durability.synced
    for name in names {
      let (from, last) = try walk(name) { (parent, part) throws(SystemError) in try Directory(part, in: parent) }
      let (to, _) = try Self.walk(name, from: parent) { (parent, part) throws(SystemError) in
        try parent.child(part, mode: folderMode)
      }
      let path = to.path(of: last)
      if replacing {
        try System.rename((last, from.number), (last, to.number), path)
      } else {
        try from.publishNew(last, as: last, in: to, path)
      }
    }
    for folder in Self.folders(of: names).sorted().reversed().map(\.wrappedValue) + [""] {
      let place = folder.isEmpty ? parent : try Self.directory(folder, from: parent)
      let result = place.sync()
      if case .unknown = result { durability = result }
    }
    discard()
    return durability
  }

  /// Removes everything that was not published.
  public func discard() {
    guard isPending else { return }
    isPending = false
    LiveFiles.removeTree()
  }

  // MARK: walking

  private func walk(
    _ name: String, _ step: (Directory, String) throws(SystemError) -> Directory
  ) throws(SystemError) -> (Directory, String) {
    try Self.walk(name, from: folder, step)
  }

  /// The directory that holds the last part of `name`, and that part.
  private static func walk(
    _ name: String, from start: Directory, _ step: (Directory, String) throws(SystemError) -> Directory
  ) throws(SystemError) -> (Directory, String) {
    let parts = name.nameParts
    guard let last = parts.last, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
      throw SystemError(errno: System.invalid, operation: "create", path: name)
    }
    var place = start
    for part in parts.dropLast() { place = try step(place, part) }
    return (place, last)
  }

  private func directory(_ path: String) throws(SystemError) -> Directory {
    try Self.directory(path, from: folder)
  }

  private static func directory(_ path: String, from start: Directory) throws(SystemError) -> Directory {
    let (place, last) = try walk(path, from: start) { (parent, part) throws(SystemError) in
      try Directory(part, in: parent)
    }
    return try Directory(last, in: place)
  }

  /// Every folder that a name goes through.
  private static func folders(of names: [String]) -> Set<Exact> {
    var folders = Set<Exact>()
    for name in names {
      var parts = name.nameParts.dropLast()
      while !parts.isEmpty, folders.insert(Exact(parts.joined(separator: "/"))).inserted { parts.removeLast() }
    }
    return folders
  }
}
