internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Puts damaged files of an archive aside, and good copies of them in their place (spec/ARCHIVE.md, section 7). Deletes nothing,
/// and can be ended at any moment and run again.
package struct Repair {
  let path: String
  /// A copy of the archive.
  let other: String?
  let depth: Verification.Depth
  let threads: Int
  /// Says what would be done; writes nothing.
  let isPlan: Bool

  /// `depth`: how damage is looked for.
  package init(_ path: String, from other: String?, _ depth: Verification.Depth, threads: Int, isPlan: Bool = false) {
    (self.path, self.other, self.depth, self.threads, self.isPlan) = (path, other, depth, threads, isPlan)
  }

  package struct Report: Sendable {
    /// What was taken from the other archive: the checkpoint's name, and the container.
    package internal(set) var taken: [(checkpoint: String, path: String)] = []
    /// Marks that were written anew.
    package internal(set) var rewritten: [String] = []
    /// What was moved to quarantine/.
    package internal(set) var moved: [String] = []
    /// What is damaged, and stays where it is, and why.
    package internal(set) var left: [(path: String, why: String)] = []
    /// What of the other archive could not be used, and why.
    package internal(set) var unusable: [SwzipError] = []
    /// Checkpoints that cannot be restored as a whole afterwards.
    package internal(set) var unreadable: [String] = []
    /// Checkpoints that the other archive lists, of which nothing is here.
    package internal(set) var elsewhere: [String] = []

    package var isDone: Bool { left.isEmpty && unreadable.isEmpty }
  }

  package func run(progress: ((UInt64) -> Void)? = nil) throws(SwzipError) -> Report {
    var report = Report()
    let theirs = try other.map { path throws(SwzipError) in try Archive(path) }
    try repairIdentity(theirs, &report)
    let found = try Verification(path, depth, threads: threads, progress: progress)
    let archive = isPlan ? try Archive(unidentified: path) : try Archive(path)
    if !isPlan { removeStaleFiles(in: join(path, Archive.Folder.ckpt.rawValue)) }
    for name in found.holdings.gone.sorted() where !archive.isWhole(tombstone: name) {
      try rewrite(archive, .gone, name.text + Tombstone.suffix, Tombstone.text(name), &report)
    }
    var exchange = try Exchange(archive, found, theirs, threads: threads, isPlan: isPlan)
    try exchange.takeAll(&report)
    try moveDamaged(archive, found, exchange, &report)
    try repairTags(archive, exchange, &report)
    if !isPlan { try archive.syncAll() }
    report.elsewhere = exchange.elsewhere
    report.unreadable = exchange.unreadable
    return report
  }

  // MARK: small files

  private func repairIdentity(_ theirs: Archive?, _ report: inout Report) throws(SwzipError) {
    let file = join(path, Identity.fileName)
    do throws(SwzipError) {
      let own = try Archive(path)
      if let theirs, theirs.identity != own.identity { throw Self.stranger(theirs) }
      return
    } catch {
      guard error.kind == .corrupt || error.rule == .noArchive else { throw error }
    }
    let archive = try Archive(unidentified: path)
    let known = try Archive.recordedIdentity(archive) ?? theirs?.identity
    guard let known else {
      throw SwzipError(
        .refused, .system, file: path,
        detail: "nothing in it says which archive it was; name a copy of it with --from")
    }
    if let theirs, theirs.identity != known { throw Self.stranger(theirs) }
    if (try? FileStatus.of(file, followingLinks: false)) == nil {
      if !isPlan { try writeDurably(known.text, to: file, replacing: false) }
      return report.rewritten.append(file)
    }
    try rewrite(archive, nil, Identity.fileName, known.text, &report)
  }

  private static func stranger(_ other: Archive) -> SwzipError {
    SwzipError(
      .refused, .system, file: other.path,
      detail: "it is another archive, \(other.identity.id), no copy of this one; restore from it and add here")
  }

  /// A damaged tag becomes what the copy has, if its checkpoint is here.
  private func repairTags(_ archive: Archive, _ exchange: Exchange, _ report: inout Report) throws(SwzipError) {
    for name in exchange.ours.damagedTags {
      let file = archive.path(.tags, name + Tag.suffix)
      if let tag = exchange.tag(name), exchange.hasListed(tag.identity) {
        try rewrite(archive, .tags, name + Tag.suffix, tag.text, &report)
      } else {
        report.left.append((file, "nothing says what it named: set the tag again, or remove it"))
      }
    }
  }

  /// Keeps what a small file held, then writes it anew in one step.
  private func rewrite(
    _ archive: Archive, _ folder: Archive.Folder?, _ name: String, _ text: String, _ report: inout Report
  ) throws(SwzipError) {
    let file = folder.map { archive.path($0, name) } ?? join(path, name)
    report.rewritten.append(file)
    guard !isPlan else { return }
    try archive.make(.quarantine)
    let copy = try archive.copy(file, to: archive.freePlace(name))
    try requireDurable(onSystem(file) { () throws(SystemError) in try copy.publish(replacing: false) }, file)
    try writeDurably(text, to: file, replacing: true)
  }

  // MARK: containers

  /// What replaces a container is on the disk. One without which something could be read no more stays.
  private func moveDamaged(
    _ archive: Archive, _ found: Verification, _ exchange: Exchange, _ report: inout Report
  ) throws(SwzipError) {
    for (name, error) in found.holdings.unreadable {
      guard error.kind == .corrupt || exchange.isReplaced(name) else {
        report.left.append((archive.path(of: name), error.text))
        continue
      }
      try move(archive, name, &report)
    }
    let needed = exchange.needed
    for number in found.damaged.sorted() {
      let container = found.holdings.containers[number]
      let name = container.name
      let findings = found.findings.filter { $0.path == archive.path(of: name) }
      let isUnread = findings.allSatisfy { $0.error.kind == .io }
      if let failure = findings.first?.error, isUnread, !exchange.isWhole(container) {
        report.left.append((archive.path(of: name), failure.text))
      } else if needed.contains(name) {
        report.left.append(
          (archive.path(of: name), "others can still be read through it, in whole or in part: add its checkpoint again")
        )
      } else {
        try move(archive, name, &report)
      }
    }
  }

  private func move(_ archive: Archive, _ name: ContainerName, _ report: inout Report) throws(SwzipError) {
    let file = archive.path(of: name)
    report.moved.append(file)
    guard !isPlan else { return }
    try archive.make(.quarantine)
    let place = archive.freePlace(name.text, of: file)
    let durability: Durability
    do throws(SystemError) { durability = try moveFile(file, to: place) } catch {
      // Somebody else has moved or renamed it.
      guard error.isMissing else { throw SwzipError(error).of(file) }
      return
    }
    try requireDurable(durability, place)
  }
}

extension Archive {
  /// A name in quarantine/ that is free, or has that very file already.
  fileprivate func freePlace(_ name: String, of file: String? = nil) -> String {
    let own = file.flatMap { try? FileStatus.of($0, followingLinks: false) }
    for number in 1... {
      let place = path(.quarantine, number == 1 ? name : "\(name).\(number)")
      guard let there = try? FileStatus.of(place, followingLinks: false) else { return place }
      if let own, there.isSameFile(as: own) { return place }
    }
    return path(.quarantine, name)
  }

  /// A copy of a file that has no name yet, with its mode and times, on the disk.
  func copy(_ file: String, to target: String) throws(SwzipError) -> AtomicFile {
    let source = try onSystem(file) { () throws(SystemError) in try FileHandle.open(file, followingLinks: false) }
    let copy = try onSystem(target) { () throws(SystemError) in try AtomicFile(target: target) }
    let bytes: FileSource
    do throws(SwzipError) { bytes = try FileSource(source, fromStart: true) } catch { throw error.of(file) }
    let memory = try Memory(1 << 20)
    var done: UInt64 = 0
    while true {
      let count: Int
      do throws(SwzipError) { count = try unsafe bytes.read(at: done, into: memory.bytes) } catch {
        throw error.of(file)
      }
      guard count > 0 else { break }
      try onSystem(target) { () throws(SystemError) in try unsafe copy.handle.write(memory.prefix(count)) }
      done += UInt64(count)
    }
    try onSystem(target) { () throws(SystemError) in
      try copy.copyAttributes(of: source.status())
      try copy.handle.sync()
    }
    return copy
  }
}
