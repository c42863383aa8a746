package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

extension Archive {
  /// What `rebuild` did.
  package struct Rebuilt: Sendable {
    package internal(set) var wroteIdentity = false
    /// Containers that had other names.
    package internal(set) var renamed: [(from: String, to: String)] = []
  }

  /// Writes SWZARCHIVE anew where it is lost or damaged, and gives containers of other names theirs.
  package static func rebuild(_ path: String) throws(SwzipError) -> Rebuilt {
    var rebuilt = Rebuilt()
    do throws(SwzipError) { _ = try Archive(path) } catch {
      guard error.kind == .corrupt || error.rule == .noArchive else { throw error }
      guard let known = try recordedIdentity(Archive(unidentified: path)) else {
        throw SwzipError(
          .refused, .system, file: path,
          detail: "no container in it says which archive it was; make a new one, and move ckpt/ there")
      }
      try writeDurably(known.text, to: join(path, Identity.fileName), replacing: true)
      rebuilt.wroteIdentity = true
    }
    let archive = try Archive(path)
    for name in try archive.names(.ckpt).sorted(by: { Exact($0) < Exact($1) }) {
      guard ContainerName(name) == nil, name.withoutSuffix(".swz") != nil else { continue }
      let file = archive.path(.ckpt, name)
      guard let found = try? StoredContainer(ContainerName(step: 0), at: file) else { continue }
      let new = ContainerName(found.record)
      try requireDurable(
        onSystem(file) { () throws(SystemError) in try renameFile(file, to: new.text) }, archive.path(of: new))
      rebuilt.renamed.append((name, new.text))
    }
    try archive.syncAll()
    return rebuilt
  }

  /// What the containers say of the archive that they were made for; nil where there are none.
  static func recordedIdentity(_ archive: Archive) throws(SwzipError) -> Identity? {
    let identities = Set(try archive.look().containers.map(\.record.archive))
    guard identities.count <= 1 else {
      throw SwzipError(
        .refused, .system, file: archive.path,
        detail: "its containers are of \(identities.count) archives; leave those of one")
    }
    return identities.first.map { Identity(id: Digest($0)) }
  }

  /// Writes the names of what is there to a file, for readers of a web server (spec/ARCHIVE.md, section 2). Returns how many
  /// containers these are.
  package func publish() throws(SwzipError) -> Int {
    try Self.requireHere(path)
    let gone = try names(.gone).filter { $0.withoutSuffix(Tombstone.suffix).map { ContainerName($0) != nil } == true }
    let tags = try names(.tags).filter { $0.withoutSuffix(Tag.suffix).map(Tag.isName) == true }
    let containers = try names(.ckpt).filter { ContainerName($0) != nil }
    let names = PublishedNames([.gone: gone, .tags: tags, .ckpt: containers])
    try writeDurably(names.text, to: join(path, PublishedNames.fileName), replacing: true)
    return containers.count
  }

  /// Removes what killed runs left. Returns how many files.
  package func clean() -> Int {
    let folders = [path] + Folder.allCases.map { join(path, $0.rawValue) }
    return folders.reduce(0) { $0 + removeStaleFiles(in: $1) }
  }
}
