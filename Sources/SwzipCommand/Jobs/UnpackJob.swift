internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks containers, one file or folder each.
struct UnpackJob {
  let settings: Settings
  /// Which files of a folder; none means all.
  let only: [String]
  private var console: Console { settings.console }

  func run(_ task: Task) throws(Failure) {
    if task.isPlainCopy { return try PlainCopy(settings: settings).run(task) }
    let operand = task.operand
    let input = try Input(operand, found: task.found, force: settings.force, forRemoval: settings.removesSource)
    if operand == .standardInput, FileHandle.standardInput.isTerminal, !settings.force {
      throw .refused(input.name, "compressed data is not read from a terminal; name a file")
    }
    let isFolder = try attemptLibrary(input.name) { () throws(SwzipError) in try input.source.beginsFolder() }
    if isFolder { return try FolderUnpackJob(settings: settings, only: only).run(task, input) }
    if !only.isEmpty { throw .refused(input.name, "it holds a single file, without a name; drop --only") }
    let target = try settings.unpackTarget(task)
    if settings.skips(task, target) { return }
    try target.check(against: input.status, force: settings.force)
    // The index tells the size in advance; where it cannot be read, unpacking says why.
    let (expected, tensorCount) = announced(by: input.source)
    let bases = try settings.bases.allowed()
    guard !settings.dryRun else {
      return settings.announce(input.name, byteCount: input.source.byteCount, target, expected: expected)
    }

    let output = try Output(target, expected: expected, force: settings.force, holes: settings.holes)
    let progress = Progress(console, name: input.name, total: expected, asked: settings.progress)
    let report: UnpackReport
    do throws(SwzipError) {
      report = try unpack(
        from: input.source, to: output.sink, bases: bases, threads: settings.threads, progress: progress.update)
    } catch {
      progress.end()
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    let replacesBase = try settings.bases.include(target)
    let durability = try output.finish(
      copying: input.status, readableAs: settings.bases.named(), force: settings.force)
    let seconds = progress.seconds
    progress.end()
    let removal = settings.removesSource ? Removal(input, output.name, durability) : nil
    if let removal {
      try removal.run { () throws(Failure) in
        if replacesBase { return try Comparison.run(output.name, checksum: report.checksum) }
        let comparison = Comparison(bases: bases, threads: settings.threads)
        try comparison.run(Comparison.reopen(input.name), Comparison.reopen(output.name), output.name)
      }
    }
    say(input, output, report, seconds, tensors: tensorCount, removed: removal != nil)
    if removal == nil { try requireDurable(durability, output.name) }
  }

  /// Bytes and tensors, as the index says. It is not kept: unpacking reads it again.
  private func announced(by source: FileStream) -> (byteCount: UInt64?, tensors: Int?) {
    guard let index = try? source.random.map({ try SwzFile($0) }) else { return (nil, nil) }
    return (index.members.reduce(0) { $0 &+ $1.byteCount }, index.tensorCount)
  }

  private func say(
    _ input: Input, _ output: Output, _ report: UnpackReport, _ seconds: Double, tensors: Int?, removed: Bool
  ) {
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    if !settings.writesToStdout || console.verbose > 0 {
      console.note(
        "\(input.name.printable) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(packed)) => \(formatSize(raw)), \(formatRate(raw, seconds: seconds)))")
    }
    if console.verbose > 0 { console.note("  XXH3-128 \(report.checksum)") }
    var fields: JSONObject = [
      "path": .string(input.name), "out": .string(output.name), "format": .string("swz"), "in_bytes": .integer(packed),
      "out_bytes": .integer(raw), "ratio": ratio(packed, of: raw), "seconds": .decimal(seconds),
      "checksum": .string(report.checksum),
    ]
    if let tensors { fields["tensors"] = .integer(UInt64(tensors)) }
    if removed { fields["removed"] = .bool(true) }
    console.emit(fields)
  }
}

extension Settings {
  /// Where a container is unpacked to: its name without `.swz`, unless the options say otherwise.
  func unpackTarget(_ task: Task) throws(Failure) -> Target {
    let name = task.operand.name
    guard !writesToStdout, output == nil else { return try target(task, named: "", own: "") }
    guard let own = name.withoutSuffix(PackJob.suffix), splitPath(own) != nil else {
      throw .refused(name, "its name does not end in .swz; name the output with -o, or write to stdout with -c")
    }
    return try target(task, named: task.name.withoutSuffix(PackJob.suffix) ?? task.name, own: own)
  }
}
