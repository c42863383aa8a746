internal import Swzip
package import SwzipCore
internal import SwzipNames
package import SwzipSystem

/// A folder that holds the checkpoints of a run, one immutable container each (spec/ARCHIVE.md). Nothing is remembered of it: each
/// operation looks at what is there.
package struct Archive: Sendable {
  package let path: String
  package let identity: Identity
  /// What is there, of an archive at a URL: to look at, and to restore from.
  private let published: PublishedNames?

  /// The folders in it. What lies in the last counts for nothing.
  enum Folder: String, CaseIterable { case ckpt, gone, doom, tags, quarantine }

  /// Containers that vanish while they are listed: so many times the folder is listed again.
  static let mostTries = 5

  /// Throws `noArchive` where there is none.
  package init(_ path: String) throws(SwzipError) {
    self.path = path
    let file = join(path, Identity.fileName)
    guard !HTTPSource.isURL(path) else {
      do throws(SwzipError) { identity = try Identity(smallFile(file)) } catch { throw error.of(file) }
      published = try PublishedNames(of: path)
      return
    }
    published = nil
    do throws(SystemError) {
      _ = try FileStatus.of(file, followingLinks: false)
    } catch {
      guard error.isMissing else { throw SwzipError(error).of(file) }
      throw SwzipError(.base, .noArchive, file: path)
    }
    do throws(SwzipError) { identity = try Identity(smallFile(file)) } catch { throw error.of(file) }
  }

  /// An archive that has lost what says so: to look at, not to add to.
  init(unidentified path: String) throws(SwzipError) {
    guard let status = try? FileStatus.of(join(path, Folder.ckpt.rawValue)), status.kind == .directory else {
      throw SwzipError(.base, .noArchive, file: path)
    }
    self.path = path
    identity = Identity(id: Digest([UInt8](repeating: 0, count: 16)))
    published = nil
  }

  /// Makes an archive where nothing is, or an empty folder, or what is left of an interrupted call.
  package static func create(_ path: String) throws(SwzipError) -> Archive { try create(path, holdsVersions: false) }

  private static func create(_ path: String, holdsVersions: Bool) throws(SwzipError) -> Archive {
    try requireHere(path)
    if let there = try? fileNames(in: path) {
      guard there.allSatisfy({ Folder(rawValue: $0) != nil || isTemporary($0) }) else {
        let isArchive = there.contains { Exact($0) == Exact(Identity.fileName) }
        throw SwzipError(
          .refused, .system, file: path,
          detail: isArchive ? "it is an archive already" : "it is not empty; name a folder of its own for the archive")
      }
    }
    for folder in Folder.allCases {
      try onSystem(path) { () throws(SystemError) in try makeFolders(join(path, folder.rawValue)) }
    }
    // Some may have been made by a call that was killed.
    var place = path
    while let (parent, _) = splitPath(place) {
      if place == path { try syncNames(in: parent) } else { _ = try? syncFolder(parent) }
      place = parent
    }
    try writeDurably(Identity(holdsVersions: holdsVersions).text, to: join(path, Identity.fileName), replacing: false)
    return try Archive(path)
  }

  /// The archive of the versions of a file that is there, or a new one. Refuses any other: who keeps checkpoints did not ask to
  /// have them deleted.
  package static func ofVersions(_ path: String) throws(SwzipError) -> Archive {
    let archive: Archive
    do throws(SwzipError) { archive = try Archive(path) } catch {
      guard error.rule == .noArchive else { throw error }
      return try create(path, holdsVersions: true)
    }
    guard archive.identity.holdsVersions else {
      throw SwzipError(
        .refused, .system, file: path,
        detail: "it is an archive of checkpoints, whose old ones would go; publish to a folder of its own")
    }
    return archive
  }

  /// Where the containers of an archive lie.
  package static func containers(in path: String) -> String { join(path, Folder.ckpt.rawValue) }

  func path(_ folder: Folder, _ name: String) -> String { join(join(path, folder.rawValue), name) }

  func path(of name: ContainerName) -> String { path(.ckpt, name.text) }

  /// The names in a folder; none where it is missing, as in a copy that leaves out empty folders.
  func names(_ folder: Folder) throws(SwzipError) -> [String] {
    if let published { return published[folder] }
    let path = join(path, folder.rawValue)
    do throws(SystemError) {
      return try fileNames(in: path)
    } catch {
      guard error.isMissing else { throw SwzipError(error).of(path) }
      return []
    }
  }

  /// Makes a folder if it is missing, for who writes to it. While it is empty, nobody may have made sure that it is on the disk.
  func make(_ folder: Folder) throws(SwzipError) {
    try Self.requireHere(path)
    guard try names(folder).isEmpty else { return }
    let place = join(path, folder.rawValue)
    try onSystem(place) { () throws(SystemError) in try makeFolders(place) }
    try syncNames(in: path)
  }

  /// Makes durable what others did who may have been killed before they synced it.
  func syncAll() throws(SwzipError) {
    for folder in Folder.allCases { try syncNames(in: join(path, folder.rawValue)) }
    try syncNames(in: path)
  }

  /// What `repair` put aside.
  package func quarantine() throws(SwzipError) -> [FileStatus] {
    try names(.quarantine).compactMap { try? FileStatus.of(path(.quarantine, $0), followingLinks: false) }
  }

  /// Throws for an archive at a URL: nothing can be written there.
  static func requireHere(_ path: String) throws(SwzipError) {
    guard HTTPSource.isURL(path) else { return }
    throw SwzipError(.refused, .system, file: path, detail: "an archive at a URL can only be read")
  }

  /// What the archive holds. Cost: two listings, and the end of each container.
  package func look() throws(SwzipError) -> Holdings {
    var known: [ContainerName: StoredContainer] = [:]
    for attempt in 1... {
      var holdings = try marks()
      let before = try containerNames()
      var isSettled = true
      for name in before {
        do throws(SwzipError) {
          if known[name] == nil { known[name] = try StoredContainer(name, at: path(of: name)) }
          holdings.containers.append(known[name]!)
        } catch {
          if error.isMissingFile { isSettled = false } else { holdings.unreadable.append((name, error)) }
        }
      }
      // Who renames a container while the folder is listed may hide it: only what is seen twice is all.
      if isSettled, try containerNames() == before { return holdings }
      if attempt == Self.mostTries {
        holdings.isSettled = false
        return holdings
      }
    }
    return Holdings()
  }

  private func containerNames() throws(SwzipError) -> [ContainerName] {
    try names(.ckpt).compactMap { ContainerName($0) }.sorted()
  }

  /// Doom marks, then tombstones and tags.
  private func marks() throws(SwzipError) -> Holdings {
    var holdings = Holdings()
    for text in try names(.doom) {
      guard let name = text.withoutSuffix(DoomMark.suffix).flatMap({ ContainerName($0) }) else { continue }
      // Removed meanwhile: then the container is gone too, or lives under another name.
      guard let status = try? FileStatus.of(path(.doom, text), followingLinks: false) else { continue }
      holdings.doomed[name] = DoomMark(name: name, made: status.modified)
    }
    holdings.gone = Set(
      try names(.gone).compactMap { $0.withoutSuffix(Tombstone.suffix).flatMap { ContainerName($0) } })
    for text in try names(.tags).sorted(by: { Exact($0) < Exact($1) }) {
      guard let name = text.withoutSuffix(Tag.suffix), Tag.isName(name) else { continue }
      do throws(SwzipError) {
        if let tag = Tag(name, try smallFile(path(.tags, text))) {
          holdings.tags.append(tag)
        } else {
          holdings.damagedTags.append(name)
        }
      } catch {
        guard error.isMissingFile else { throw error }
      }
    }
    return holdings
  }
}
