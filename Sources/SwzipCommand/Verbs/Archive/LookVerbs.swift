internal import ArgumentParser
internal import SwzipArchive
internal import SwzipCore

extension ArchiveVerbs {
  struct ListAll: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "list", abstract: "Say which checkpoints there are, and what they take.",
      discussion: """
        DEPTH is the number of other containers that one is read through, BASE the checkpoints that it is differences to; one that \
        lacks a base has no depth, and cannot be restored before that is there.
        """)

    @OptionGroup var place: ArchiveArgument

    @Flag(help: "Those that are forgotten, but not pruned yet.")
    var forgotten = false

    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        try ArchiveListing(path).list(forgotten: forgotten, console)
      }
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what a checkpoint holds: files, tensors with -v, what it needs.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT, a tag, id:HEX or latest.", valueName: "checkpoint"))
    var checkpoint: String

    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        try ArchiveListing(path).show(checkpoint, console)
      }
    }
  }

  struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say what the archive takes, and what pruning would free.")

    @OptionGroup var place: ArchiveArgument
    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        try ArchiveListing(path).stats(console)
      }
    }
  }
}
