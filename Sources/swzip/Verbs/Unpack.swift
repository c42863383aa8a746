internal import ArgumentParser

struct Unpack: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Unpack containers: model.safetensors.swz to model.safetensors.")

  @Argument(help: ArgumentHelp("Containers; - is stdin.", valueName: "file"))
  var files: [String] = []

  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws { try Unpack.run(files, output, work, report) }

  static func run(_ files: [String], _ output: OutputOptions, _ work: WorkOptions, _ report: ReportOptions) throws {
    let settings = try Settings(
      files: files, report: report, work: work, output: output, takesOneInputToStdout: false)
    try forEach(settings.operands, settings.console, UnpackJob(settings: settings).run)
  }
}
