package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Forgets by rules, and deletes in two phases what nothing that is kept needs (spec/ARCHIVE.md, section 4).
package struct Pruner {
  let archive: Archive
  let retention: Retention
  /// Seconds from the mark to the deletion.
  let grace: Int64

  package static let standardGrace: Int64 = 24 * 3600

  package init(_ archive: Archive, _ retention: Retention, grace: Int64 = standardGrace) {
    self.archive = archive
    self.retention = retention
    self.grace = grace
  }

  /// What a prune decides, or did.
  package struct Report: Sendable {
    package var decisions: [Retention.Decision] = []
    /// Containers that are deleted, revived, and marked but not deleted yet.
    package var removed: [StoredContainer] = []
    package var revived: [StoredContainer] = []
    package var waiting: [StoredContainer] = []
    /// Forgotten, but needed by what is kept.
    package var needed: [StoredContainer] = []
  }

  /// What `run` would decide; `waiting` has all that would be marked and, once the grace is over, deleted. Writes nothing.
  package func plan() throws(SwzipError) -> Report {
    let holdings = try archive.look()
    try requireCertainty(holdings)
    var report = Report()
    report.decisions = retention.decisions(holdings)
    let forgotten = Set(report.decisions.filter { !$0.isKept }.flatMap(\.checkpoint.numbers))
    let needed = Self.needed(holdings, forgotten: forgotten)
    for (number, container) in holdings.containers.enumerated() {
      if !needed.contains(number) {
        report.waiting.append(container)
      } else if forgotten.contains(number) || !holdings.isListed(container) {
        report.needed.append(container)
      }
    }
    return report
  }

  package func run() throws(SwzipError) -> Report {
    let before = try archive.look()
    try requireCertainty(before)
    var report = Report()
    report.decisions = retention.decisions(before)
    try archive.forget(report.decisions.filter { !$0.isKept }.map(\.checkpoint), in: before)
    let now = try archive.look()
    try requireCertainty(now)
    let unneeded = Set(now.containers.indices).subtracting(Self.needed(now))
    for number in unneeded.sorted() where now.doomed[now.containers[number].name] == nil {
      try archive.doom(now.containers[number].name)
    }
    try settle(&report)
    return report
  }

  /// The second phase: everything is read again, after the marks.
  private func settle(_ report: inout Report) throws(SwzipError) {
    let holdings = try archive.look()
    try requireCertainty(holdings)
    try archive.syncAll()
    let (needed, resolution) = (Self.needed(holdings), holdings.resolution)
    let time = holdings.doomed.isEmpty ? nil : try archive.clock()
    let due = holdings.containers.indices.filter { number in
      guard let mark = holdings.doomed[holdings.containers[number].name], let time else { return false }
      return !needed.contains(number) && time - mark.made.seconds >= grace
    }
    // What stays can be restored until it goes too.
    let staying = resolution.closure(of: Set(holdings.containers.indices).subtracting(due))
    for number in due.sorted(by: { resolution.depths[$0] ?? .max > resolution.depths[$1] ?? .max })
    where !staying.contains(number) {
      // First the container, then its mark; what needs others before these.
      try removeDurably(holdings.containers[number].path)
      try archive.removeMark(holdings.containers[number].name)
      report.removed.append(holdings.containers[number])
    }
    for number in staying.sorted() {
      let container = holdings.containers[number]
      if !needed.contains(number) {
        report.waiting.append(container)
      } else if holdings.doomed[container.name] != nil {
        try archive.revive(container.name, isGone: holdings.gone.contains(container.name))
        report.revived.append(container)
      } else if !holdings.isListed(container) {
        report.needed.append(container)
      }
    }
    let names = Set(holdings.containers.map(\.name))
    for name in holdings.doomed.keys.sorted() where !names.contains(name) { try archive.removeMark(name) }
  }

  /// What is listed, and all that it is read through.
  private static func needed(_ holdings: Holdings, forgotten: Set<Int> = []) -> Set<Int> {
    let retained = holdings.containers.indices.filter { number in
      holdings.isListed(holdings.containers[number]) && !forgotten.contains(number)
    }
    return holdings.resolution.closure(of: retained)
  }

  /// Throws while it is not known what is needed.
  private func requireCertainty(_ holdings: Holdings) throws(SwzipError) {
    if let bad = holdings.unreadable.first {
      throw SwzipError(
        bad.error.kind, .system, file: archive.path(of: bad.name),
        detail: "\(bad.error.text); nothing is pruned while it is not known what it needs: move it away, or "
          + "put a good copy in its place")
    }
    if let tag = holdings.damagedTags.first {
      throw SwzipError(
        .corrupt, .system, file: archive.path,
        detail: "the tag \(tag) is damaged; nothing is pruned while it is not known what it names: set it again, or "
          + "remove it")
    }
    if let lacking = holdings.checkpoints().first(where: \.lacksBase) {
      throw SwzipError(
        .base, .system, file: archive.path,
        detail: "\(lacking.name) lacks a base; nothing is pruned while that may come: copy it here, or, if an add was "
          + "killed, add the checkpoint again, or run: swzip archive forget \(archive.path.printable) "
          + "id:\(lacking.identity.description.prefix(12))")
    }
    guard holdings.isSettled else {
      throw SwzipError(.memory, .system, file: archive.path, detail: "others change it all the while; run it again")
    }
  }
}

extension Archive {
  /// Seconds by the clock of the file system, which marks are made by.
  fileprivate func clock() throws(SwzipError) -> Int64 {
    let path = path(.doom, "clock")
    return try onSystem(path) { () throws(SystemError) in
      let file = try AtomicFile(target: path)
      defer { file.discard() }
      return try file.handle.status().modified.seconds
    }
  }

  fileprivate func removeMark(_ name: ContainerName) throws(SwzipError) {
    try removeDurably(path(.doom, name.text + DoomMark.suffix))
  }
}
