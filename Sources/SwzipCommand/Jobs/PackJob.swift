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

  init(_ settings: Settings, _ options: PackOptions, storesTimes: Bool) {
    self.settings = settings
    self.options = options
    self.storesTimes = storesTimes
  }

  func run(_ task: Task) throws(Failure) {
    if task.isPlainCopy { return try PlainCopy(settings).run(task) }
    if task.found == nil, case .path(let path) = task.operand, let status = try? FileStatus.of(path),
      status.kind == .directory
    {
      return try FolderPackJob(settings: settings, options: options, storesTimes: storesTimes).run(task, path, status)
    }
    let target = try settings.target(
      task, named: task.name + PackJob.suffix, own: task.operand.name + PackJob.suffix)
    let opened = try Work(settings, task.operand, to: target, .container) { () throws(Failure) in
      try Input(task.operand, found: task.found, force: settings.force, forRemoval: settings.removesSource)
    }
    guard var work = opened, let input = work.input else { return }
    let base =
      try settings.selection.isRecursive
      ? settings.bases.bases(ofMembers: [task.name])?[0] : settings.bases.base(ofFile: task.name)
    try base?.check(against: input.status)
    try work.predict { () throws(SwzipError) in
      try input.source.forward().random.map { source throws(SwzipError) in
        try predictedByteCount(source, bases: base.map { [$0.packBase] } ?? [], options: options)
      }
    }
    try work.makeContainer(of: input.source, against: base, options)
  }
}

extension Work {
  /// Packs a file, or what the last of several deltas leads to.
  func makeContainer(
    of source: any ByteSource, against base: NamedBases.Base?, _ options: PackOptions
  ) throws(Failure) {
    let source = source.forward()
    try run(
      Output(target, expected: nil, settings), counting: source.byteCount, copying: input?.status,
      make: { (output, progress) throws(SwzipError) in
        try pack(
          from: source, bases: base.map { [$0.packBase] } ?? [], to: output.sink, options: options, progress: progress)
      },
      accept: { (_, _) throws(Failure) in
        try input?.checkUnchanged()
        try base?.checkUnchanged()
      },
      prove: { (_, _) throws(Failure) in
        let comparison = Comparison(
          bases: try settings.bases.allowed(), threads: settings.threads)
        let original = try attemptLibrary(name) { () throws(SwzipError) in try source.atRandom() }
        try comparison.run(Comparison.reopen(target.name), original, target.name)
      },
      summary: { _, report, seconds in
        var summary = Summary(
          input == nil ? target.name : name, report.format, raw: report.rawByteCount, packed: report.packedByteCount,
          seconds)
        if settings.console.verbose > 0 {
          let checksum = report.checksum?.description ?? ""
          summary.lines.append("  \(report.format), \(report.tensorCount) tensors, XXH3-128 \(checksum)")
          if let sha256 = report.sha256 { summary.lines.append("  SHA-256 \(sha256)") }
        }
        summary.fields["tensors"] = .integer(UInt64(report.tensorCount))
        summary.fields["checksum"] = .digest(report.checksum)
        if let sha256 = report.sha256 { summary.fields["sha256"] = .digest(sha256) }
        summary.warnings = report.warnings
        return summary
      })
  }
}
