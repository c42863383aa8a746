internal import ArgumentParser

/// What `swzip` does without a verb: the letters of other compressors.
struct Filter: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "filter", abstract: "Pack, or what -d, -t and -l say.", shouldDisplay: false)

  @Argument(help: ArgumentHelp("Files; - is stdin.", valueName: "file"))
  var files: [String] = []

  @Flag(name: [.customShort("d"), .customLong("decompress")], help: "Unpack.")
  var unpacks = false

  @Flag(name: [.customShort("t"), .customLong("test")], help: "Verify.")
  var verifies = false

  @Flag(name: [.customShort("l"), .customLong("list")], help: "List.")
  var lists = false

  @OptionGroup var packing: PackingOptions
  @OptionGroup var unpacking: UnpackingOptions
  @OptionGroup var base: BaseOptions
  @OptionGroup var selection: SelectionOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var work: WorkOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    guard [unpacks, verifies, lists].count(where: { $0 }) < 2 else {
      throw ValidationError("-d, -t and -l exclude each other")
    }
    if verifies {
      try Verify.run(files, base, work, report)
    } else if lists {
      try List.run(files, report)
    } else if unpacks {
      try Unpack.run(files, only: [], unpacking, base, selection, output, work, report)
    } else {
      try Pack.run(files, packing, base, selection, output, work, report)
    }
  }
}
