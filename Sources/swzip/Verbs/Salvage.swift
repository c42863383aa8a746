internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

struct Salvage: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Save what can be read of a damaged container, to NAME.partial.",
    discussion: "Lost ranges are zero in the output. Ends with 0 if nothing was lost, else with 3.")

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
    try target.check(against: input.status, force: force)
    let output = try Output(target, expected: nil, force: force)
    let found: SalvageReport
    do throws(SwzipError) {
      found = try salvage(from: input.source, to: output.sink)
    } catch {
      throw Failure(error, reading: input.name, writing: output.name, output.sink)
    }
    let durability = try output.finish(copying: input.status, force: force)
    console.note(
      "\(input.name.printable) : \(formatSize(found.recoveredByteCount)) of \(formatSize(found.byteCount)) saved to "
        + output.name.printable)
    for range in found.missing { console.note("  lost: bytes \(range.lowerBound) to \(range.upperBound)") }
    console.emit([
      "path": .string(input.name), "out": .string(output.name), "out_bytes": .integer(found.byteCount),
      "recovered_bytes": .integer(found.recoveredByteCount),
      "missing": .array(found.missing.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
    ])
    try requireDurable(durability, output.name)
    if !found.missing.isEmpty {
      let count = found.missing.count
      throw Failure(
        .damaged, path: input.name,
        text:
          "\(count == 1 ? "one range is" : "\(count) ranges are") lost and zero in the output; restore from another copy"
      )
    }
  }

  private static func partialName(_ name: String) -> String {
    let stem = name.hasSuffix(PackJob.suffix) ? String(name.dropLast(PackJob.suffix.count)) : name
    return stem + ".partial"
  }
}
