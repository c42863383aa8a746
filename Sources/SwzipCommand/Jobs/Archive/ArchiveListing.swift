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
    let bounds = checkpoints.map { holdings.inexact($0).first?.policy }
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
      let containers = containers(checkpoint)
      let (small, large) = Self.byteCounts(containers)
      packed += small
      raw += large
      var cells: [String] = [
        checkpoint.name, formatSize(small), formatSize(large), formatRatio(small, of: large),
        String(containers.reduce(0) { $0 + $1.files.count }), checkpoint.depth.map(String.init) ?? lack(checkpoint),
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

  private func containers(_ checkpoint: Checkpoint) -> [StoredContainer] {
    checkpoint.parts.map { holdings.containers[$0] }
  }

  private static func byteCounts(_ containers: [StoredContainer]) -> (packed: UInt64, raw: UInt64) {
    containers.reduce((0, 0)) { ($0.0 + $1.byteCount, $0.1 &+ $1.originalByteCount) }
  }

  private func lack(_ checkpoint: Checkpoint) -> String {
    switch checkpoint.lack {
    case .parts: checkpoint.partsText ?? ""
    case .twice(let part): "part \(part) twice"
    default: "lacks a base"
    }
  }

  private func bases(_ checkpoint: Checkpoint) -> [String] {
    let own = Set(checkpoint.parts)
    let steps = checkpoint.parts.flatMap { resolution.providers(of: $0) }.filter { !own.contains($0) }
    return Set(steps.map { holdings.containers[$0].record.step }).sorted().map { "\($0)" }
  }

  private func json(_ checkpoint: Checkpoint) -> JSONObject {
    let containers = containers(checkpoint)
    let (packed, raw) = Self.byteCounts(containers)
    var fields = checkpoint.json
    fields.append([
      "complete": .bool(checkpoint.depth != nil), "forgotten": .bool(!checkpoint.isListed),
      "out_bytes": .integer(packed), "in_bytes": .integer(raw), "ratio": ratio(packed, of: raw),
      "files": .integer(UInt64(containers.reduce(0) { $0 + $1.files.count })),
      "tensors": .integer(UInt64(containers.reduce(0) { $0 + $1.tensorCount })),
      "depth": checkpoint.depth.map { .integer(UInt64($0)) } ?? .null,
      "bases": .array(bases(checkpoint).map { .string($0) }), "tags": .array(checkpoint.tags.map { .string($0) }),
      "exact": .bool(holdings.inexact(checkpoint).isEmpty),
    ])
    if checkpoint.partCount == 1 {
      fields["container"] = .string(containers[0].path)
    } else {
      fields["containers"] = .array(containers.map { .string($0.path) })
    }
    fields["moments"] = holdings.inexact(checkpoint).json
    return fields
  }

  func show(_ word: String, _ console: Console) throws(Failure) {
    let (checkpoint, parts) = try attemptLibrary(path) { () throws(SwzipError) in
      let checkpoint = try holdings.checkpoint(word)
      return (
        checkpoint,
        try containers(checkpoint).map { stored throws(SwzipError) in (stored, try Container(path: stored.path)) }
      )
    }
    if console.json {
      for (stored, container) in parts {
        var fields = json(checkpoint)
        // The container says it too.
        fields["moments"] = nil
        fields.append(Listing.json(stored.path, container))
        if checkpoint.partCount > 1 { fields["part"] = .integer(UInt64(stored.record.part)) }
        console.emit(fields)
      }
      return
    }
    var text = "checkpoint \(checkpoint.name)\n  id         \(checkpoint.identity)\n"
    for (stored, _) in parts { text += "  container  \(stored.path.printable)\n" }
    let bases = bases(checkpoint)
    if !bases.isEmpty { text += "  base       \(bases.joined(separator: ", "))\n" }
    if !checkpoint.tags.isEmpty { text += "  tags       \(checkpoint.tags.joined(separator: ", "))\n" }
    for (stored, _) in parts { for line in stored.inexact?.lines ?? [] { text += "  \(line)\n" } }
    if checkpoint.depth == nil { text += "  \(lack(checkpoint)), and cannot be restored\n" }
    writeOut(text + "\n")
    var listing = Listing()
    for (stored, container) in parts { listing.add(lastPart(stored.path), container) }
    listing.flush(Style())
    if console.verbose > 0 { for (_, container) in parts { writeOut(Listing.details(container, Style())) } }
  }

  func stats(_ console: Console) throws(Failure) {
    let facts = try facts()
    let deepest = holdings.checkpoints().compactMap(\.depth).max() ?? 0
    let aside = try attemptLibrary(path) { () throws(SwzipError) in try archive.quarantine() }
    let asideBytes = aside.reduce(0) { $0 + $1.byteCount }
    let (raw, all) = (facts.byteCount, facts.packedByteCount)
    let inexact = holdings.checkpoints().count { !holdings.inexact($0).isEmpty }
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
        try containers(checkpoint).map { container throws(SwzipError) in try Container(path: container.path) }
      }
    }
  }

  private func facts() throws(Failure) -> ArchivePage.Facts {
    let listed = holdings.checkpoints()
    let plan = try attemptLibrary(path) { () throws(SwzipError) in try Pruner(archive, Retention()).plan() }
    return ArchivePage.Facts(
      name: path, id: archive.identity.id, checkpointCount: listed.count,
      byteCount: listed.reduce(0) { $0 + Self.byteCounts(containers($1)).raw },
      packedByteCount: holdings.containers.reduce(0) { $0 + $1.byteCount },
      prunable: plan.waiting.reduce(0) { $0 + $1.byteCount }, needed: plan.needed.reduce(0) { $0 + $1.byteCount },
      forgotten: holdings.checkpoints(forgotten: true).map(\.name))
  }
}
