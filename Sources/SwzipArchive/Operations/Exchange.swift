internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What a damaged archive takes from a copy of it: containers whose checkpoints are damaged here, or that give what others here
/// lack, each proved before it gets its name.
struct Exchange {
  private let archive: Archive
  private let found: Verification
  private let threads: Int
  private let isPlan: Bool
  private let theirs: Holdings?
  private let theirResolution: Resolution
  /// What is here by now; of a plan, with what would be.
  private(set) var ours: Holdings
  /// Paths of containers that are damaged.
  private let damaged: Set<String>
  /// Names that something was taken for.
  private var replaced = Set<ContainerName>()
  /// Containers of theirs that cannot be had.
  private var failed = Set<Int>()
  /// Of ours, without what is damaged or about to be deleted.
  private var healthy: Resolution

  init(
    _ archive: Archive, _ found: Verification, _ other: Archive?, threads: Int, isPlan: Bool
  ) throws(SwzipError) {
    (self.archive, self.found, self.threads, self.isPlan) = (archive, found, threads, isPlan)
    theirs = try other?.look()
    theirResolution = theirs?.resolution ?? Resolution([])
    ours = found.holdings
    damaged = Set(found.damaged.map { found.holdings.containers[$0].path })
    healthy = Self.healthy(ours, damaged)
  }

  private static func healthy(_ holdings: Holdings, _ damaged: Set<String>) -> Resolution {
    Resolution(holdings.containers) {
      damaged.contains(holdings.containers[$0].path) || holdings.doomed[holdings.containers[$0].name] != nil
    }
  }

  // MARK: taking

  /// Takes all that is wanted and can be had.
  mutating func takeAll(_ report: inout Repair.Report) throws(SwzipError) {
    guard let theirs else { return }
    let order = theirResolution.inOrder(theirs.containers.indices.filter { theirResolution.depths[$0] != nil })
    var isChanged = true
    while isChanged {
      isChanged = false
      for number in order where isWanted(theirs.containers[number]) {
        if try take(number, of: theirs, &report) { isChanged = true }
      }
    }
  }

  private func isWanted(_ container: StoredContainer) -> Bool {
    if isWhole(container) { return false }
    if !replacedNames(container).isEmpty { return true }
    let named = ours.tags.map(\.identity) + ours.damagedTags.compactMap { tag($0)?.identity }
    if named.contains(container.identity) { return true }
    let lacking = Set(
      ours.containers.indices.filter {
        !damaged.contains(ours.containers[$0].path) && ours.doomed[ours.containers[$0].name] == nil
      }.flatMap { healthy.missing($0) })
    return container.files.indices.contains { container.content(ofFile: $0).map(lacking.contains) ?? false }
  }

  /// Whether what a container holds can be had from what is not damaged.
  func isWhole(_ container: StoredContainer) -> Bool {
    ours.containers.indices.contains { ours.containers[$0].holdsSame(as: container) && healthy.depths[$0] != nil }
  }

  /// Damaged containers here that held the same checkpoint: of those that cannot be read at all, as their names say, or the steps
  /// in these.
  private func replacedNames(_ container: StoredContainer) -> [ContainerName] {
    let names = Set(theirs?.containers.map(\.name) ?? [])
    return ours.containers.filter { damaged.contains($0.path) && $0.holdsSame(as: container) }.map(\.name)
      + ours.unreadable.map(\.name).filter {
        $0 == container.name
          || !names.contains($0) && $0.step == container.record.step && !replaced.contains($0)
      }
  }

  /// Takes a container, and first what it needs. Returns whether it is here now.
  private mutating func take(
    _ number: Int, of theirs: Holdings, below path: Set<Int> = [], _ report: inout Repair.Report
  ) throws(SwzipError) -> Bool {
    guard !failed.contains(number), !path.contains(number) else { return false }
    let container = theirs.containers[number]
    for content in container.bases where healthy.place(of: content) == nil {
      let givers = theirs.containers.indices.filter { giver in
        theirResolution.depths[giver] != nil
          && theirs.containers[giver].files.indices.contains { theirs.containers[giver].content(ofFile: $0) == content }
      }
      for giver in givers where healthy.place(of: content) == nil {
        _ = try take(giver, of: theirs, below: path.union([number]), &report)
      }
      guard healthy.place(of: content) != nil else {
        failed.insert(number)
        return false
      }
    }
    let names = replacedNames(container)
    let isGone =
      names.isEmpty
      ? ours.gone.contains(container.name) || theirs.gone.contains(container.name)
      : names.allSatisfy(ours.gone.contains)
    do throws(SwzipError) {
      try isPlan ? ours.containers.append(container) : copy(container, isGone: isGone)
    } catch {
      guard error.kind == .corrupt || error.kind == .base || error.file == container.path else { throw error }
      report.unusable.append(error.of(container.path))
      failed.insert(number)
      return false
    }
    healthy = Self.healthy(ours, damaged)
    replaced.formUnion(names)
    report.taken.append((container.record.name, container.path))
    return true
  }

  /// Publishes a copy that has been read from the disk, decoded, and compared with every hash. If what it replaces is forgotten,
  /// it is too.
  private mutating func copy(_ container: StoredContainer, isGone: Bool) throws(SwzipError) {
    try archive.make(.ckpt)
    let isTaken =
      ours.doomed[container.name] != nil || ours.gone.contains(container.name) && !isGone
      || ours.containers.contains { $0.name == container.name }
      || ours.unreadable.contains { $0.name == container.name }
    let name = isTaken ? container.name.renewed : container.name
    let path = archive.path(of: name)
    let file = try archive.copy(container.path, to: path)
    file.handle.forgetPages()
    let source = try FileSource(file.handle, fromStart: true)
    _ = try verify(source, bases: ArchiveBases(ours, healthy), threads: threads)
    let status = try onSystem(path) { () throws(SystemError) in try file.handle.status() }
    guard try StoredContainer(name, path, status, Container(source)).holdsSame(as: container) else {
      throw SwzipError(.corrupt, .root)
    }
    if isGone { try archive.bury(name) }
    try requireDurable(onSystem(path) { () throws(SystemError) in try file.publish(replacing: false) }, path)
    ours = try archive.look()
    let number = ours.containers.firstIndex { $0.name == name }
    guard let number, Self.healthy(ours, damaged).depths[number] != nil else {
      throw SwzipError(.io, .system, file: path, detail: "somebody removes what it needs; run it again")
    }
  }

  // MARK: what is here then

  /// Whether what was in a container that cannot be read is here, as far as the copy tells.
  func isReplaced(_ name: ContainerName) -> Bool {
    replaced.contains(name) || theirs?.containers.contains { $0.name == name && isWhole($0) } ?? false
  }

  /// Damaged containers without which others, that are not, could be read less.
  var needed: Set<ContainerName> {
    let all = ours.resolution
    let users = ours.containers.indices.filter {
      all.depths[$0] != nil && healthy.depths[$0] == nil && !damaged.contains(ours.containers[$0].path)
        && ours.doomed[ours.containers[$0].name] == nil
    }
    return Set(all.closure(of: users).map { ours.containers[$0] }.filter { damaged.contains($0.path) }.map(\.name))
  }

  /// Checkpoints of which not all can be restored.
  var unreadable: [String] {
    let before = found.holdings
    let untouched = Set(
      before.containers.indices.filter { !found.damaged.contains($0) && found.lost[$0] == nil }.map {
        before.containers[$0].path
      })
    let (all, kept) = (ours.resolution, needed)
    func isHere(_ container: StoredContainer) -> Bool {
      isWhole(container)
        || ours.containers.indices.contains {
          ours.containers[$0].holdsSame(as: container) && untouched.contains(ours.containers[$0].path)
            && all.depths[$0] != nil
            && all.chain(of: $0).allSatisfy { number in
              let container = ours.containers[number]
              return !damaged.contains(container.path) || kept.contains(container.name)
            }
        }
    }
    let checkpoints = before.checkpoints() + before.checkpoints(forgotten: true)
    return checkpoints.filter { !$0.parts.allSatisfy { isHere(before.containers[$0]) } }.map(\.name)
      + before.unreadable.map(\.name).filter { !isReplaced($0) }.map { "\($0.step)" }
  }

  /// Checkpoints that they list, and of which nothing is here.
  var elsewhere: [String] {
    let known = Set(ours.containers.map(\.identity))
    return (theirs?.checkpoints() ?? []).filter { checkpoint in
      !known.contains(checkpoint.identity)
        && checkpoint.numbers.allSatisfy { !ours.gone.contains(theirs!.containers[$0].name) }
    }.map(\.name)
  }

  /// What they have of a tag.
  func tag(_ name: String) -> Tag? { theirs?.tags.first { $0.name == name } }

  func hasListed(_ identity: Digest) -> Bool { ours.checkpoints().contains { $0.identity == identity } }
}
