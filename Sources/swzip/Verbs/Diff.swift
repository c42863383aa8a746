internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what changed from one version of a file to another, tensor by tensor.",
    discussion: """
      Both may be packed. CHANGED is the share of values that differ; 1, 2, 4, 8 … are the shares of all values that went \
      so many units in the last place, or up to twice as many; DELTA is what the tensor would take with pack --base OLD. \
      Exit code 0 whether they differ or not.
      """)

  @Argument(help: ArgumentHelp("The version before, plain or packed.", valueName: "old"))
  var old: String

  @Argument(help: ArgumentHelp("The version after.", valueName: "new"))
  var new: String

  @Flag(name: .shortAndLong, help: "Tensors that are equal too.")
  var all = false

  @Flag var level: [LevelFlag] = []

  @OptionGroup var base: BaseOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    let level = try Settings.level(level)
    try forEach([()], report.console) { () throws(Failure) in
      let allowed = try NamedBases(base.paths).allowed()
      let (before, after) = (try NamedBases.original(old, allowed), try NamedBases.original(new, allowed))
      let found = try attemptLibrary(new) { () throws(SwzipError) in try compare(before, after, level: level) }
      let comparison = ComparisonText(found)
      if report.json { return report.console.emit(comparison.json(old, new)) }
      writeOut(comparison.text(Style(), all: all || report.verbose > 0))
    }
  }
}
