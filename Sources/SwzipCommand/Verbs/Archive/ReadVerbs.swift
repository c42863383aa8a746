internal import ArgumentParser
internal import Swzip
internal import SwzipArchive
internal import SwzipCore

extension ArchiveVerbs {
  struct Restore: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Bring a checkpoint back, as a folder.",
      discussion: """
        The folder appears complete or not at all; into one that exists goes file after file, none of which may exist without -f. \
        Every hash is compared, the SHA-256 of each file too. latest is the newest that can be restored. The parts that ranks added come \
        together in the folder. With --partial a file of which something is damaged, or lacks a base, becomes NAME.partial with zeros \
        for it, NAME.partial.json lists these ranges, and the end is 3.
        """)

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT, a tag, id:HEX or latest.", valueName: "checkpoint"))
    var checkpoint: String

    @Option(name: .shortAndLong, help: ArgumentHelp("The folder to restore it to.", valueName: "folder"))
    var output: String

    @Option(help: ArgumentHelp("Only files whose path or name fits; may be repeated.", valueName: "glob"))
    var only: [String] = []

    @Option(help: ArgumentHelp("Only this part of one that ranks added, be others missing.", valueName: "i"))
    var part: UInt16?

    @Flag(help: "Restore what can be read of a damaged checkpoint.")
    var partial = false

    @Flag(name: .shortAndLong, help: "Replace files that exist.")
    var force = false

    @OptionGroup var work: WorkOptions
    @OptionGroup var report: ReportOptions

    func run() throws {
      guard !output.isEmpty, output != "-" else { throw ValidationError("-o names a folder") }
      var settings = try Settings(files: [place.archive], report: report, work: work)
      settings.output = output
      settings.force = force
      let run =
        partial
        ? PartialRestoreJob(settings: settings, only: only, part: part).run
        : RestoreJob(settings: settings, only: only, part: part).run
      try inArchive(place.archive, report.console) { path, _ throws(Failure) in try run(path, checkpoint, output) }
    }
  }

  struct Extract: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Write the raw bytes of tensors, or of files, of a checkpoint.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("STEP, STEP@ATTEMPT, a tag, id:HEX or latest.", valueName: "checkpoint"))
    var checkpoint: String

    @Argument(
      help: ArgumentHelp("Names of tensors, as show -v has them; also FILE, or FILE:TENSOR.", valueName: "tensor"))
    var tensors: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file instead of stdout.", valueName: "file"))
    var output: String?

    @Flag(name: .shortAndLong, help: "Replace an existing output; write to a terminal.")
    var force = false

    func run() throws {
      var settings = try Settings(files: [place.archive], report: .parse([]), work: nil)
      settings.output = output
      settings.force = force
      try inArchive(place.archive, settings.console) { [settings] path, _ throws(Failure) in
        let open = try openCheckpoint(path, checkpoint, settings.console)
        for line in open.parts.flatMap({ $0.stored.inexact?.lines ?? [] }) { settings.console.warn(path, line) }
        try Cat.write(Operand(path), settings) { () throws(SwzipError) in
          try Cat.find(tensors, in: open.parts.map(\.container))
        }
      }
    }
  }

  struct Differ: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "diff", abstract: "Say what changed from one checkpoint to another: as swzip diff does of folders.")

    @OptionGroup var place: ArchiveArgument

    @Argument(help: ArgumentHelp("The checkpoint before.", valueName: "old"))
    var old: String

    @Argument(help: ArgumentHelp("The checkpoint after.", valueName: "new"))
    var new: String

    @Flag(name: .shortAndLong, help: "Files and tensors that are equal too.")
    var all = false

    @Flag var level: [LevelFlag] = []

    @OptionGroup var report: ReportOptions

    func run() throws {
      let level = try Settings.level(level)
      var comparison: FolderComparison?
      try inArchive(place.archive, report.console) { path, console throws(Failure) in
        let sides = try (openCheckpoint(path, old, console), openCheckpoint(path, new, console))
        comparison = FolderComparison(
          DiffSide.files(of: sides.0.parts.map(\.container)), DiffSide.files(of: sides.1.parts.map(\.container)),
          level: level,
          all: all || report.verbose > 0, console: console)
      }
      try comparison?.run()
    }
  }
}

/// Opens a checkpoint, or a part of it; warns of newer ones that `latest` had to pass over.
func openCheckpoint(
  _ path: String, _ word: String, part: UInt16? = nil, _ console: Console
) throws(Failure) -> OpenCheckpoint {
  let archive = try openArchive(path)
  let open = try attemptLibrary(path) { () throws(SwzipError) in
    let open = try archive.open(word, part: part)
    try open.checkNames()
    return open
  }
  for line in open.passedOver { console.warn(path, line) }
  return open
}
