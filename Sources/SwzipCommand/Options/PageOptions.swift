internal import ArgumentParser
internal import Swzip
internal import SwzipCore

/// Where the page of --html goes.
struct PageOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("Write the page to this file instead of stdout.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace an existing page; write to a terminal.")
  var force = false

  /// Refuses them where there is no page. `html`: whether one is wanted.
  func settings(of files: [String], html: Bool, _ report: ReportOptions) throws -> Settings {
    var settings = try Settings(files: files, report: report, work: nil)
    if html {
      if report.json { throw ValidationError("--html and --json are two forms of one answer; choose one") }
      settings.output = output == "-" ? nil : output
      settings.force = force
    } else if output != nil || force {
      throw ValidationError("-o and -f are about the page of --html; name that too")
    }
    return settings
  }

  /// Writes the page of an operand, which `open` opens where it is a file.
  func write(
    _ settings: Settings, _ operand: Operand, opening open: () throws(Failure) -> Input? = { nil },
    _ page: (Input?) throws(Failure) -> HTML
  ) throws(Failure) {
    let target = settings.output.map { Target.path($0) } ?? .standardOutput
    guard let work = try Work(settings, operand, to: target, .page, open) else { return }
    let bytes = Array(try page(work.input).text.utf8)
    try work.run(
      Output(target, expected: UInt64(bytes.count), settings), counting: nil,
      make: { (output, _) throws(SwzipError) in try output.sink.write(bytes) },
      summary: { _, _, _ in Work.Summary() })
  }
}
