internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// One operand and what a verb that writes makes of it. All do the same in the same order: skip, open, check (`init`); then,
/// when the verb has found what else it needs, dry run, output, progress, work, finish, say (`run`).
struct Work {
  /// What is made, by where it may go.
  enum Product {
    /// Neither goes to a terminal, nor replaces what it refers to or was taken with.
    case container, part, page
    /// Goes anywhere: what is unpacked may take the place of its base.
    case original
    /// Files of a folder, among others that are there.
    case folder
    /// What is left of a folder, which is not mixed with what is there.
    case rest
  }

  let settings: Settings
  /// The operand, as the user wrote it.
  let name: String
  let target: Target
  /// What was opened.
  let input: Input?
  /// Of what is read: nobody may read the output who may not read all, and the bases.
  var sources: [FileStatus]
  /// To be read, and to be written where that is known.
  var byteCount: UInt64?
  var expected: UInt64?
  /// About what will be written, of a dry run.
  private var predicted: UInt64?

  /// `open` opens the operand; `status` is that of one that it does not open. Nil: the output is there, and is skipped.
  init?(
    _ settings: Settings, _ operand: Operand, to target: Target, _ product: Product, status: FileStatus? = nil,
    _ open: () throws(Failure) -> Input? = { nil }
  ) throws(Failure) {
    if settings.skips(operand, target) { return nil }
    self.settings = settings
    name = operand.name
    self.target = target
    input = try open()
    byteCount = input?.source.byteCount
    sources = [input?.status ?? status].compactMap { $0 }
    try check(product)
  }

  /// Refuses what must not be done, before any work.
  private func check(_ product: Product) throws(Failure) {
    switch product {
    case .folder:
      guard let there = target.replaced, there.kind != .directory else { return }
      throw .refused(target.name, "it exists and is no folder; name another output with -o")
    case .rest:
      if !settings.force, (try? FileStatus.of(target.name, followingLinks: false)) != nil {
        throw .refused(target.name, "it exists; replace its files with -f, or name another output with -o")
      }
    case .container, .part, .page, .original: try target.check(against: sources.first, force: settings.force)
    }
    guard product != .original else { return }
    try settings.bases.check(target, removing: settings.removesSource ? sources.first : nil)
    if target == .standardOutput, FileHandle.standardOutput.isTerminal, !settings.force {
      let what =
        switch product {
        case .container: "compressed data is"
        case .page: "a page is"
        default: "raw bytes are"
        }
      throw .refused(target.name, "\(what) not written to a terminal; name a file with -o, or insist with -f")
    }
  }

  /// Asks what will be written about, for a dry run alone.
  mutating func predict(_ byteCount: () throws(SwzipError) -> UInt64?) throws(Failure) {
    if settings.dryRun { predicted = try attemptLibrary(name, byteCount) }
  }

  /// What there is to say of work that is done.
  struct Summary {
    /// For people.
    var lines: [String] = []
    /// For programs, behind the names of what was read and written.
    var fields: JSONObject = [:]
    var warnings: [String] = []
    /// Warnings that were said before the work.
    var earlier: [String] = []
    /// What is wrong although the output is there.
    var failure: Failure?
  }

  /// `counting`: bytes that the progress goes up to. `copying`: whose mode, times and owner the output gets. `accept` throws
  /// where the output must not stand, be it that something changed while it was read. `prove` reads it from the disk and
  /// compares it with the source: where there is none, `--rm` removes nothing.
  func run<Written: OpenOutput, Report>(
    _ open: @autoclosure () throws(Failure) -> Written, counting total: UInt64?, copying copied: FileStatus? = nil,
    make: (Written, @escaping ProgressHandler) throws(SwzipError) -> Report,
    accept: (Written, Report) throws(Failure) -> Void = { _, _ in },
    prove: ((Written, Report) throws(Failure) -> Void)? = nil,
    summary: (Written, Report, Double) -> Summary
  ) throws(Failure) {
    let console = settings.console
    guard !settings.dryRun else { return announce() }
    let output = try open()
    let progress = Progress(console, name: name, total: total, asked: settings.progress)
    defer { progress.end() }
    let report: Report
    do throws(SwzipError) {
      report = try make(output, progress.update)
    } catch {
      // The system may have failed for another file than the operand: a base, or one in a folder.
      throw output.writeFailure ?? Failure(error, path: error.rule == .system ? error.file ?? name : name)
    }
    try accept(output, report)
    let durability = try output.finish(
      copying: copied, readableAs: sources + settings.bases.named(), force: settings.force)
    let seconds = progress.seconds
    progress.end()
    let summary = summary(output, report, seconds)
    for warning in summary.warnings { console.warn(name, warning) }
    var isRemoved = false
    if settings.removesSource, let input, let handle = input.handle, let prove {
      try Removal(input, handle, target.name, durability).run { () throws(Failure) in try prove(output, report) }
      isRemoved = true
    }
    say(summary, isRemoved: isRemoved)
    if !isRemoved { try requireDurable(durability, target.name) }
    if let failure = summary.failure { throw failure }
  }

  private func say(_ summary: Summary, isRemoved: Bool) {
    let console = settings.console
    if !settings.writesToStdout || console.verbose > 0 { summary.lines.forEach(console.note) }
    var fields: JSONObject = ["path": .string(name), "out": .string(target.name)]
    fields.append(summary.fields)
    if isRemoved { fields["removed"] = .bool(true) }
    let warnings = summary.earlier + summary.warnings
    if !warnings.isEmpty { fields["warnings"] = .array(warnings.map { .string($0) }) }
    console.emit(fields)
  }

  /// Says what would be done.
  private func announce() {
    let size = predicted.map { ", about \(formatSize($0))" } ?? ""
    settings.console.note("\(name.printable) => \(target.name.printable)\(size) (dry run: nothing written)")
    var fields: JSONObject = ["path": .string(name), "out": .string(target.name), "dry_run": .bool(true)]
    if let byteCount { fields["in_bytes"] = .integer(byteCount) }
    if let expected { fields["out_bytes"] = .integer(expected) }
    if let predicted { fields["predicted_bytes"] = .integer(predicted) }
    settings.console.emit(fields)
  }
}

extension Work.Summary {
  /// Of what was packed or unpacked.
  init(_ name: String, _ format: String, raw: UInt64, packed: UInt64, _ seconds: Double, unpacks: Bool = false) {
    let (before, after) = unpacks ? (packed, raw) : (raw, packed)
    lines = [
      "\(name.printable) : \(formatRatio(packed, of: raw)) "
        + "(\(formatSize(before)) => \(formatSize(after)), \(formatRate(raw, seconds: seconds)))"
    ]
    fields = [
      "format": .string(format), "in_bytes": .integer(before), "out_bytes": .integer(after),
      "ratio": ratio(packed, of: raw), "seconds": .decimal(seconds),
    ]
  }
}

extension Settings {
  /// Whether an operand is to be left out, because its output exists. Says so.
  fileprivate func skips(_ operand: Operand, _ target: Target) -> Bool {
    guard selection.skipsExisting, case .path(let path, _) = target,
      (try? FileStatus.of(path, followingLinks: false)) != nil
    else { return false }
    if console.verbose > 0 { console.note("\(operand.name.printable) : skipped, its output exists") }
    console.emit(["path": .string(operand.name), "out": .string(path), "skipped": .bool(true)])
    return true
  }
}
