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

  @OptionGroup var report: ReportOptions

  func run() throws {
    let settings = try Settings(files: files, report: report, work: nil)
    let level = try Settings.level(level)
    let style = Style()
    try forEach(settings.operands, settings.console) { operand throws(Failure) in
      let input = try Input(operand, force: false, takesURLs: true)
      let inspection = try attemptLibrary(input.name) { () throws(SwzipError) in try inspect(input, level) }
      if report.json { return settings.console.emit(inspection.json) }
      writeOut(InspectionText(inspection: inspection, style: style, showsAll: report.verbose > 0).text)
    }
  }

  private func inspect(_ input: Input, _ level: Int) throws(SwzipError) -> Inspection {
    let source = try input.source.atRandom()
    if input.isContainer { return Inspection(input.name, try Container(source)) }
    return Inspection(input.name, byteCount: source.byteCount, try predict(source, level: level))
  }
}
