internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Packs files and folders, one container each.
struct PackJob {
  static let suffix = ".swz"

  let settings: Settings
  let options: PackOptions
  /// For folders.
  private let storesTimes: Bool
  private var console: Console { settings.console }

  init(_ settings: Settings, _ options: PackOptions, storesTimes: Bool) {
    self.settings = settings
    self.options = options
    self.storesTimes = storesTimes
  }

  func run(_ task: Task) throws(Failure) {
    if task.isPlainCopy { return try PlainCopy(settings: settings).run(task) }
    if task.found == nil, case .path(let path) = task.operand, let status = try? FileStatus.of(path),
      status.kind == .directory
    {
      return try FolderPackJob(settings: settings, options: options, storesTimes: storesTimes).run(task, path, status)
    }
    let target = try settings.target(
      task, named: task.name + PackJob.suffix, own: task.operand.name + PackJob.suffix)
    if settings.skips(task, target) { return }
    let input = try Input(
      task.operand, found: task.found, force: settings.force, forRemoval: settings.removesSource)
    try target.check(against: input.status, force: settings.force)
    try settings.bases.check(target, removing: settings.removesSource ? input.status : nil)
    if target == .standardOutput, FileHandle.standardOutput.isTerminal, !settings.force {
      throw .refused(
        target.name, "compressed data is not written to a terminal; name a file with -o, or insist with -f")
    }
    guard !settings.dryRun else { return settings.announce(input.name, byteCount: input.source.byteCount, target) }

    let base =
      try settings.selection.isRecursive
      ? settings.bases.bases(ofMembers: [task.name])?[0] : settings.bases.base(ofFile: task.name)
    try base?.check(against: input.status)
    let output = try Output(target, expected: nil, force: settings.force)
    let progress = Progress(console, name: input.name, total: input.source.byteCount, asked: settings.progress)
    let report: PackReport
    do throws(SwzipError) {
      report = try pack(
        from: input.source, base: base?.packBase, to: output.sink, options: options, progress: progress.update)
    } catch {
      progress.end()
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    try input.checkUnchanged()
    try base?.checkUnchanged()
    let durability = try output.finish(
      copying: input.status, readableAs: settings.bases.named(), force: settings.force)
    let seconds = progress.seconds
    progress.end()
    for warning in report.warnings { console.warn(input.name, warning) }
    let removal = settings.removesSource ? Removal(input, output.name, durability) : nil
    if let removal {
      try removal.run { () throws(Failure) in
        let comparison = Comparison(bases: try settings.bases.allowed(), threads: settings.threads)
        let source = try attemptLibrary(input.name) { () throws(SwzipError) in try input.random() }
        try comparison.run(Comparison.reopen(output.name), source, output.name)
      }
    }
    say(input, output, report, seconds, removed: removal != nil)
    if removal == nil { try requireDurable(durability, output.name) }
  }

  private func say(_ input: Input, _ output: Output, _ report: PackReport, _ seconds: Double, removed: Bool) {
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    if !settings.writesToStdout || console.verbose > 0 {
      console.note(
        "\(input.name.printable) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(raw)) => \(formatSize(packed)), \(formatRate(raw, seconds: seconds)))")
    }
    if console.verbose > 0 {
      console.note("  \(report.format), \(report.tensorCount) tensors, XXH3-128 \(report.checksum)")
      if let sha256 = report.sha256 { console.note("  SHA-256 \(sha256)") }
    }
    var fields: JSONObject = [
      "path": .string(input.name), "out": .string(output.name), "format": .string(report.format),
      "in_bytes": .integer(raw), "out_bytes": .integer(packed), "ratio": ratio(packed, of: raw),
      "seconds": .decimal(seconds), "tensors": .integer(UInt64(report.tensorCount)),
      "checksum": .string(report.checksum),
    ]
    if let sha256 = report.sha256 { fields["sha256"] = .string(sha256) }
    if removed { fields["removed"] = .bool(true) }
    if !report.warnings.isEmpty { fields["warnings"] = .array(report.warnings.map { .string($0) }) }
    console.emit(fields)
  }
}
