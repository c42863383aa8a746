internal import ArgumentParser
internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames

extension ArchiveVerbs {
  struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Make an archive: a new or empty folder.")

    @OptionGroup var place: ArchiveArgument
    @OptionGroup var report: ReportOptions

    func run() throws {
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let archive = try attemptLibrary(path) { () throws(SwzipError) in try Archive.create(path) }
        console.note("\(path.printable) : an archive, \(archive.identity.id)")
        console.emit(["path": .string(path), "id": .digest(archive.identity.id)])
      }
    }
  }

  struct Add: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a checkpoint: a folder with all that is in it, or a file.",
      discussion: """
        Ends with 0 when it is on the disk, and has been read again from there and decoded. Of the checkpoint before and the \
        one that this goes back to, it becomes differences to that with which it is smaller, or stands alone. What is there \
        for this step already is not added again; other files of the same step become its next attempt. A checkpoint that is not \
        complete, or that somebody writes to, is refused: shards that an index names, .metadata of distributed checkpoints, \
        trainer_state.json of the Trainer's, files that are cut short. With --rm the original goes once that is done, if it is what it \
        was then; a link is never followed there, and nothing goes that was not added.
        """)

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "path"))
    var path: String

    @Option(
      help: ArgumentHelp("Its step, where its name (checkpoint-500, step_500 …) does not say it.", valueName: "n"))
    var step: UInt64?

    @Flag(name: .customLong("key"), help: "Let it stand alone.")
    var standsAlone = false

    @Flag(name: .customLong("as-is"), help: "Add it whatever seems to be missing.")
    var takesIncomplete = false

    @Flag(name: .customLong("rm"), help: "Remove the original after the archive is proved to hold it.")
    var removesSource = false

    @OptionGroup var adding: AddingOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard !path.isEmpty else { throw ValidationError("a file name is empty") }
      let settings = try Settings(files: [path], report: report, work: work)
      var options = try adding.options(settings)
      options.standsAlone = standsAlone
      options.takesIncomplete = takesIncomplete
      let job = AddJob(settings: settings, options: options, step: step, removesSource: removesSource)
      try inArchive(place.archive, report.console) { archive, _ throws(Failure) in try job.run(archive, path) }
    }
  }
}

/// How checkpoints are packed.
struct AddingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Restoring reads through at most so many other containers; 0: none.", valueName: "n"))
  var maxDepth = 8

  @Flag var level: [LevelFlag] = []

  mutating func validate() throws {
    guard (0...63).contains(maxDepth) else { throw ValidationError("--max-depth is 0 to 63") }
  }

  func options(_ settings: Settings) throws -> AddOptions {
    var packing = PackOptions()
    packing.level = try Settings.level(level)
    packing.threads = settings.threads
    var options = AddOptions(packing)
    options.mostDepth = maxDepth
    return options
  }
}

/// Runs a verb on an archive, named without slashes at its end.
func inArchive(
  _ path: String, _ console: Console, _ work: (String, Console) throws(Failure) -> Void
) throws(Finished) {
  var path = path
  while path.utf8.count > 1, let shorter = path.withoutSuffix("/") { path = shorter }
  try forEach([path], console) { path throws(Failure) in try work(path, console) }
}

/// The archive at a path.
func openArchive(_ path: String) throws(Failure) -> Archive {
  try attemptLibrary(path) { () throws(SwzipError) in try Archive(path) }
}
