internal import Swzip
internal import SwzipArchive
internal import SwzipCore

/// Reads all of an archive.
struct ArchiveVerifyJob {
  let settings: Settings

  func run(_ path: String, decodes: Bool) throws(Failure) {
    let console = settings.console
    let progress = Progress(console, name: path, total: nil, asked: settings.progress)
    defer { progress.end() }
    let found = try attemptLibrary(path) { () throws(SwzipError) in
      try Verification(path, decodes: decodes, threads: settings.threads, progress: progress.update)
    }
    let seconds = progress.seconds
    progress.end()
    let affected = found.affected
    console.emit([
      "path": .string(path), "verified": .bool(found.findings.isEmpty),
      "checkpoints": .integer(UInt64(found.checkpointCount)), "out_bytes": .integer(found.byteCount),
      "seconds": .decimal(seconds), "affected": .array(affected.map { .string($0) }),
    ])
    guard !found.findings.isEmpty else {
      let rate = decodes ? " (\(formatSize(found.byteCount)), \(formatRate(found.byteCount, seconds: seconds)))" : ""
      return console.note("\(path.printable) : OK, \(found.checkpointCount) checkpoints\(rate)")
    }
    let failures = found.findings.map { Failure($0.error, path: $0.error.file ?? $0.path) }
    for failure in failures { console.fail(failure) }
    let costs =
      affected.isEmpty
      ? "every checkpoint can be restored" : "these checkpoints cannot be restored: \(affected.joined(separator: ", "))"
    throw Failure(failures.map(\.status).max() ?? .damaged, path: path, text: costs)
  }
}
