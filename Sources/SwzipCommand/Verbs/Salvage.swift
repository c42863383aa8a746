internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

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
    try forEach([Operand(file)], report.console) { operand throws(Failure) in try save(operand) }
  }

  private func save(_ operand: Operand) throws(Failure) {
    let console = report.console
    let input = try Input(operand, force: false)
    let target = Target.path(output ?? Salvage.partialName(input.name))
    let named = NamedBases(base.paths)
    let bases = try named.allowed()
    try named.check(target)
    if try attemptLibrary(input.name, { () throws(SwzipError) in try looksLikeFolder(input.random()) }) {
      return try FolderSalvageJob(console: console, force: force, bases: bases).run(input, target.name)
    }
    try target.check(against: input.status, force: force)
    let output = try Output(target, expected: nil, force: force)
    let found: SalvageReport
    do throws(SwzipError) {
      found = try salvage(from: input.random(), to: output.sink, bases: bases)
    } catch {
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    guard found.isWhole || found.recoveredByteCount > 0 else { throw .nothingSaved(input.name, found) }
    let durability = try output.finish(copying: input.status, force: force)
    SalvageText(found).say(console, input.name, output.name)
    try requireDurable(durability, output.name)
    if let failure = Failure.lost(input.name, found) { throw failure }
  }

  private static func partialName(_ name: String) -> String {
    (name.withoutSuffix(PackJob.suffix) ?? name) + ".partial"
  }
}
