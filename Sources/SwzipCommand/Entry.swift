internal import ArgumentParser
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

struct Swzip: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swzip",
    abstract: "Packs model weights without loss.",
    discussion: """
      swzip FILE            packs FILE to FILE.swz; sources are kept
      swzip FOLDER          packs FOLDER to FOLDER.swz; -r packs each file in it
      swzip -d FILE.swz     unpacks; -t verifies, -l lists, -c writes to stdout
      swzip <a >b           packs as a filter; swzip -d <b >a unpacks
      swunzip and swzcat, as links to swzip, unpack, the latter to stdout

      list, inspect, cat, unpack and verify read http:// and https:// URLs too. \
      An existing output is never replaced without -f, and nothing is ever asked. \
      Variables: SWZIP_THREADS and SWZIP_LEVEL give defaults, NO_COLOR turns bold type off.

      Exit codes: 0 done, 1 failed (input or output, permission, space), 2 refused (exists, is a directory), \
      3 damaged data, 4 base missing or wrong, 6 made by a newer version, 64 wrong usage, 75 not enough memory, \
      141 the reader of a pipe went away, 128 + n ended by signal n. Unknown codes are failures. With several files, \
      the gravest counts.
      """,
    version: "swzip \(swzipVersion)",
    subcommands: [
      Pack.self, Unpack.self, Verify.self, List.self, Inspect.self, Diff.self, Delta.self, ArchiveVerbs.self, Sync.self,
      Cat.self, Salvage.self, Bench.self, Doctor.self, Completion.self, Filter.self,
    ],
    defaultSubcommand: Filter.self)
}

@main
enum Entry {
  static func main() {
    Process.returnLargeMemory()
    LiveFiles.removeOnSignals()
    let status = run(Process.arguments())
    Process.exit(finishOutput(status).rawValue)
  }

  private static func run(_ arguments: [String]) -> CommandStatus {
    let given = Array(arguments.dropFirst())
    if given.first == "-V" || given.first == "--version" {
      writeOut("swzip \(swzipVersion)\n")
      return .success
    }
    do {
      var command = try Swzip.parseAsRoot(verb(ofProgram: arguments.first ?? "") + given)
      try command.run()
      return .success
    } catch let error as Finished {
      return error.status
    } catch {
      return explain(error, asJSON: given.contains("--json"))
    }
  }

  /// Links named `swunzip` and `swzcat` unpack.
  private static func verb(ofProgram path: String) -> [String] {
    switch splitPath(path)?.name {
    case "swunzip": ["unpack"]
    case "swzcat": ["unpack", "--stdout"]
    default: []
    }
  }

  /// Help that was asked for, or one line on what is wrong with the arguments.
  private static func explain(_ error: any Error, asJSON: Bool) -> CommandStatus {
    guard Swzip.exitCode(for: error) != .success else {
      writeOut(Swzip.fullMessage(for: error) + "\n")
      return .success
    }
    // The parser writes sentences, with hints and the values that an option has on lines of their own.
    let lines = Swzip.message(for: error).split(separator: "\n")
    var text = lines.map { $0.hasPrefix("  - ") ? $0.dropFirst(4) + "," : $0 }.joined(separator: " ")
    if text.hasSuffix(",") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    // Names of variables stay as they are.
    if text.dropFirst().first?.isUppercase == false { text = text.prefix(1).lowercased() + text.dropFirst() }
    if text.hasPrefix("unknown option '--level") { text = "there is no --level; levels are -1 to -9, as in -9" }
    let failure = Failure(.usage, path: "", text: text.printable + "; see swzip --help")
    Console(json: asJSON).fail(failure)
    return failure.status
  }

  /// Some file systems report a full disk only when the file is closed.
  private static func finishOutput(_ status: CommandStatus) -> CommandStatus {
    do throws(SystemError) {
      try FileHandle.standardOutput.close()
    } catch  where !error.isBadDescriptor {
      let failure = Failure(error, path: FileHandle.standardOutput.path)
      Console().fail(failure)
      return max(status, failure.status)
    } catch {}
    return status
  }
}

/// Ends a verb with a status; everything has been said.
struct Finished: Error {
  let status: CommandStatus

  init(status: CommandStatus) { self.status = status }

  /// Says what stopped the verb, where it is about no single file.
  init(_ failure: Failure, _ console: Console) {
    console.fail(failure)
    status = failure.status
  }
}
