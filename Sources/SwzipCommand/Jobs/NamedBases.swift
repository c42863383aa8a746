internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What `--base` names: files, containers, and folders of either.
struct NamedBases {
  private let paths: [String]

  init(_ paths: [String]) { self.paths = paths }

  /// What a reader may use; nil if nothing is named.
  func allowed(_ trust: Bases.Trust = .digest) throws(Failure) -> Bases? {
    guard !paths.isEmpty else { return nil }
    let parts = try paths.map { path throws(Failure) in
      let files = try NamedBases.files(path)
      return try attemptLibrary(path) { () throws(SwzipError) in try Bases(files, trust: trust) }
    }
    return Bases(merging: parts)
  }

  /// What is named, files and folders.
  func named() throws(Failure) -> [FileStatus] {
    try paths.map { path throws(Failure) in try NamedBases.status(path) }
  }

  /// Whether an output replaces one of the files, or one in a folder.
  func include(_ target: Target) throws(Failure) -> Bool { try path(of: target.replaced) != nil }

  /// Refuses an output that would replace what it needs, and, with `source`, to remove what a base is or needs: then the
  /// original could never be had again.
  func check(_ target: Target, removing source: FileStatus? = nil) throws(Failure) {
    if try include(target) {
      throw .refused(target.name, "it is one of the files that --base names; name another output with -o")
    }
    if let path = try path(of: source) {
      throw .refused(path, "--rm would remove a file that --base names; drop --rm")
    }
  }

  /// Which path names a file.
  private func path(of file: FileStatus?) throws(Failure) -> String? {
    guard let file else { return nil }
    for path in paths where try NamedBases.statuses(path).contains(where: { $0.isSameFile(as: file) }) { return path }
    return nil
  }

  /// A file or a folder: opening anything else may wait, or do things.
  static func status(_ path: String) throws(Failure) -> FileStatus {
    let status = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
    guard status.kind == .regular || status.kind == .directory else {
      throw .refused(path, "it is not a regular file; save what it gives as a file first")
    }
    return status
  }

  /// The file itself, or all files of a folder.
  private static func statuses(_ path: String) throws(Failure) -> [FileStatus] {
    let status = try NamedBases.status(path)
    return status.kind == .directory ? try scan(path).files.map(\.status) : [status]
  }

  private static func scan(_ path: String) throws(Failure) -> TreeScan {
    try attempt(path) { () throws(SystemError) in try TreeScan(path, links: .once(outside: .all)) { _, _ in true } }
  }

  /// The base of a file that is packed on its own: the first path, or what has the file's name in that folder or container
  /// of one. Further paths are what that needs in turn.
  func base(ofFile name: String) throws(Failure) -> Base? {
    guard let path = paths.first else { return nil }
    let needed = try needed()
    let status = try NamedBases.status(path)
    let found =
      try status.kind == .directory
      ? NamedBases.base(name, below: path, needed)
      : NamedBases.packBase(path, member: name, needed).map { Base(path: path, status: status, packBase: $0) }
    guard let found else {
      throw .refused(path, "it holds no file of the name \(name.printable); name the file to pack it against")
    }
    return found
  }

  /// The bases of the files of a folder: what has the same name in the first path, a folder or the container of one. Nil
  /// if no path is named.
  func bases(ofMembers names: [String]) throws(Failure) -> [Base?]? {
    guard let path = paths.first else { return nil }
    let needed = try needed()
    let status = try NamedBases.status(path)
    if status.kind == .directory {
      return try names.map { name throws(Failure) in try NamedBases.base(name, below: path, needed) }
    }
    let file = try NamedBases.file(path)
    let found = try attemptLibrary(path) { () throws(SwzipError) in try PackBase.members(of: file, bases: needed) }
    return names.map { name in found[Exact(name)].map { Base(path: path, status: status, packBase: $0) } }
  }

  private func needed() throws(Failure) -> Bases? { try NamedBases(Array(paths.dropFirst())).allowed() }

  private static func base(_ name: String, below folder: String, _ needed: Bases?) throws(Failure) -> Base? {
    let path = join(folder, name)
    guard let status = try? FileStatus.of(path), status.kind == .regular else { return nil }
    return try packBase(path, member: nil, needed).map { Base(path: path, status: status, packBase: $0) }
  }

  private static func packBase(_ path: String, member: String?, _ needed: Bases?) throws(Failure) -> PackBase? {
    let file = try file(path)
    return try attemptLibrary(path) { () throws(SwzipError) in try PackBase(file, member: member, bases: needed) }
  }

  /// The bytes of a file, or of what a container holds.
  static func original(_ path: String, _ bases: Bases?) throws(Failure) -> any RandomSource {
    if try NamedBases.status(path).kind == .directory {
      throw .refused(path, "it is a folder; name a file")
    }
    let file = try file(path)
    return try attemptLibrary(path) { () throws(SwzipError) in
      guard let base = try PackBase(file, bases: bases) else { throw SwzipError(.refused, .severalFiles) }
      return try base.open()
    }
  }

  /// A base and the file that it was when it was opened.
  struct Base {
    let path: String
    let status: FileStatus
    let packBase: PackBase

    /// Refuses a file as its own base: who removes it afterwards would have nothing.
    func check(against source: FileStatus?) throws(Failure) {
      guard let source, source.isSameFile(as: status) else { return }
      throw .refused(path, "it is the very file that is packed; name another version of it")
    }

    /// Nobody wrote to it meanwhile.
    func checkUnchanged() throws(Failure) {
      let now = try NamedBases.status(path)
      guard now.hasSameContent(as: status) else { throw Failure(SwzipError.sourceChanged, path: path) }
    }
  }

  private static func files(_ path: String) throws(Failure) -> [BaseFile] {
    let status = try NamedBases.status(path)
    guard status.kind == .directory else { return [try file(path)] }
    return try scan(path).files.map { entry throws(Failure) in
      var file = try file(join(path, entry.name))
      file.isOptional = true
      return file
    }
  }

  private static func file(_ path: String) throws(Failure) -> BaseFile {
    BaseFile(name: lastPart(path)) { () throws(SwzipError) in try FileSource(path: path) }
  }
}
