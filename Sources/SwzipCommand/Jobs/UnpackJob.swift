internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks containers, one file or folder each.
struct UnpackJob {
  let settings: Settings
  /// Which files of a folder; none means all.
  let only: [String]

  func run(_ task: Task) throws(Failure) {
    if task.isPlainCopy { return try PlainCopy(settings).run(task) }
    let operand = task.operand
    let input = try Input(
      operand, found: task.found, force: settings.force, forRemoval: settings.removesSource, takesURLs: true)
    try input.checkIsNoTerminal(force: settings.force)
    let isFolder = try attemptLibrary(input.name) { () throws(SwzipError) in try input.beginsFolder() }
    if isFolder { return try FolderUnpackJob(settings: settings, only: only).run(task, input) }
    if !only.isEmpty { throw .refused(input.name, "it holds a single file, without a name; drop --only") }
    let target = try settings.unpackTarget(task)
    guard var work = try Work(settings, operand, to: target, .original, { input }) else { return }
    // The index tells the size in advance; it is not kept: unpacking reads it again, and says why where it cannot be read.
    let index = try? input.source.random.map { try Container($0) }
    let tensorCount = index?.tensorCount
    work.expected = index.map { $0.members.reduce(0) { $0 &+ $1.byteCount } }
    let bases = try settings.bases.allowed()
    let replacesBase = try settings.bases.include(target)
    try work.run(
      Output(target, expected: work.expected, settings), counting: work.expected, copying: input.status,
      make: { (output, progress) throws(SwzipError) in
        try unpack(from: input.source, to: output.sink, bases: bases, threads: settings.threads, progress: progress)
      },
      prove: { (_, report) throws(Failure) in
        if replacesBase { return try Comparison.run(target.name, checksum: report.checksum) }
        let comparison = Comparison(bases: bases, threads: settings.threads)
        try comparison.run(Comparison.reopen(input.name), Comparison.reopen(target.name), target.name)
      },
      summary: { _, report, seconds in
        var summary = Work.Summary(input.name, report, seconds)
        if settings.console.verbose > 0, let checksum = report.checksum {
          summary.lines.append("  XXH3-128 \(checksum)")
        }
        summary.fields["checksum"] = .digest(report.checksum)
        if let tensorCount { summary.fields["tensors"] = .integer(UInt64(tensorCount)) }
        return summary
      })
  }
}

extension Work.Summary {
  init(_ name: String, _ report: UnpackReport, _ seconds: Double) {
    self.init(name, "swz", raw: report.rawByteCount, packed: report.packedByteCount, seconds, unpacks: true)
  }
}

extension Settings {
  /// Where a container is unpacked to: its name without `.swz`, unless the options say otherwise.
  func unpackTarget(_ task: Task) throws(Failure) -> Target {
    let name = task.operand.name
    guard !writesToStdout, output == nil else { return try target(task, named: "", own: "") }
    guard let own = (HTTPSource.isURL(name) ? task.name : name).withoutSuffix(PackJob.suffix), splitPath(own) != nil
    else {
      throw .refused(name, "its name does not end in .swz; name the output with -o, or write to stdout with -c")
    }
    return try target(task, named: task.name.withoutSuffix(PackJob.suffix) ?? task.name, own: own)
  }
}
