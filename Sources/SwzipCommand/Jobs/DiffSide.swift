internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// One side of a comparison: a file, or the files of a folder, plain or packed.
enum DiffSide {
  case file(any RandomSource)
  /// By name.
  case folder(FolderComparison.Files)

  init(_ path: String, _ bases: Bases?) throws(Failure) {
    if try NamedBases.status(path).kind == .directory {
      self = .folder(try DiffSide.files(below: path, bases))
      return
    }
    let source = try DiffSide.open(path)
    let container = try attemptLibrary(path) { () throws(SwzipError) in try Container(container: source, bases: bases) }
    guard let container else {
      self = .file(source)
      return
    }
    guard container.isFolder else {
      self = .file(container.source(ofMember: 0))
      return
    }
    self = .folder(DiffSide.files(of: [container]))
  }

  /// The files in the container of a folder, or in those of its parts.
  static func files(of containers: [Container]) -> FolderComparison.Files {
    let members = containers.flatMap { container in
      container.members.enumerated().filter { $1.link == nil }.map { number, member in
        (Exact(member.name), { () throws(Failure) -> any RandomSource in container.source(ofMember: number) })
      }
    }
    return Dictionary(members) { first, _ in first }
  }

  /// The regular files of a folder; not those to which a link leads outside it.
  private static func files(
    below folder: String, _ bases: Bases?
  ) throws(Failure) -> FolderComparison.Files {
    let tree = try attempt(folder) { () throws(SystemError) in
      try TreeScan(folder, links: .once(outside: .nothing)) { _, _ in true }
    }
    let files = tree.files.map { file in
      (Exact(file.name), { () throws(Failure) -> any RandomSource in try original(join(folder, file.name), bases) })
    }
    return Dictionary(files) { first, _ in first }
  }

  /// The bytes of a file, or of what a container of one file holds.
  private static func original(_ path: String, _ bases: Bases?) throws(Failure) -> any RandomSource {
    if case .file(let source) = try DiffSide(path, bases) { return source }
    return try open(path)
  }

  private static func open(_ path: String) throws(Failure) -> any RandomSource {
    try attemptLibrary(path) { () throws(SwzipError) in try FileSource(path: path) }
  }
}
