internal import ArgumentParser
internal import Swzip
internal import SwzipCore

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Say what swzip uses on this machine, and test itself.",
    discussion: "Takes seconds. Say what it says when you report a fault.")

  @OptionGroup var report: ReportOptions

  func run() throws {
    let found: Diagnosis
    do throws(SwzipError) { found = try Diagnosis() } catch {
      throw Finished(Failure(error, path: ""), report.console)
    }
    if report.json {
      report.console.emit([
        "version": .string(found.version), "format": .string(found.format), "kernels": .string(found.kernels),
        "processors": .integer(UInt64(found.processors)), "copy_rate": .decimal(found.copyRate),
        "pack_rates": .array([.decimal(found.packRates.one), .decimal(found.packRates.all)]),
        "unpack_rates": .array([.decimal(found.unpackRates.one), .decimal(found.unpackRates.all)]),
        "faults": .array(found.faults.map { .string($0) }),
      ])
    } else {
      writeOut(Doctor.text(found))
    }
    guard found.faults.isEmpty else {
      let text = "it does not work on this machine: do not pack with it, and please report what it says"
      throw Finished(Failure(.failed, path: "", text: text), report.console)
    }
  }

  private static func text(_ found: Diagnosis) -> String {
    func rate(_ bytesPerSecond: Double) -> String { formatRate(UInt64(bytesPerSecond), seconds: 1) }
    let test = found.faults.isEmpty ? ["all is right"] : found.faults
    return """
      swzip \(found.version), format \(found.format)
      kernels      \(found.kernels)
      processors   \(found.processors)
      memory copy  \(rate(found.copyRate))
      pack bf16    \(rate(found.packRates.one)), with all processors \(rate(found.packRates.all))
      unpack bf16  \(rate(found.unpackRates.one)), with all processors \(rate(found.unpackRates.all))
      self-test    \(test.joined(separator: "\n             "))

      """
  }
}
