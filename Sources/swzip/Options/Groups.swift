internal import ArgumentParser

/// What is said, and how.
struct ReportOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Say nothing but errors; twice: nothing at all.")
  var quiet: Int

  @Flag(name: .shortAndLong, help: "Say more.")
  var verbose: Int

  @Flag(help: "One JSON object a file on stdout.")
  var json = false

  var console: Console { Console(quiet: quiet, verbose: verbose, json: json) }
}

/// How the work is done.
struct WorkOptions: ParsableArguments {
  @Option(
    name: [.customShort("T", allowingJoined: true), .long],
    help: ArgumentHelp("Threads; 0 = all processors, the default.", valueName: "n"))
  var threads: Int?

  @Flag(inversion: .prefixedNo, help: "Show the progress of long jobs on a terminal.")
  var progress: Bool?
}

/// Where the output goes, and what becomes of the source.
struct OutputOptions: ParsableArguments {
  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file; - is stdout.", valueName: "file"))
  var output: String?

  @Flag(name: [.customShort("c"), .long], help: "Write to stdout.")
  var stdout = false

  @Flag(name: .shortAndLong, help: "Replace an existing output; read and write devices, pipes and terminals.")
  var force = false

  @Flag(name: .shortAndLong, help: "Keep the source, the default.")
  var keep = false

  @Flag(name: .customLong("rm"), help: "Remove the source after the output is on the disk, read again and verified.")
  var removesSource = false

  @Flag(help: "Say what would be done; write nothing.")
  var dryRun = false
}

/// How to pack.
struct PackingOptions: ParsableArguments {
  @Flag(exclusivity: .chooseLast)
  var level: LevelFlag?

  @Flag(name: .customLong("sha256"), help: "Store the SHA-256 of the file too.")
  var storesSHA256 = false

  @Option(help: ArgumentHelp("How to read the input; raw is plain bytes.", valueName: "name"))
  var format: FormatName = .auto

  @Flag(name: .customLong("no-verify"), help: "Do not decode and compare each block after encoding.")
  var skipsVerify = false
}
