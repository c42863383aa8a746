internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct Delta: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Make, apply and fold differences between two versions of a file.",
    discussion: """
      A delta is a container that was packed with --base, so unpack, verify, list, inspect and cat take it too. Versions \
      may be plain or packed.
      """,
    subcommands: [Make.self, Apply.self, Show.self, Fold.self])

  struct Make: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Pack a file as differences to another version: pack --base BASE NEW.")

    @Argument(help: ArgumentHelp("The version that who applies the delta has; or a folder.", valueName: "base"))
    var base: String

    @Argument(help: ArgumentHelp("The version that the delta leads to.", valueName: "new"))
    var new: String

    @OptionGroup var packing: PackingOptions
    @OptionGroup var further: BaseOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      try Pack.run([new], packing, further.behind([base]), SelectionOptions.parse([]), output, work, report)
    }
  }

  struct Apply: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Unpack a delta: unpack --base BASE DELTA.",
      discussion: """
        With --in-place the new version takes the name of the base, in one step and not before it is complete and verified. \
        A base that is another version, an applied one too, is refused with exit code 4.
        """)

    @Argument(help: ArgumentHelp("The version that the delta was made against; or a folder.", valueName: "base"))
    var base: String

    @Argument(help: ArgumentHelp("The delta.", valueName: "delta"))
    var delta: String

    @Flag(help: "Replace the base.")
    var inPlace = false

    @OptionGroup var unpacking: UnpackingOptions
    @OptionGroup var further: BaseOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      var output = output
      if inPlace {
        guard output.output == nil, output.outputDir == nil, !output.stdout else {
          throw ValidationError("--in-place and another output contradict each other")
        }
        try forEach([base], report.console, Delta.requirePlainFile)
        output.output = base
        output.force = true
      }
      try Unpack.run(
        [delta], only: [], unpacking, further.behind([base]), SelectionOptions.parse([]), output, work, report)
    }
  }

  /// Only a plain file can be replaced by its next version.
  private static func requirePlainFile(_ path: String) throws(Failure) {
    let input = try Input(.path(path), force: false)
    if input.isContainer {
      throw .refused(path, "it is packed, and its next version would not be; name an output with -o")
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "inspect", abstract: "Say what a delta holds, tensor by tensor, and what it needs.")

    @Argument(help: ArgumentHelp("The delta.", valueName: "delta"))
    var delta: String

    @OptionGroup var report: ReportOptions

    func run() throws {
      var report = report
      report.verbose = 1
      try List.run([delta], report)
    }
  }

  struct Fold: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make one delta of several that follow each other.",
      discussion: "The result leads from the base of the first to the version of the last; it needs that base only.")

    @Argument(help: ArgumentHelp("The base of the first delta.", valueName: "base"))
    var base: String

    @Argument(help: ArgumentHelp("The deltas, in order.", valueName: "delta"))
    var deltas: [String]

    @OptionGroup var packing: PackingOptions
    @OptionGroup var further: BaseOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard deltas.count > 1 else { throw ValidationError("name two deltas at least") }
      guard let last = deltas.last else { return }
      let named = further.behind([base])
      let settings = try Settings(
        files: [last], .parse([]), report: report, work: work, output: output, base: named, takesOneInputToStdout: true)
      guard !settings.removesSource else { throw ValidationError("--rm would remove a delta of several; drop it") }
      guard settings.output != nil || settings.writesToStdout else { throw ValidationError("name the output with -o") }
      let job = try FoldJob(
        settings: settings, options: packing.options(settings), deltas: deltas, bases: named.paths)
      try forEach([Task(operand: Operand(last), name: lastPart(last))], settings.console, job.run)
    }
  }
}

extension BaseOptions {
  /// These paths behind others.
  fileprivate func behind(_ first: [String]) -> BaseOptions {
    var all = self
    all.paths = first + paths
    return all
  }
}
