internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

struct Salvage: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Save what can be read of a damaged container, to NAME.partial.",
    discussion: """
      Lost ranges are zero in the output. Of a folder, a folder with what is left of each file. Ends with 0 if nothing was \
      lost, else with 3.
      """)

  @Argument(help: ArgumentHelp("The damaged container.", valueName: "file"))
  var file: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "file"))
  var output: String?

  @Flag(name: .shortAndLong, help: "Replace an existing output.")
  var force = false

  @OptionGroup var report: ReportOptions

  func run() throws {
    if output == "-" { throw ValidationError("salvage writes to a file") }
    try forEach([Operand(file)], report.console) { operand throws(Failure) in try save(operand) }
  }

  private func save(_ operand: Operand) throws(Failure) {
    let console = report.console
    let input = try Input(operand, force: false)
    let target = Target.path(output ?? Salvage.partialName(input.name))
    if try attemptLibrary(input.name, { () throws(SwzipError) in try looksLikeFolder(input.source) }) {
      return try FolderSalvageJob(console: console, force: force).run(input, target.name)
    }
    try target.check(against: input.status, force: force)
    let output = try Output(target, expected: nil, force: force)
    let found: SalvageReport
    do throws(SwzipError) {
      found = try salvage(from: input.source, to: output.sink)
    } catch {
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    let durability = try output.finish(copying: input.status, force: force)
    console.note(found.line(input.name, output.name))
    for line in found.lines { console.note(line) }
    var fields: JSONObject = ["path": .string(input.name), "out": .string(output.name)]
    fields.append(found.json)
    console.emit(fields)
    try requireDurable(durability, output.name)
    if !found.missing.isEmpty { throw .lost(input.name, found.missing.count) }
  }

  private static func partialName(_ name: String) -> String {
    (name.withoutSuffix(PackJob.suffix) ?? name) + ".partial"
  }
}

extension SalvageReport {
  func line(_ input: String, _ output: String) -> String {
    "\(input.printable) : \(formatSize(recoveredByteCount)) of \(formatSize(byteCount)) saved to \(output.printable)"
  }

  /// What is lost.
  var lines: [String] {
    missing.map { "  lost: bytes \($0.lowerBound) to \($0.upperBound)" + (name.isEmpty ? "" : " of \(name.printable)") }
  }

  var json: JSONObject {
    [
      "out_bytes": .integer(byteCount), "recovered_bytes": .integer(recoveredByteCount),
      "missing": .array(missing.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
    ]
  }
}

extension Failure {
  /// Something could not be salvaged.
  static func lost(_ path: String, _ count: Int) -> Failure {
    let what = count == 1 ? "one range is" : "\(count) ranges are"
    return Failure(
      .damaged, path: path, text: "\(what) lost and zero in the output; restore from another copy")
  }
}
