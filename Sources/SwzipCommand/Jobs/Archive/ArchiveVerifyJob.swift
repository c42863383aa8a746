internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// Reads an archive, and names what is damaged.
struct ArchiveVerifyJob {
  let settings: Settings
  let depth: Verification.Depth
  let sample: Verification.Sample?

  /// Lines about one container; all are in the JSON.
  private static let mostLines = 10

  func run(_ path: String) throws(Failure) {
    let console = settings.console
    let progress = Progress(console, name: path, total: nil, asked: settings.progress)
    defer { progress.end() }
    let found = try attemptLibrary(path) { () throws(SwzipError) in
      try Verification(path, depth, sample: sample, threads: settings.threads, progress: progress.update)
    }
    let seconds = progress.seconds
    progress.end()
    let status = say(found.findings)
    emit(path, found, seconds)
    if !found.inexact.isEmpty {
      console.warn(path, "not exact, but within a bound of what was added: \(found.inexact.joined(separator: ", "))")
    }
    if !found.quarantine.isEmpty {
      let byteCount = found.quarantine.reduce(0) { $0 + $1.byteCount }
      console.note(
        "\(path.printable) : \(countOf(found.quarantine.count, "file")) in quarantine, \(formatSize(byteCount)), not read"
      )
    }
    let scope = scope(found, seconds)
    guard let status else {
      return console.note("\(path.printable) : OK, \(countOf(found.checkpointCount, "checkpoint"))\(scope)")
    }
    let costs =
      found.affected.isEmpty
      ? "every checkpoint can be restored"
      : "these checkpoints cannot be restored: \(found.affected.joined(separator: ", "))"
    throw Failure(status, path: path, text: sample == nil ? costs : costs + scope)
  }

  /// What was read, for the last line.
  private func scope(_ found: Verification, _ seconds: Double) -> String {
    let rate = "\(formatSize(found.byteCount)), \(formatRate(found.byteCount, seconds: seconds))"
    let what =
      switch depth {
      case .quick: " (directories only)"
      case .stored: " (stored bytes, \(rate))"
      case .full: " (\(rate))"
      }
    guard let sample else { return what }
    return what + "; read \(found.readCount) of \(countOf(found.holdings.containers.count, "container")), "
      + "part \(sample.part + 1) of \(sample.parts): all are in \(sample.parts) days"
  }

  /// Returns the gravest status; nil where there is nothing to say.
  private func say(_ findings: [Verification.Finding]) -> CommandStatus? {
    var worst: CommandStatus?
    var lines: [String: Int] = [:]
    for finding in findings {
      let failure = Failure(finding)
      worst = max(worst ?? failure.status, failure.status)
      lines[finding.path, default: 0] += 1
      settings.console.fail(failure, isShown: lines[finding.path]! <= Self.mostLines)
    }
    for (path, count) in lines.sorted(by: { $0.key < $1.key }) where count > Self.mostLines {
      settings.console.fail(
        Failure(.damaged, path: path, text: "\(count - Self.mostLines) more damaged ranges; --json names all"))
    }
    return worst
  }

  private func emit(_ path: String, _ found: Verification, _ seconds: Double) {
    var fields: JSONObject = [
      "path": .string(path), "verified": .bool(found.findings.isEmpty), "depth": .string("\(depth)"),
      "checkpoints": .integer(UInt64(found.checkpointCount)),
      "containers": .integer(UInt64(found.holdings.containers.count + found.holdings.unreadable.count)),
      "read": .integer(UInt64(found.readCount)), "out_bytes": .integer(found.byteCount), "seconds": .decimal(seconds),
      "affected": .array(found.affected.map { .string($0) }),
      "quarantined": .integer(UInt64(found.quarantine.count)),
      "inexact": .array(found.inexact.map { .string($0) }),
    ]
    if let sample { fields["sample"] = .object(["part": .integer(sample.part), "parts": .integer(sample.parts)]) }
    settings.console.emit(fields)
  }
}

extension Failure {
  fileprivate init(_ finding: Verification.Finding) {
    let (error, path) = (finding.error, finding.error.file ?? finding.path)
    guard let part = finding.part else {
      self.init(error, path: path)
      return
    }
    let tensors =
      part.tensors.count > 3
      ? ", \(part.tensors.count) tensors" : part.tensors.map { ", tensor \($0.printable)" }.joined()
    let place =
      part.range.isEmpty ? ", its frame" : tensors + ", bytes \(part.range.lowerBound) to \(part.range.upperBound)"
    self.init(
      CommandStatus(error), path: path, text: "\(error.text); \(part.checkpoint): \(part.file.printable)\(place)",
      rule: error.rule.rawValue)
    fields = [
      "checkpoint": .string(part.checkpoint), "file": .string(part.file),
      "tensors": .array(part.tensors.map { .string($0) }),
      "range": .array([.integer(part.range.lowerBound), .integer(part.range.upperBound)]),
    ]
  }
}

/// "1 file", "3 files".
func countOf(_ count: Int, _ what: String) -> String { "\(count) \(what)" + (count == 1 ? "" : "s") }
