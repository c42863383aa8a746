internal import Swzip
internal import SwzipCore

/// Packs what the last of several deltas leads to as differences to the base of the first.
struct FoldJob {
  let settings: Settings
  let options: PackOptions
  /// In order; at least one.
  let deltas: [String]
  /// The base of the first, and what else the deltas need.
  let bases: [String]

  func run(_ task: Task) throws(Failure) {
    // None of them may be replaced, and who may not read each may not read what is made of them.
    var settings = settings
    settings.bases = NamedBases(deltas + bases)
    let target = try settings.target(task, named: task.name, own: task.name)
    guard var work = try Work(settings, task.operand, to: target, .container) else { return }
    let allowed = try NamedBases(bases + deltas.dropLast()).allowed()
    let source = try NamedBases.original(task.operand.name, allowed)
    work.byteCount = source.byteCount
    try work.makeContainer(of: source, against: NamedBases(bases).base(ofFile: task.name), options)
  }
}
