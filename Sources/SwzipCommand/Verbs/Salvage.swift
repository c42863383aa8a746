internal import ArgumentParser

struct Salvage: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Save what can be read of a damaged container, to NAME.partial.",
    discussion: """
      Lost ranges are zero in the output. Of a folder, a folder with what is left of each file. Ends with 0 only if an index \
      was found that proves that all is there, else with 3.
      """)

  @Argument(help: ArgumentHelp("The damaged container.", valueName: "file"))
  var file: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace an existing output.")
  var force = false

  @OptionGroup var base: BaseOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    if output == "-" { throw ValidationError("salvage writes to a file") }
    var settings = try Settings(files: [file], report: report, work: nil, base: base)
    settings.output = output
    settings.force = force
    try forEach(settings.operands, settings.console, SalvageJob(settings: settings).run)
  }
}
