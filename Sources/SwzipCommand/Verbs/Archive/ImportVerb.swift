internal import ArgumentParser
internal import SwzipArchive
internal import SwzipCore

extension ArchiveVerbs {
  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add checkpoints that exist already: folders, folders of them, and tar files.",
      discussion: """
        By step, which their names say; what is there already is not added again. A tar file (.tar, .tar.zst, .tar.gz; of one checkpoint, \
        or of several folders) is read by libarchive, and unpacked beside the archive first. With --rm each original goes once \
        the archive is proved to hold it: a tar file is read twice for that, and stays if a file in it belongs to no checkpoint.
        """)

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("Checkpoints, folders of them, or tar files.", valueName: "path"))
    var paths: [String]

    @Flag(name: .customLong("rm"), help: "Remove each original after the archive is proved to hold it.")
    var removesSource = false

    @OptionGroup var adding: AddingOptions
    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard !paths.contains("") else { throw ValidationError("a file name is empty") }
      let console = report.console
      let options = try adding.options(Settings(files: paths, report: report, work: work))
      var archive: Archive?
      try inArchive(place.archive, console) { path, _ throws(Failure) in archive = try openArchive(path) }
      guard let archive else { return }
      let importer = Importer(Adder(archive, options), removesSource: removesSource)
      var (sources, failures): ([Importer.Source], [Failure]) = ([], [])
      for path in paths {
        do throws(Failure) {
          sources += try attemptLibrary(path) { () throws(SwzipError) in try Importer.sources(at: path) }
        } catch { failures.append(error) }
      }
      sources.sort { ($0.step ?? .max) < ($1.step ?? .max) }
      try forEach(sources, console, failures: failures) { source throws(Failure) in
        try attemptLibrary(source.path) { () throws(SwzipError) in
          try importer.run(source) { name, added, seconds in added.say(name, seconds, console) }
        }
        if removesSource { console.sayRemoved(source.path) }
      }
    }
  }
}
