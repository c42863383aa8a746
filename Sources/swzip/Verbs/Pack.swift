internal import ArgumentParser

struct Pack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Pack files: model.safetensors to model.safetensors.swz.")

  @Argument(help: ArgumentHelp("Files; - is stdin.", valueName: "file"))
  var files: [String] = []

  @OptionGroup var packing: PackingOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws { try Pack.run(files, packing, output, work, report) }

  static func run(
    _ files: [String], _ packing: PackingOptions, _ output: OutputOptions, _ work: WorkOptions, _ report: ReportOptions
  ) throws {
    let settings = try Settings(
      files: files, report: report, work: work, output: output, takesOneInputToStdout: true)
    let job = try PackJob(settings, packing.options(settings))
    try forEach(settings.operands, settings.console, job.run)
  }
}
