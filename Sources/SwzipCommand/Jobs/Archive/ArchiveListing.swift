internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// What the verbs that look at an archive say.
struct ArchiveListing {
  private let path: String
  private let archive: Archive
  private let holdings: Holdings
  private let resolution: Resolution

  init(_ path: String) throws(Failure) {
    self.path = path
    let archive = try openArchive(path)
    self.archive = archive
    holdings = try attemptLibrary(path) { () throws(SwzipError) in try archive.look() }
    resolution = holdings.resolution
  }

  func list(forgotten: Bool, _ console: Console) throws(Failure) {
    let checkpoints = holdings.checkpoints(forgotten: forgotten)
    if console.json {
      for checkpoint in checkpoints { console.emit(json(checkpoint)) }
    } else {
      writeOut(table(checkpoints))
    }
    for tag in holdings.damagedTags { console.warn(path, "the tag \(tag) is damaged; set it again, or remove it") }
    for (name, error) in holdings.unreadable.dropLast() { console.fail(Failure(error, path: name.text)) }
    if let (name, error) = holdings.unreadable.last { throw Failure(error, path: name.text) }
  }

  private func table(_ checkpoints: [Checkpoint]) -> String {
    let bounds = checkpoints.map { holdings.containers[$0.numbers[0]].inexact?.policy }
    // Of archives where all is exact nothing is said.
    let hasBounds = bounds.contains { $0 != nil }
    var columns: [(String, Table.Alignment)] = [
      ("CHECKPOINT", .right), ("PACKED", .right), ("SIZE", .right), ("RATIO", .right), ("FILES", .right),
      ("DEPTH", .right), ("BASE", .left), ("TAGS", .left),
    ]
    if hasBounds { columns.append(("MOMENTS", .left)) }
    var table = Table(columns)
    var (packed, raw): (UInt64, UInt64) = (0, 0)
    for (checkpoint, bound) in zip(checkpoints, bounds) {
      let container = holdings.containers[checkpoint.numbers[0]]
      packed += container.byteCount
      raw += container.originalByteCount
      var cells: [String] = [
        checkpoint.name, formatSize(container.byteCount), formatSize(container.originalByteCount),
        formatRatio(container.byteCount, of: container.originalByteCount), String(container.files.count),
        checkpoint.depth.map(String.init) ?? "lacks a base",
        bases(checkpoint).joined(separator: ", "), checkpoint.tags.joined(separator: ", "),
      ]
      if hasBounds { cells.append(bound.map { $0.printable + ", not exact" } ?? "exact") }
      table.add(cells)
    }
    let count = checkpoints.count == 1 ? "1 checkpoint" : "\(checkpoints.count) checkpoints"
    let sum =
      checkpoints.isEmpty ? "" : ", \(formatSize(raw)) => \(formatSize(packed)) (\(formatRatio(packed, of: raw)))"
    return (checkpoints.isEmpty ? "" : table.text(Style())) + count + sum + "\n"
  }

  private func bases(_ checkpoint: Checkpoint) -> [String] {
    resolution.providers(of: checkpoint.numbers[0]).map { "\(holdings.containers[$0].record.step)" }
  }

  private func json(_ checkpoint: Checkpoint) -> JSONObject {
    let container = holdings.containers[checkpoint.numbers[0]]
    var fields = checkpoint.json
    fields.append([
      "complete": .bool(checkpoint.depth != nil), "forgotten": .bool(!checkpoint.isListed),
      "out_bytes": .integer(container.byteCount), "in_bytes": .integer(container.originalByteCount),
      "ratio": ratio(container.byteCount, of: container.originalByteCount),
      "files": .integer(UInt64(container.files.count)), "tensors": .integer(UInt64(container.tensorCount)),
      "depth": checkpoint.depth.map { .integer(UInt64($0)) } ?? .null,
      "bases": .array(bases(checkpoint).map { .string($0) }), "tags": .array(checkpoint.tags.map { .string($0) }),
      "container": .string(container.path), "exact": .bool(container.inexact == nil),
    ])
    if let inexact = container.inexact { fields["moments"] = .object(inexact.json) }
    return fields
  }

  func show(_ word: String, _ console: Console) throws(Failure) {
    let (checkpoint, container) = try attemptLibrary(path) { () throws(SwzipError) in
      let checkpoint = try holdings.checkpoint(word)
      return (checkpoint, try Container(path: holdings.containers[checkpoint.numbers[0]].path))
    }
    let name = holdings.containers[checkpoint.numbers[0]].path
    if console.json {
      var fields = json(checkpoint)
      // The container says it too.
      fields["moments"] = nil
      fields.append(Listing.json(name, container))
      return console.emit(fields)
    }
    var text = "checkpoint \(checkpoint.name)\n  id         \(checkpoint.identity)\n  container  \(name.printable)\n"
    let bases = bases(checkpoint)
    if !bases.isEmpty { text += "  base       \(bases.joined(separator: ", "))\n" }
    if !checkpoint.tags.isEmpty { text += "  tags       \(checkpoint.tags.joined(separator: ", "))\n" }
    for line in container.inexact?.lines ?? [] { text += "  \(line)\n" }
    if checkpoint.depth == nil { text += "  lacks a base, and cannot be restored\n" }
    writeOut(text + "\n")
    var listing = Listing()
    listing.add(lastPart(name), container)
    listing.flush(Style())
    if console.verbose > 0 { writeOut(Listing.details(container, Style())) }
  }

  func stats(_ console: Console) throws(Failure) {
    let facts = try facts()
    let deepest = holdings.checkpoints().compactMap(\.depth).max() ?? 0
    let aside = try attemptLibrary(path) { () throws(SwzipError) in try archive.quarantine() }
    let asideBytes = aside.reduce(0) { $0 + $1.byteCount }
    let (raw, all) = (facts.byteCount, facts.packedByteCount)
    let inexact = holdings.checkpoints().count { holdings.containers[$0.numbers[0]].inexact != nil }
    if console.json {
      return console.emit([
        "path": .string(path), "id": .digest(facts.id), "checkpoints": .integer(UInt64(facts.checkpointCount)),
        "forgotten": .integer(UInt64(facts.forgotten.count)), "in_bytes": .integer(raw), "out_bytes": .integer(all),
        "ratio": ratio(all, of: raw), "prunable_bytes": .integer(facts.prunable),
        "needed_bytes": .integer(facts.needed), "depth": .integer(UInt64(deepest)),
        "tags": .integer(UInt64(holdings.tags.count)), "quarantined_bytes": .integer(asideBytes),
        "inexact": .integer(UInt64(inexact)),
      ])
    }
    writeOut(
      """
      checkpoints  \(facts.checkpointCount), \(formatSize(raw)); \(facts.forgotten.count) forgotten
      packed       \(formatSize(all)) (\(formatRatio(all, of: raw))), at most \(deepest) deep
      forgotten    \(formatSize(facts.prunable)) can be pruned, \(formatSize(facts.needed)) are needed by others

      """
        + (aside.isEmpty ? "" : "quarantine   \(countOf(aside.count, "file")), \(formatSize(asideBytes))\n")
        + (inexact == 0 ? "" : "not exact    \(inexact), moments within a bound of what was added\n"))
  }

  func page() throws(Failure) -> ArchivePage {
    let facts = try facts()
    return try attemptLibrary(path) { () throws(SwzipError) in
      try ArchivePage(facts, holdings.checkpoints()) { checkpoint throws(SwzipError) in
        try Container(path: holdings.containers[checkpoint.numbers[0]].path)
      }
    }
  }

  private func facts() throws(Failure) -> ArchivePage.Facts {
    let listed = holdings.checkpoints()
    let plan = try attemptLibrary(path) { () throws(SwzipError) in try Pruner(archive, Retention()).plan() }
    return ArchivePage.Facts(
      name: path, id: archive.identity.id, checkpointCount: listed.count,
      byteCount: listed.reduce(0) { $0 + holdings.containers[$1.numbers[0]].originalByteCount },
      packedByteCount: holdings.containers.reduce(0) { $0 + $1.byteCount },
      prunable: plan.waiting.reduce(0) { $0 + $1.byteCount }, needed: plan.needed.reduce(0) { $0 + $1.byteCount },
      forgotten: holdings.checkpoints(forgotten: true).map(\.name))
  }
}
