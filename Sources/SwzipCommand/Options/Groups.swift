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

  @Option(
    name: [.customShort("M", allowingJoined: true), .long],
    help: ArgumentHelp(
      "Use at most so much memory (64M, 1G), with fewer threads if need be; 75 if that is too little.",
      valueName: "size"))
  var memory: String?

  @Flag(inversion: .prefixedNo, help: "Show the progress of long jobs on a terminal.")
  var progress: Bool?
}

/// Where the output goes, and what becomes of the source.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("Write to this file, or unpack a folder into this one; - is stdout.", valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("Write below this folder, with the names that files have below theirs.", valueName: "dir"))
  var outputDir: String?

  @Flag(name: [.customShort("c"), .long], help: "Write to stdout.")
  var stdout = false

  @Flag(name: .shortAndLong, help: "Replace an existing output; read and write devices, pipes and terminals.")
  var force = false

  @Flag(name: .shortAndLong, help: "Keep the source, the default.")
  var keep = false

  @Flag(name: .customLong("rm"), help: "Remove the source after the output is on the disk, read again and verified.")
  var removesSource = false

  @Flag(help: "Say what would be done, and about how much packing would write; write nothing.")
  var dryRun = false
}

/// How files are unpacked.
struct UnpackingOptions: ParsableArguments {
  @Flag(
    inversion: .prefixedNo,
    help: "Make holes of zeros that are not on the disk, the default; with --sparse take no room for them first.")
  var sparse: Bool?

  var holes: Holes {
    switch sparse {
    case nil: .made
    case true: .only
    case false: .none
    }
  }
}

/// What else the data needs.
struct BaseOptions: ParsableArguments {
  @Option(
    name: .customLong("base"),
    help: ArgumentHelp(
      "Another version, plain or packed: pack as differences to it, unpack what was; again for what it needs itself.",
      valueName: "path"))
  var paths: [String] = []
}

/// Which files, where folders or lists of files are named.
struct SelectionOptions: ParsableArguments {
  @Flag(name: .shortAndLong, help: "Each file below the named folders on its own, beside it.")
  var recursive = false

  @Option(help: ArgumentHelp("In folders, only files whose path or name fits; may be repeated.", valueName: "glob"))
  var include: [String] = []

  @Option(
    help: ArgumentHelp("In folders, no file or folder whose path or name fits; may be repeated.", valueName: "glob"))
  var exclude: [String] = []

  @Option(help: ArgumentHelp("Read names of files from this file too, one a line; - is stdin.", valueName: "file"))
  var filesFrom: String?

  @Flag(name: [.customShort("0"), .customLong("null")], help: "Names in --files-from end in NUL, not in a new line.")
  var null = false

  @Option(
    help: ArgumentHelp(
      "Only the I-th of N parts of the files, by a hash of their names: for N machines.", valueName: "i/n"))
  var shard: String?

  @Flag(help: "Leave out files whose output exists.")
  var skipExisting = false
}

/// How to pack.
struct PackingOptions: ParsableArguments {
  @Flag var level: [LevelFlag] = []

  @Flag(name: .customLong("sha256"), help: "Store the SHA-256 of the file too.")
  var storesSHA256 = false

  @Option(help: ArgumentHelp("How to read the input; raw is plain bytes.", valueName: "name"))
  var format: FormatName = .auto

  @Option(
    help: ArgumentHelp("How Huffman's symbols are stored: nodes, or streams for decoders on GPUs.", valueName: "form"))
  var coder: CoderName = .nodes

  @Flag(help: "With -r, also what loaders read as it is: JSON, text and vocabulary files below 16 MiB.")
  var allFiles = false

  @Flag(name: .customLong("no-times"), help: "Do not store the times of a folder's files.")
  var skipsTimes = false

  @Flag(name: .customLong("no-verify"), help: "Do not decode and compare each block after encoding.")
  var skipsVerify = false
}
