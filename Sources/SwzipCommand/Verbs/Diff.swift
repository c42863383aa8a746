internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what changed from one version of a file or folder to another, tensor by tensor.",
    discussion: """
      Both may be packed. CHANGED is the share of values that differ; 1, 2, 4, 8 … are the shares of all values that went \
      so many units in the last place, or up to twice as many; DELTA is what a tensor of 4 KiB or more would take with \
      pack --base OLD. Folders, or containers of such, go file by file; links out of a folder are not followed. Exit code 0 \
      whether they differ or not.
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
    var folders: FolderComparison?
    try forEach([()], report.console) { () throws(Failure) in
      let allowed = try NamedBases(base.paths).allowed()
      folders = try differ(DiffSide(old, allowed), DiffSide(new, allowed), level)
    }
    try folders?.run()
  }

  /// Compares two files; returns what compares two folders.
  private func differ(_ before: DiffSide, _ after: DiffSide, _ level: Int) throws(Failure) -> FolderComparison? {
    let all = all || report.verbose > 0
    switch (before, after) {
    case (.file(let before), .file(let after)):
      let found = try attemptLibrary(new) { () throws(SwzipError) in try compare(before, after, level: level) }
      let comparison = ComparisonText(found)
      if report.json {
        report.console.emit(["old": .string(old), "new": .string(new), "tensors": comparison.json])
      } else {
        writeOut(comparison.text(Style(), all: all))
      }
      return nil
    case (.folder(let before), .folder(let after)):
      return FolderComparison(before, after, level: level, all: all, console: report.console)
    default: throw .refused(new, "one is a folder, the other a file; name two files or two folders")
    }
  }
}
