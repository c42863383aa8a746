internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Packs what the last of several deltas leads to as differences to the base of the first.
struct FoldJob {
  let settings: Settings
  let options: PackOptions
  /// In order; at least one.
  let deltas: [String]
  /// The base of the first, and what else the deltas need.
  let bases: [String]

  func run(_ task: Task) throws(Failure) {
    let target = try settings.target(task, named: task.name, own: task.name)
    try target.check(against: nil, force: settings.force)
    try NamedBases(bases + deltas).check(target)
    let allowed = try NamedBases(bases + deltas.dropLast()).allowed()
    let source = try NamedBases.original(task.operand.name, allowed)
    let base = try NamedBases(bases).base(ofFile: task.name)
    guard !settings.dryRun else { return settings.announce(task.operand.name, byteCount: source.byteCount, target) }
    let output = try Output(target, expected: nil, force: settings.force)
    let report: PackReport
    do throws(SwzipError) {
      report = try pack(from: source, base: base?.packBase, to: output.sink, options: options)
    } catch {
      throw Failure(error, reading: task.operand.name, writing: output.name, output.sink)
    }
    try base?.checkUnchanged()
    let durability = try output.finish(
      copying: nil, readableAs: NamedBases(deltas + bases).named(), force: settings.force)
    for warning in report.warnings { settings.console.warn(task.operand.name, warning) }
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    if !settings.writesToStdout || settings.console.verbose > 0 {
      settings.console.note(
        "\(output.name.printable) : \(formatRatio(packed, of: raw)) (\(formatSize(raw)) => \(formatSize(packed)))")
    }
    settings.console.emit([
      "path": .string(task.operand.name), "out": .string(output.name), "in_bytes": .integer(raw),
      "out_bytes": .integer(packed), "ratio": ratio(packed, of: raw), "checksum": .string(report.checksum),
    ])
    try requireDurable(durability, output.name)
  }
}
