internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show tensors, types and what packing saves, or would save.",
    discussion: "Reads containers and models. Layers that differ in their number only share a line; -v shows each.")

  @Argument(help: ArgumentHelp("Containers or models.", valueName: "file"))
  var files: [String]

  @Flag var level: [LevelFlag] = []

  @Flag(help: "Write one page for browsers, which needs nothing else: where the bytes are, and what packs badly.")
  var html = false

  @OptionGroup var page: PageOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    if html, files.count != 1 { throw ValidationError("--html makes a page of one file") }
    let settings = try page.settings(of: files, html: html, report)
    let level = try Settings.level(level)
    let style = Style()
    try forEach(settings.operands, settings.console) { operand throws(Failure) in
      guard !html else {
        return try page.write(settings, operand, opening: { () throws(Failure) in try open(operand) }) {
          input throws(Failure) in
          guard let input else { return "" }
          return InspectionPage(try inspect(input, level)).html
        }
      }
      let inspection = try inspect(open(operand), level)
      if report.json { return settings.console.emit(inspection.json) }
      writeOut(InspectionText(inspection: inspection, style: style, showsAll: report.verbose > 0).text)
    }
  }

  private func open(_ operand: Operand) throws(Failure) -> Input {
    try Input(operand, force: false, takesURLs: true)
  }

  private func inspect(_ input: Input, _ level: Int) throws(Failure) -> Inspection {
    try attemptLibrary(input.name) { () throws(SwzipError) in
      let source = try input.source.atRandom()
      if input.isContainer { return Inspection(input.name, try Container(source)) }
      return Inspection(input.name, byteCount: source.byteCount, try predict(source, level: level))
    }
  }
}
