internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct List: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what containers hold; with -v each tensor.")

  @Argument(help: ArgumentHelp("Containers.", valueName: "file"))
  var files: [String] = []

  @OptionGroup var report: ReportOptions

  func run() throws { try List.run(files, report) }

  static func run(_ files: [String], _ report: ReportOptions) throws {
    let settings = try Settings(files: files, report: report, work: nil)
    let style = Style()
    var listing = Listing()
    // Lines wait for each other to share columns; with -v each file has tables of its own.
    defer { if !report.json, report.verbose == 0 { listing.flush(style) } }
    try forEach(settings.operands, settings.console) { operand throws(Failure) in
      let input = try Input(operand, force: false, takesURLs: true)
      let file = try attemptLibrary(input.name) { () throws(SwzipError) in try Container(input.source.atRandom()) }
      if report.json { return settings.console.emit(Listing.json(input.name, file)) }
      listing.add(input.name, file)
      if report.verbose > 0 {
        listing.flush(style)
        writeOut(Listing.details(file, style))
      }
    }
  }
}
