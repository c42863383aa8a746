internal import ArgumentParser

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Decode everything and compare every checksum; write nothing.")

  @Argument(help: ArgumentHelp("Containers; - is stdin.", valueName: "file"))
  var files: [String] = []

  @OptionGroup var base: BaseOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws { try Verify.run(files, base, work, report) }

  static func run(_ files: [String], _ base: BaseOptions, _ work: WorkOptions, _ report: ReportOptions) throws {
    let settings = try Settings(files: files, report: report, work: work, base: base)
    try forEach(settings.operands, settings.console, VerifyJob(settings: settings).run)
  }
}
