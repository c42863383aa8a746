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
        complete, or that somebody writes to, is refused: shards and parts that an index names, a file of each rank, what the Trainer, \
        accelerate, DeepSpeed, FSDP, Lightning, Megatron, torchtitan or verl write last, files that are cut short. With --rm the original goes once \
        that is done, if it is what it was then; a link is never followed there, and nothing goes that was not added.

        Ranks add a sharded checkpoint together, each with --part I/N, I from 0, on any machines, in any order. All see one folder: \
        each takes the files that its ranks wrote, by their names (__I_0.distcp, rng_state_I.pth …), and part 0 the rest. Or each has a \
        folder of its own, all of which it takes: then --group names what was saved, with the same new word on all ranks, such as \
        $SLURM_JOB_ID-$SLURM_RESTART_COUNT. Until all parts are there list says how many are, and latest is another checkpoint.

        --moments relative:2^-8 or update:1/64 keeps the moments of optimizers (exp_avg and exp_avg_sq, of type fp32) within a bound \
        only, which is checked for each value: each within 2^-8 of itself, or the update that both make within 1/64 of the \
        learning rate, and exp_avg_sq within 1/16 of itself. Weights and all else stay exact. Every verb says which \
        files are not.
        """)

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("The checkpoint.", valueName: "path"))
    var path: String

    @Option(
      help: ArgumentHelp("Its step, where its name (checkpoint-500, step_500 …) does not say it.", valueName: "n"))
    var step: UInt64?

    @Flag(name: .customLong("key"), help: "Let it stand alone.")
    var standsAlone = false

    @Option(help: ArgumentHelp("Add part I of N alone, I from 0: the files of its ranks.", valueName: "i/n"))
    var part: String?

    @Option(
      help: ArgumentHelp("The folder is all of this part, of the parts added with this word.", valueName: "word"))
    var group: String?

    @Flag(name: .customLong("as-is"), help: "Add it whatever seems to be missing.")
    var takesIncomplete = false

    @Option(
      help: ArgumentHelp(
        "Keep the moments of optimizers exactly, the default, or within relative:2^-8 or update:1/64.",
        valueName: "bound"))
    var moments = MomentPolicy.exact

    @Flag(name: .customLong("rm"), help: "Remove the original after the archive is proved to hold it.")
    var removesSource = false

    @Flag(help: "With --rm, of an original that --moments did not keep exactly too.")
    var allowInexactRemoval = false

    @OptionGroup var adding: AddingOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard !path.isEmpty else { throw ValidationError("a file name is empty") }
      let settings = try Settings(files: [path], report: report, work: work)
      var options = try adding.options(settings)
      options.standsAlone = standsAlone
      options.takesIncomplete = takesIncomplete
      options.part = try partOption()
      options.moments = moments
      if removesSource, options.part != nil, group == nil {
        throw ValidationError("--rm would remove files of other parts too; it goes with --part only beside --group")
      }
      let job = AddJob(
        settings: settings, options: options, step: step, removesSource: removesSource,
        removesInexact: allowInexactRemoval)
      try inArchive(place.archive, report.console) { archive, _ throws(Failure) in try job.run(archive, path) }
    }

    private func partOption() throws -> PartOption? {
      guard let part else {
        guard group == nil else { throw ValidationError("--group goes with --part") }
        return nil
      }
      let numbers = part.split(separator: "/", omittingEmptySubsequences: false).map { UInt16($0) }
      guard numbers.count == 2, let number = numbers[0], let count = numbers[1], group != "",
        let option = PartOption(number: number, count: count, group: group)
      else {
        throw ValidationError(
          "--part is I/N, I from 0 and below N, N at most \(ContainerName.mostParts), and --group a word")
      }
      return option
    }
  }
}

extension MomentPolicy: ExpressibleByArgument {}

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
