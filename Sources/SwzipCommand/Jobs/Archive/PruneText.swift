internal import SwzipArchive

/// What `archive prune` says.
struct PruneText {
  private let report: Pruner.Report
  private let isPlan: Bool

  init(_ report: Pruner.Report, isPlan: Bool) { (self.report, self.isPlan) = (report, isPlan) }

  func say(_ path: String, _ console: Console) {
    if console.json { return emit(path, console) }
    guard console.quiet == 0 else { return }
    writeOut(text(path))
  }

  private func text(_ path: String) -> String {
    var table = Table([("CHECKPOINT", .right), ("", .left), ("WHY", .left)])
    for decision in report.decisions {
      table.add([decision.checkpoint.name, word(decision), why(decision)])
    }
    var lines = report.decisions.isEmpty ? "" : table.text(Style())
    func add(_ containers: [StoredContainer], _ what: String) {
      guard !containers.isEmpty else { return }
      let count = containers.count == 1 ? "1 container" : "\(containers.count) containers"
      lines += "\(count), \(formatSize(Self.byteCount(containers))), \(what)\n"
    }
    add(report.removed, "deleted")
    add(report.revived, "needed again, and kept")
    add(
      report.waiting,
      isPlan ? "would be marked, and deleted after the grace" : "marked: deleted by a prune after the grace")
    add(report.needed, "forgotten, but needed by others")
    return lines + (isPlan ? "nothing written\n" : "")
  }

  private func word(_ decision: Retention.Decision) -> String {
    decision.isKept ? "keep" : "forget"
  }

  private func why(_ decision: Retention.Decision) -> String {
    decision.isKept ? decision.reasons.joined(separator: ", ") : "no rule keeps it"
  }

  private func emit(_ path: String, _ console: Console) {
    for decision in report.decisions {
      var fields = decision.checkpoint.json
      fields["kept"] = .bool(decision.isKept)
      fields["why"] = .array(decision.reasons.map { .string($0) })
      console.emit(fields)
    }
    func sum(_ containers: [StoredContainer]) -> JSONValue {
      .object(["containers": .integer(UInt64(containers.count)), "bytes": .integer(Self.byteCount(containers))])
    }
    console.emit([
      "path": .string(path), "dry_run": .bool(isPlan), "deleted": sum(report.removed), "revived": sum(report.revived),
      "waiting": sum(report.waiting), "needed": sum(report.needed),
    ])
  }

  private static func byteCount(_ containers: [StoredContainer]) -> UInt64 {
    containers.reduce(0) { $0 + $1.byteCount }
  }
}
