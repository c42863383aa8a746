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

    @Flag(
      help: """
        Write one page for browsers, which needs nothing else: what each checkpoint takes, of which kinds of tensors, and how much \
        each layer changed.
        """)
    var html = false

    @OptionGroup var page: PageOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      let settings = try page.settings(of: [place.archive], html: html, report)
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let listing = try ArchiveListing(path)
        guard html else { return try listing.stats(console) }
        try page.write(settings, Operand(path)) { _ throws(Failure) in try listing.page().html }
      }
    }
  }
}
