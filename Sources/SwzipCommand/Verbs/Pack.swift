internal import ArgumentParser

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack files: model.safetensors to model.safetensors.swz. Pack folders: model to model.swz.",
    discussion: """
      A folder becomes one container of all its files, with modes and times; what occurs twice in it is stored once. Links \
      within it come back as links, others are followed; empty folders are left out. With -r each file becomes a container of its own beside it, but for \
      *.swz and what loaders read as it is: JSON, text and vocabulary files below 16 MiB. With --base a file or folder is packed as differences to \
      another version of it where that is smaller; unpacking then needs that version.
      """)

  @Argument(help: ArgumentHelp("Files; - is stdin.", valueName: "file"))
  var files: [String] = []

  @OptionGroup var packing: PackingOptions
  @OptionGroup var base: BaseOptions
  @OptionGroup var selection: SelectionOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws { try Pack.run(files, packing, base, selection, output, work, report) }

  static func run(
    _ files: [String], _ packing: PackingOptions, _ base: BaseOptions, _ selection: SelectionOptions,
    _ output: OutputOptions, _ work: WorkOptions, _ report: ReportOptions
  ) throws {
    let settings = try Settings(
      files: files, selection, report: report, work: work, output: output, base: base,
      takesOneInputToStdout: true)
    let job = try PackJob(settings, packing.options(settings), storesTimes: !packing.skipsTimes)
    let list = FileList(settings, .pack(allFiles: packing.allFiles))
    try forEach(list.tasks, settings.console, failures: list.failures, job.run)
  }
}
