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

  @Option(name: .shortAndLong, help: ArgumentHelp("Write the page to this file instead of stdout.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace an existing page; write to a terminal.")
  var force = false

  @OptionGroup var report: ReportOptions

  func run() throws {
    var settings = try Settings(files: files, report: report, work: nil)
    let level = try Settings.level(level)
    if html {
      guard files.count == 1 else { throw ValidationError("--html makes a page of one file") }
      if report.json { throw ValidationError("--html and --json are two forms of one answer; choose one") }
      settings.output = output == "-" ? nil : output
      settings.force = force
    } else if output != nil || force {
      throw ValidationError("-o and -f are about the page of --html; name that too")
    }
    let style = Style()
    try forEach(settings.operands, settings.console) { [settings] operand throws(Failure) in
      if html { return try writePage(operand, level, settings) }
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

  private func writePage(_ operand: Operand, _ level: Int, _ settings: Settings) throws(Failure) {
    let target = settings.output.map { Target.path($0) } ?? .standardOutput
    let work = try Work(settings, operand, to: target, .page) { () throws(Failure) in try open(operand) }
    guard let work, let input = work.input else { return }
    let page = Array(InspectionPage(try inspect(input, level)).html.text.utf8)
    try work.run(
      Output(target, expected: UInt64(page.count), settings), counting: nil,
      make: { (output, _) throws(SwzipError) in try output.sink.write(page) },
      summary: { _, _, _ in Work.Summary() })
  }
}
