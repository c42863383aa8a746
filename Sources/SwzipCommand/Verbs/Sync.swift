internal import ArgumentParser
internal import Swzip

struct Sync: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish versions of a file in a folder, and follow them.",
    discussion: """
      The folder is an archive, as swzip archive has them, whose steps are the versions: one container each, complete or not \
      there, never changed, which stands alone or holds the differences to the version before. Any copy of the folder serves, in \
      whatever order its files arrive; either side may be killed at any moment. Both print the number of the version.
      """,
    subcommands: [Publish.self, Follow.self])

  struct Publish: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add the next version of a file to a folder.",
      discussion: """
        What no version needs that is kept is removed, at once. So the folder is one that publish made: an archive of checkpoints \
        is refused.
        """)

    @Argument(help: ArgumentHelp("The folder, made if it is not there.", valueName: "folder"))
    var folder: String

    @Argument(help: ArgumentHelp("The file.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("Every so many versions stands alone.", valueName: "n"))
    var anchorEvery: UInt64 = 16

    @Option(help: ArgumentHelp("So many of the last versions can be reached.", valueName: "n"))
    var keep: UInt64 = 64

    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard anchorEvery > 0, keep > 0 else { throw ValidationError("--anchor-every and --keep are numbers from 1 on") }
      let settings = try Sync.settings(file, report, work)
      var packing = try PackingOptions.parse([])
      packing.storesSHA256 = true
      let job = PublishJob(
        settings: settings, options: try packing.options(settings), anchorEvery: anchorEvery, keep: keep)
      try Sync.run(folder, file, report.console, job.run)
    }
  }

  struct Follow: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bring a file up to the newest version in a folder that can be reached.",
      discussion: """
        Where the file is an earlier version, only the steps since are read, else those since the last anchor. It is \
        replaced in one step, by a version whose every hash is right, and keeps its content if there is none: exit code 4.
        """)

    @Argument(help: ArgumentHelp("The folder that is published to, or a copy of it.", valueName: "folder"))
    var folder: String

    @Argument(help: ArgumentHelp("The file, made if it is not there.", valueName: "file"))
    var file: String

    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      let job = FollowJob(settings: try Sync.settings(file, report, work))
      try Sync.run(folder, file, report.console, job.run)
    }
  }

  /// What packing and unpacking say otherwise is left out.
  private static func settings(_ file: String, _ report: ReportOptions, _ work: WorkOptions) throws -> Settings {
    var settings = try Settings(files: [file], report: report, work: work)
    settings.console = Console(quiet: max(1, report.quiet))
    return settings
  }

  private static func run(
    _ folder: String, _ file: String, _ console: Console, _ work: (String, String) throws(Failure) -> UInt64
  ) throws {
    guard !folder.isEmpty else { throw ValidationError("a folder name is empty") }
    try forEach([()], console) { () throws(Failure) in
      let version = try work(folder, file)
      if console.json { return console.emit(["path": .string(file), "version": .integer(version)]) }
      writeOut("\(version)\n")
    }
  }
}
