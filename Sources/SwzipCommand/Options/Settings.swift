internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// The options of a run, checked against each other.
struct Settings {
  var console: Console
  let threads: Int
  let progress: Bool?
  let operands: [Operand]
  private(set) var selection = Selection()
  var output: String?
  private(set) var outputFolder: String?
  private(set) var writesToStdout = false
  var force = false
  private(set) var removesSource = false
  private(set) var dryRun = false
  var bases: NamedBases
  /// Of unpacked files.
  var holes = Holes.made

  /// For verbs that write files.
  init(
    files: [String], _ selected: SelectionOptions, report: ReportOptions, work: WorkOptions, output: OutputOptions,
    base: BaseOptions, takesOneInputToStdout: Bool
  ) throws {
    bases = NamedBases(base.paths)
    console = report.console
    threads = try Settings.threads(work, console)
    progress = work.progress
    selection = try Selection(selected)
    operands = selected.filesFrom != nil && files.isEmpty ? [] : try Settings.operands(files)
    outputFolder = output.outputDir
    force = output.force
    removesSource = output.removesSource
    dryRun = output.dryRun
    let isFilter = operands == [.standardInput] && output.output == nil
    writesToStdout = output.stdout || output.output == "-" || isFilter
    self.output = writesToStdout ? nil : output.output
    if output.stdout, let name = output.output, name != "-" {
      throw ValidationError("-c and -o name two outputs")
    }
    let mayBeSeveral = operands.count > 1 || selection.isRecursive || selected.filesFrom != nil
    if self.output != nil, mayBeSeveral { throw ValidationError("-o takes one input; name a folder with --output-dir") }
    if outputFolder != nil, self.output != nil || writesToStdout {
      throw ValidationError("--output-dir and -o or -c name two outputs")
    }
    if writesToStdout, takesOneInputToStdout, mayBeSeveral {
      throw ValidationError("one container holds one file or folder, so -c packs one input")
    }
    if writesToStdout, console.json { throw ValidationError("--json and the output would both go to stdout") }
    if operands.contains(.standardInput), operands.count > 1, !writesToStdout {
      throw ValidationError("- has no name to write to; use it alone, with -o or -c")
    }
    if removesSource {
      if output.keep { throw ValidationError("--rm and --keep contradict each other") }
      if writesToStdout { throw ValidationError("--rm needs an output file") }
      if operands.contains(.standardInput) { throw ValidationError("--rm needs a source file") }
    }
  }

  /// For verbs without the options of packing and unpacking.
  init(files: [String], report: ReportOptions, work: WorkOptions?, base: BaseOptions? = nil) throws {
    bases = NamedBases(base?.paths ?? [])
    console = report.console
    threads = try work.map { work in try Settings.threads(work, report.console) } ?? availableProcessors()
    progress = work?.progress
    operands = try Settings.operands(files)
  }

  /// Without names, stdin is meant if it is not a terminal.
  private static func operands(_ files: [String]) throws -> [Operand] {
    if files.isEmpty {
      guard !FileHandle.standardInput.isTerminal else {
        throw ValidationError("no file is named and stdin is a terminal")
      }
      return [.standardInput]
    }
    let operands = files.map(Operand.init)
    if operands.count(where: { $0 == .standardInput }) > 1 { throw ValidationError("stdin can be read once only") }
    if files.contains("") { throw ValidationError("a file name is empty") }
    return operands
  }

  /// More threads than this only cost memory.
  private static let mostThreads = 512

  static func threads(_ option: Int?) throws -> Int {
    let asked = try option ?? number("SWZIP_THREADS") ?? 0
    guard asked >= 0 else { throw ValidationError("the number of threads cannot be negative") }
    return asked == 0 ? availableProcessors() : min(asked, mostThreads)
  }

  private static func threads(_ work: WorkOptions, _ console: Console) throws -> Int {
    let threads = try threads(work.threads)
    guard let text = work.memory else { return threads }
    guard let most = MemoryUse.parse(text) else {
      throw ValidationError("a size of memory is like 64M or 1G, not '\(text)'")
    }
    guard let fitting = MemoryUse.threads(most, asked: threads) else {
      let failure = Failure(
        .temporary, path: "", text: "not enough memory: one thread needs \(formatSize(MemoryUse.byteCount(threads: 1)))"
      )
      console.fail(failure)
      throw Finished(status: failure.status)
    }
    MemoryBudget.spare = MemoryUse.spare(most, threads: fitting)
    return fitting
  }

  static func level(_ flags: [LevelFlag]) throws -> Int {
    if let first = flags.first, let other = flags.first(where: { $0 != first }) {
      throw ValidationError("-\(first.rawValue) and -\(other.rawValue) are two levels; name one of -1 to -9")
    }
    let level = try flags.first?.rawValue ?? number("SWZIP_LEVEL") ?? LevelFlag.standard
    guard (1...9).contains(level) else { throw ValidationError("SWZIP_LEVEL must be 1 to 9") }
    return level
  }

  private static func number(_ variable: String) throws -> Int? {
    guard let text = Process.environment(variable), !text.isEmpty else { return nil }
    guard let value = Int(text) else { throw ValidationError("\(variable) is not a number: '\(text)'") }
    return value
  }
}

extension PackingOptions {
  func options(_ settings: Settings) throws -> PackOptions {
    if skipsVerify, settings.removesSource { throw ValidationError("--rm needs verification: drop --no-verify") }
    var options = PackOptions()
    options.level = try Settings.level(level)
    options.threads = settings.threads
    options.verify = !skipsVerify
    options.sha256 = storesSHA256
    options.format = format.format
    options.coder = coder.form
    return options
  }
}
