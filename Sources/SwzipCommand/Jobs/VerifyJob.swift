internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Decodes everything, compares every hash, writes nothing.
struct VerifyJob {
  let settings: Settings

  func run(_ operand: Operand) throws(Failure) {
    let console = settings.console
    let input = try Input(operand, force: false, takesURLs: true)
    try input.checkIsNoTerminal(force: false)
    let bases = try settings.bases.allowed()
    let progress = Progress(console, name: input.name, total: nil, asked: settings.progress)
    let report: UnpackReport
    do throws(SwzipError) {
      report = try verify(input.source, bases: bases, threads: settings.threads, progress: progress.update)
    } catch {
      progress.end()
      throw Failure(error, path: input.name)
    }
    let seconds = progress.seconds
    progress.end()
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    console.note(
      "\(input.name.printable) : OK (\(formatSize(packed)) => \(formatSize(raw)), \(formatRate(raw, seconds: seconds)))"
    )
    var fields: JSONObject = [
      "path": .string(input.name), "verified": .bool(true), "in_bytes": .integer(packed), "out_bytes": .integer(raw),
      "ratio": ratio(packed, of: raw), "seconds": .decimal(seconds),
    ]
    if let checksum = report.checksum {
      if console.verbose > 0 { console.note("  XXH3-128 \(checksum)") }
      fields["checksum"] = .digest(checksum)
    } else {
      if console.verbose > 0 { console.note("  \(report.memberCount) files, root SHA-256 \(report.root)") }
      fields["files"] = .integer(UInt64(report.memberCount))
      fields["root"] = .digest(report.root)
    }
    console.emit(fields)
  }
}
