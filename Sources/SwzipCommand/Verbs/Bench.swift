internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

struct Bench: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure ratio and speed in memory, against memcpy and zstd -3.",
    discussion: """
      Rounds are interleaved, so that a busy machine treats all alike; figures are medians. UNPACK is to memory that was \
      used before, FRESH to memory that the system has just given.
      """)

  @Argument(help: ArgumentHelp("A model.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "Pack as differences to this file, as pack --base; the rival is zstd of the two xored.", valueName: "file"))
  var base: String?

  @Option(
    help: ArgumentHelp(
      "Kernels, separated by commas: \(Bench.kernelNames). The default is the best for this processor.",
      valueName: "list"))
  var kernels: String?

  @Option(help: ArgumentHelp("Levels, separated by commas.", valueName: "list"))
  var levels = "1,2,3,5,7,9"

  @Option(
    name: [.customShort("T", allowingJoined: true), .long],
    help: ArgumentHelp("Numbers of threads, separated by commas; the default is 1 and all.", valueName: "list"))
  var threads: String?

  @Option(help: ArgumentHelp("Rounds.", valueName: "n"))
  var rounds = 5

  @OptionGroup var report: ReportOptions

  func run() throws {
    guard rounds > 0 else { throw ValidationError("--rounds must be 1 or more") }
    let kernels = try kernels.map(chosenKernels)
    let levels = try Bench.numbers(levels, 1...9, "--levels")
    let all = availableProcessors()
    let threads = try threads.map { try Bench.numbers($0, 1...512, "--threads") } ?? (all == 1 ? [1] : [1, all])
    let console = report.console
    try forEach([Operand(file)], console) { operand throws(Failure) in
      let input = try Input(operand, force: false)
      let bytes = try load(input)
      let base = try base.map { path throws(Failure) in try load(Input(Operand(path), force: false)) }
      let bench = BenchJob(
        name: input.name, bytes: bytes, base: base, kernels: kernels, levels: levels, threads: threads, rounds: rounds)
      let results = try attemptLibrary(input.name) { () throws(SwzipError) in try bench.run() }
      if report.json {
        for result in results { console.emit(result.json(input.name, UInt64(bytes.count))) }
      } else {
        writeOut(bench.text(results, Style()))
      }
    }
  }

  private static let kernelNames = Kernels.allCases.map(\.rawValue).joined(separator: ", ")

  private func chosenKernels(_ list: String) throws -> [Kernels] {
    let available = Kernels.available
    return try list.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let kernels = Kernels(rawValue: String(text)) else {
        throw ValidationError("--kernels takes \(Bench.kernelNames), not '\(text)'")
      }
      guard available.contains(kernels) else {
        let names = available.map(\.rawValue).joined(separator: ", ")
        let failure = Failure(
          .refused, path: "", text: "this processor cannot run the kernels \(text); it can run \(names)")
        throw Finished(failure, report.console)
      }
      return kernels
    }
  }

  private static func numbers(_ list: String, _ allowed: ClosedRange<Int>, _ option: String) throws -> [Int] {
    try list.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let number = Int(text), allowed.contains(number) else {
        throw ValidationError(
          "\(option) takes numbers from \(allowed.lowerBound) to \(allowed.upperBound), not '\(text)'")
      }
      return number
    }
  }

  private func load(_ input: Input) throws(Failure) -> [UInt8] {
    guard let count = input.source.byteCount.flatMap({ Int(exactly: $0) }), count > 0 else {
      throw .refused(input.name, "bench needs a file with something in it")
    }
    var bytes = [UInt8](repeating: 0, count: count)
    var span = bytes.mutableSpan
    // The pointer is used inside the closure only.
    let read = try unsafe span.withUnsafeMutableBytes { (buffer) throws(Failure) in
      try attemptLibrary(input.name) { () throws(SwzipError) in unsafe try input.source.read(into: buffer) }
    }
    guard read == count else { throw Failure(SwzipError(.io, .truncated), path: input.name) }
    return bytes
  }
}
