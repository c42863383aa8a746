internal import SwzipArchive
internal import SwzipCore

/// Puts damage of an archive aside, and good copies in its place.
struct RepairJob {
  let settings: Settings
  let depth: Verification.Depth
  let other: String?
  let isPlan: Bool

  func run(_ path: String) throws(Failure) {
    let console = settings.console
    let progress = Progress(console, name: path, total: nil, asked: settings.progress)
    defer { progress.end() }
    let report = try attemptLibrary(path) { () throws(SwzipError) in
      try Repair(path, from: other, depth, threads: settings.threads, isPlan: isPlan).run(progress: progress.update)
    }
    progress.end()
    for error in report.unusable { console.warn(error.file ?? path, "not taken: \(error.text)") }
    for line in lines(report) { console.note(line) }
    emit(path, report)
    for (file, why) in report.left { console.fail(Failure(.damaged, path: file, text: why)) }
    guard !report.isDone else { return }
    let costs =
      report.unreadable.isEmpty
      ? "every checkpoint can be restored"
      : "these checkpoints cannot be restored: \(report.unreadable.joined(separator: ", ")); "
        + (other == nil
          ? "name a copy with --from, or add them again" : "name another copy with --from, or add them again")
    throw Failure(.damaged, path: path, text: costs)
  }

  private func lines(_ report: Repair.Report) -> [String] {
    let would = isPlan ? "would be " : ""
    var lines = report.taken.map { "\($0.path.printable) : \(would)taken, checkpoint \($0.checkpoint)" }
    lines += report.rewritten.map { "\($0.printable) : \(would)written anew" }
    lines += report.moved.map { "\($0.printable) : \(would)moved to quarantine" }
    if !report.elsewhere.isEmpty, let other {
      lines.append(
        "\(other.printable) : lists \(report.elsewhere.joined(separator: ", ")), of which nothing is here; rsync brings it"
      )
    }
    if lines.isEmpty, report.isDone { lines.append("nothing to repair") }
    return isPlan ? lines + ["nothing written"] : lines
  }

  private func emit(_ path: String, _ report: Repair.Report) {
    func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    settings.console.emit([
      "path": .string(path), "dry_run": .bool(isPlan), "repaired": .bool(report.isDone),
      "taken": .array(
        report.taken.map { .object(["checkpoint": .string($0.checkpoint), "container": .string($0.path)]) }),
      "rewritten": strings(report.rewritten), "quarantined": strings(report.moved),
      "left": strings(report.left.map(\.path)), "affected": strings(report.unreadable),
      "elsewhere": strings(report.elsewhere),
    ])
  }
}
