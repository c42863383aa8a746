internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// The end of `--rm`: removes the files of a checkpoint that the archive was proved to hold (spec/ARCHIVE.md, section 8). Each
/// step that does not hold keeps all of them.
///
/// A folder first gets a hidden name, in one step: whoever looks for checkpoints meanwhile, or after a kill, never finds half of
/// one. Nobody can open its files by their path from then on, so what is found then is what is removed.
package struct SourceRemoval {
  private let files: CheckpointFiles
  /// Of each name, when it was found; links are not followed.
  private let found: [Exact: FileStatus]

  private static let suffix = ".swzip-rm"

  /// Before the files are read: refuses what could not be removed in the end.
  package init(_ files: CheckpointFiles) throws(SwzipError) {
    self.files = files
    let path = files.path
    var found = try Self.look(files)
    let own = try onSystem(path) { () throws(SystemError) in try FileStatus.of(path, followingLinks: false) }
    guard own.kind != .link else {
      throw Self.refused(path, "it is a symbolic link, which --rm never removes; drop --rm or name the folder itself")
    }
    do throws(SystemError) {
      try checkRemovable(path)
      for name in found.keys { try checkRemovable(files.path(of: name.wrappedValue)) }
    } catch {
      throw Self.refused(path, "--rm could not remove it: \(error.words); drop --rm")
    }
    for (name, status) in found where status.kind == .regular {
      if try Self.isHeldByOthers(files.path(of: name.wrappedValue)) {
        throw Self.refused(path, "somebody has \(name.wrappedValue.printable) open for writing; drop --rm, or wait")
      }
    }
    // Who has a file mapped moves its times with the sync.
    found = try Self.look(files)
    for file in files.files.tree.files {
      guard let status = found[Exact(file.name)], status.kind != .link else {
        throw Self.refused(path, "\(file.name.printable) lies behind a link, which --rm never follows; drop --rm")
      }
      guard status.linkCount == 1 else {
        let names = "\(status.linkCount) names (hard links)"
        throw Self.refused(path, "\(file.name.printable) has \(names), so --rm would free nothing; drop --rm")
      }
      guard status.isUnchanged(since: file.status) else { throw SwzipError.sourceChanged.of(files.path(of: file.name)) }
    }
    let names = files.names
    if let other = found.keys.filter({ !names.contains($0) }).min() {
      throw Self.refused(path, "\(other.wrappedValue.printable) in it is not kept, so --rm would lose it; drop --rm")
    }
    self.found = found
    files.files.tree.files.max { $0.status.modified < $1.status.modified }?.status.waitForClock()
  }

  /// After the proof. Returns false where somebody else is removing them.
  @discardableResult
  package func run() throws(SwzipError) -> Bool {
    try checkUnchanged(files)
    guard files.isFolder, let (parent, name) = splitPath(files.path) else {
      let durability = try onSystem(files.path) { () throws(SystemError) in
        try removeFile(files.path, in: files.files.tree.files.first?.folder)
      }
      try requireDurable(durability, files.path)
      return true
    }
    let hidden = "." + name + Self.suffix
    // Held to the end: others leave it alone.
    let folder = try onSystem(files.path) { () throws(SystemError) in
      try FileHandle.open(files.path, followingLinks: false)
    }
    guard folder.tryLock() != false else { return false }
    defer { try? folder.close() }
    let durability = try onSystem(files.path) { () throws(SystemError) in
      try renameFolder(files.path, to: hidden)
    }
    do throws(SwzipError) {
      try requireDurable(durability, files.path)
      try checkUnchanged(CheckpointFiles(join(parent, hidden)))
    } catch {
      _ = try onSystem(files.path) { () throws(SystemError) in
        try renameFolder(join(parent, hidden), to: name)
      }
      throw error
    }
    try Self.remove(join(parent, hidden), found)
    return true
  }

  /// Removes what an interrupted removal left in a folder, if the archive holds each file of it: its name, without what hides
  /// it, says the step. Returns false while it is not known to be interrupted.
  static func finish(_ hidden: String, _ adder: Adder) throws(SwzipError) -> Bool {
    guard let name = name(of: hidden), let step = step(inName: name) else { return false }
    let (folder, status) = try onSystem(hidden) { () throws(SystemError) in
      let folder = try FileHandle.open(hidden, followingLinks: false)
      return try (folder, folder.status())
    }
    defer { try? folder.close() }
    guard status.kind == .directory, folder.tryLock() ?? (status.secondsSinceChange > 3600) else { return false }
    let found = try onSystem(hidden) { () throws(SystemError) in try entries(below: hidden) }
    if !found.isEmpty {
      let files = try CheckpointFiles(hidden)
      let removal = try SourceRemoval(files)
      guard try adder.present(files, step: step) != nil else {
        throw refused(hidden, "an interrupted --rm left it, but the archive does not hold it: look at it")
      }
      try removal.checkUnchanged(CheckpointFiles(hidden))
    }
    try remove(hidden, Dictionary(found.map { (Exact($0.key), $0.value) }) { first, _ in first })
    return true
  }

  /// The name that a folder had before its removal began; nil for other names.
  static func name(of hidden: String) -> String? {
    guard let last = splitPath(hidden)?.name, last.utf8.first == UInt8(ascii: "."),
      let name = last.withoutSuffix(suffix)
    else { return nil }
    return String(name.dropFirst())
  }

  private static func remove(_ folder: String, _ found: [Exact: FileStatus]) throws(SwzipError) {
    // A link first, as long as it leads somewhere: else what is left would not be known for it.
    let (links, files) = (found.filter { $0.value.kind == .link }, found.filter { $0.value.kind != .link })
    let names = links.keys.sorted() + files.keys.sorted()
    try requireDurable(
      onSystem(folder) { () throws(SystemError) in try removeFolder(folder, files: names.map(\.wrappedValue)) }, folder)
  }

  /// By handle and by name: the same files and no others, nobody has one open for writing, and nothing changed since they were found.
  private func checkUnchanged(_ now: CheckpointFiles) throws(SwzipError) {
    for (name, status) in found where status.kind == .regular {
      if try Self.isHeldByOthers(now.path(of: name.wrappedValue)) {
        throw Self.refused(files.path, "somebody has \(name.wrappedValue.printable) open for writing; it is kept")
      }
    }
    let same = try Self.look(now)
    let isSame =
      same.count == found.count
      && same.allSatisfy { name, status in found[name].map(status.isUnchanged) == true }
    guard isSame else { throw SwzipError.sourceChanged.of(files.path) }
  }

  private static func look(_ files: CheckpointFiles) throws(SwzipError) -> [Exact: FileStatus] {
    try onSystem(files.path) { () throws(SystemError) in
      guard files.isFolder else {
        let name = files.files.tree.files[0].name
        return [Exact(name): try FileStatus.of(files.path, followingLinks: false)]
      }
      return Dictionary(try entries(below: files.path).map { (Exact($0.key), $0.value) }) { first, _ in first }
    }
  }

  /// Syncs the file too, so that what was written through a mapping shows in its times.
  private static func isHeldByOthers(_ path: String) throws(SwzipError) -> Bool {
    try onSystem(path) { () throws(SystemError) in
      let handle = try FileHandle.open(path, followingLinks: false)
      let isFree = handle.hold()
      handle.release()
      try handle.sync()
      return isFree == false
    }
  }

  private static func refused(_ path: String, _ text: String) -> SwzipError {
    SwzipError(.refused, .system, file: path, detail: text)
  }
}
