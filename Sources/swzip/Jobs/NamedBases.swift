internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// What `--base` names: files, containers, and folders of either.
struct NamedBases {
  private let paths: [String]

  init(_ paths: [String]) { self.paths = paths }

  /// What a reader may use; nil if nothing is named.
  func allowed(_ trust: Bases.Trust = .digest) throws(Failure) -> Bases? {
    guard !paths.isEmpty else { return nil }
    var files: [BaseFile] = []
    for path in paths { files += try NamedBases.files(path).map(\.file) }
    return try attemptLibrary(paths[0]) { () throws(SwzipError) in try Bases(files, trust: trust) }
  }

  /// The base for packing the file `name` of a folder, or a file on its own (nil): the first that is named, or the file of
  /// that name in it. Further ones are what that needs in turn.
  func base(for name: String?) throws(Failure) -> Base? {
    guard let path = paths.first else { return nil }
    let status = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
    let allowed = try NamedBases(Array(paths.dropFirst())).allowed()
    guard status.kind == .directory else {
      let file = try NamedBases.file(path)
      return try attemptLibrary(path) { () throws(SwzipError) in
        try PackBase(file, member: name, bases: allowed).map { Base(path: path, status: status, packBase: $0) }
      }
    }
    guard let name else { throw .refused(path, "it is a folder; name a file to pack a file against") }
    let own = path.hasSuffix("/") ? path + name : path + "/" + name
    guard let inner = try? FileStatus.of(own), inner.kind == .regular else { return nil }
    let file = try NamedBases.file(own)
    return try attemptLibrary(own) { () throws(SwzipError) in
      try PackBase(file, member: nil, bases: allowed).map { Base(path: own, status: inner, packBase: $0) }
    }
  }

  /// The bytes of a file, or of what a container holds.
  static func original(_ path: String, _ bases: Bases?) throws(Failure) -> any InputSource {
    if try attempt(path, { () throws(SystemError) in try FileStatus.of(path) }).kind == .directory {
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

    /// Nobody wrote to it meanwhile.
    func checkUnchanged() throws(Failure) {
      let now = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
      guard now.hasSameContent(as: status) else { throw Failure(Input.changed, path: path) }
    }
  }

  private static func files(_ path: String) throws(Failure) -> [(name: String, file: BaseFile)] {
    let status = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
    guard status.kind == .directory else { return [(lastPart(path), try file(path))] }
    let tree = try attempt(path) { () throws(SystemError) in try TreeScan(path, mostFiles: .max) { _, _ in true } }
    return try tree.files.map { entry throws(Failure) in (entry.name, try file(path + "/" + entry.name)) }
  }

  private static func file(_ path: String) throws(Failure) -> BaseFile {
    BaseFile(name: lastPart(path)) { () throws(SwzipError) in
      do throws(SystemError) { return try FileSource(FileHandle.open(path)) } catch { throw SwzipError(error) }
    }
  }
}
