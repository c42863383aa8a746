internal import ArgumentParser
internal import SwzipArchive

extension ArchiveVerbs {
  struct Watch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add the checkpoints that a job leaves in a folder, as it finishes them.",
      discussion: """
        Looks again and again, on any file system, at the folders and model files whose names say a step (checkpoint-500, step_500 …), \
        and adds those that are finished, by step: complete as add has it, with a file for each kind that the checkpoint before has, and \
        unchanged for --quiet-seconds, unless latest, latest_checkpointed_iteration.txt, STABLE or the file of --ready says that it is \
        finished. What changes while it is read is tried again. What does not work is said once, and tried again later; others go on. What \
        was forgotten in the archive since it was written is left alone. Links and marker files are no checkpoints.

        With --rm originals go once the archive is proved to hold them, but for the --keep newest, which the job may resume from, and \
        what latest, best, a link or another marker file points to. Any number of these may run; SIGTERM ends one at any moment.

        --once is for cron and the end of jobs: it ends when nothing in the folder settles any more, with 0 if the archive then holds all \
        of it, 2 if a checkpoint is not complete, else as what failed.
        """)

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("The folder that the job writes checkpoints to.", valueName: "folder"))
    var folder: String

    @Option(help: ArgumentHelp("Only what has a name like this, such as 'checkpoint-*'.", valueName: "glob"))
    var pattern: String?

    @Flag(name: .customLong("rm"), help: "Remove originals after the archive is proved to hold them.")
    var removesSource = false

    @Option(help: ArgumentHelp("With --rm, keep the originals of so many of the newest.", valueName: "n"))
    var keep = 1

    @Option(help: ArgumentHelp("A checkpoint is finished when it has a file of this name.", valueName: "name"))
    var ready: String?

    @Option(
      help: ArgumentHelp("A checkpoint without a mark is finished when it was the same for so long.", valueName: "s"))
    var quietSeconds = 30.0

    @Option(help: ArgumentHelp("Look every so many seconds.", valueName: "s"))
    var poll = 10.0

    @Flag(help: "Add what is there, and end.")
    var once = false

    @OptionGroup var adding: AddingOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard !folder.isEmpty else { throw ValidationError("a folder name is empty") }
      guard keep >= 0 else { throw ValidationError("--keep is a number from 0 on") }
      guard (0...86400).contains(quietSeconds), (0.01...86400).contains(poll) else {
        throw ValidationError("--quiet-seconds and --poll are seconds, at most a day")
      }
      let settings = try Settings(files: [folder], report: report, work: work)
      var watching = Watcher.Options()
      (watching.pattern, watching.readyName) = (pattern, ready)
      (watching.removes, watching.kept, watching.quietSeconds) = (removesSource, keep, quietSeconds)
      let job = WatchJob(console: report.console, adding: try adding.options(settings), watching: watching, poll: poll)
      try inArchive(place.archive, report.console) { path, _ throws(Failure) in
        try job.run(path, folder, isOnce: once)
      }
    }
  }
}
