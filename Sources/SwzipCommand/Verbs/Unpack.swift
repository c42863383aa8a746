internal import ArgumentParser

struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Unpack containers: model.safetensors.swz to model.safetensors.",
    discussion: """
      The container of a folder gives the folder, complete or not at all; into a folder that exists it gives file after \
      file, none of which may exist without -f. -r unpacks each container below the named folders beside it.
      """)

  @Argument(help: ArgumentHelp("Containers; - is stdin.", valueName: "file"))
  var files: [String] = []

  @Option(help: ArgumentHelp("From a folder, only files whose path or name fits; may be repeated.", valueName: "glob"))
  var only: [String] = []

  @OptionGroup var unpacking: UnpackingOptions
  @OptionGroup var base: BaseOptions
  @OptionGroup var selection: SelectionOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws { try Unpack.run(files, only: only, unpacking, base, selection, output, work, report) }

  static func run(
    _ files: [String], only: [String], _ unpacking: UnpackingOptions, _ base: BaseOptions,
    _ selection: SelectionOptions, _ output: OutputOptions, _ work: WorkOptions, _ report: ReportOptions
  ) throws {
    if output.removesSource, !only.isEmpty { throw ValidationError("--rm needs all files: drop --only") }
    var settings = try Settings(
      files: files, selection, report: report, work: work, output: output, base: base,
      takesOneInputToStdout: false)
    settings.holes = unpacking.holes
    let list = FileList(settings, .unpack)
    try forEach(
      list.tasks, settings.console, failures: list.failures, UnpackJob(settings: settings, only: only).run)
  }
}
