import Swzip
import SwzipCore
import SwzipSystem
import SwzipTestSupport
import Testing

@testable import SwzipCommand

struct TextTests {
  @Test(arguments: [
    "", "pack", "unpack", "verify", "list", "inspect", "diff", "delta", "sync", "cat", "salvage", "bench", "completion",
    "filter",
  ])
  func help(_ verb: String) {
    let outcome = Command().run((verb.isEmpty ? [] : [verb]) + ["--help"])
    #expect(outcome.status == 0)
    #expect(outcome.errors == [])
    Snapshot.expect(outcome.text, named: "help" + (verb.isEmpty ? "" : "-" + verb))
  }

  @Test(arguments: [["--version"], ["-V"]]) func version(_ arguments: [String]) {
    let outcome = Command().run(arguments)
    #expect(outcome.status == 0)
    #expect(outcome.text == "swzip \(swzipVersion)\n")
  }

  @Test(arguments: ["bash", "zsh", "fish"]) func completion(_ shell: String) {
    let outcome = Command().run(["completion", shell])
    #expect(outcome.status == 0)
    #expect(outcome.text.contains("inspect"))
  }

  /// Every rule as damage, and the rules that come with other kinds.
  @Test func errorTexts() {
    var lines: [String] = []
    func add(_ kind: SwzipError.Kind, _ rules: [SwzipError.Rule], detail: String = "") {
      for rule in rules {
        let error = SwzipError(kind, rule, at: kind == .corrupt ? 4096 : nil, detail: detail)
        lines.append("\(kind) \(rule): \(error.explanation)")
      }
    }
    let others: [SwzipError.Rule] = [
      .version, .reservedBits, .unknownCodec, .unknownExtension, .encoderFault, .system, .range, .noSuchTensor,
      .notRandomAccess, .outputTooSmall, .outOfMemory, .baseMissing, .baseDiffers, .baseDamaged, .baseCycle,
      .baseDepth, .cancelled, .argument, .noArchive, .noSuchCheckpoint, .notInArchive, .incomplete,
      .missingParts,
    ]
    add(.corrupt, SwzipError.Rule.allCases.filter { !others.contains($0) })
    add(.unsupported, [.version, .reservedBits, .unknownCodec, .unknownExtension, .limit], detail: "detail")
    add(.io, [.truncated, .encoderFault, .system], detail: "cannot read it: Input/output error")
    add(
      .refused,
      [.limit, .name, .range, .noSuchTensor, .notRandomAccess, .noSuchCheckpoint, .incomplete, .missingParts],
      detail: "detail")
    add(.invalidArgument, [.outputTooSmall, .range, .argument, .noSuchTensor], detail: "detail")
    add(
      .base, [.baseMissing, .baseDiffers, .baseDamaged, .baseCycle, .baseDepth, .noArchive, .notInArchive],
      detail: "detail")
    add(.memory, [.outOfMemory], detail: "detail")
    add(.cancelled, [.cancelled])
    #expect(lines.allSatisfy { !$0.contains("\n") })
    Snapshot.expect(lines.joined(separator: "\n") + "\n", named: "error-texts")
  }

  @Test func textsShowNoControlCharacters() {
    let error = SwzipError(.corrupt, .name, detail: "a\u{1B}[31m\u{202E}b\n")
    #expect(error.text.hasPrefix("a name in the container is not allowed: 'a\\u{1b}[31m\\u{202e}b\\u{a}'"))
    #expect("Zoë 模型".printable == "Zoë 模型")
  }

  @Test(arguments: [
    ("SWZIP_THREADS", "x", "SWZIP_THREADS is not a number: 'x'"), ("SWZIP_LEVEL", "99", "SWZIP_LEVEL must be 1 to 9"),
  ])
  func namesOfVariables(_ name: String, _ value: String, _ text: String) {
    let outcome = Command().run(["a"], environment: [name: value])
    #expect(outcome.status == 64 && outcome.errors == ["swzip: \(text); see swzip --help"])
  }

  @Test func anEmptyFolderIsOneLine() {
    let command = Command()
    command.folder.makeFolder("m")
    #expect(command.run(["m"]).errors == ["swzip: m: it holds no files to pack"])
  }

  /// What a run says, in the order in which it says it.
  @Test(arguments: [
    ("missing", ["missing"]), ("directory", ["."]), ("device", ["/dev/null"]), ("exists", ["there"]),
    ("no-suffix", ["-d", "there"]), ("not-a-container", ["-t", "there"]), ("no-folder", ["there", "-o", "none/out"]),
    ("unknown-option", ["--nonsense"]), ("two-outputs", ["-c", "-o", "x", "there"]),
    ("rm-unverified", ["--rm", "--no-verify", "there"]),
    ("rm-stdout", ["--rm", "-c", "there"]), ("two-into-one", ["-o", "x", "there", "there2"]),
    ("pack-c-two", ["-c", "there", "there2"]), ("json-stdout", ["--json", "-c", "there"]),
    ("two-verbs", ["-d", "-t", "there"]),
    ("itself", ["-f", "-o", "there", "there"]), ("threads", ["-T-1", "there"]), ("rm-link", ["--rm", "link"]),
    ("level", ["--level", "9", "there"]), ("two-levels", ["-19", "there"]),
    ("html-json", ["inspect", "--html", "--json", "there"]), ("html-two", ["inspect", "--html", "there", "there2"]),
    ("page-alone", ["inspect", "there", "-o", "x"]),
    ("range", ["cat", "there", "--range", "9:3"]), ("format", ["--format", "tiff", "there"]),
  ])
  func complaints(_ name: String, _ arguments: [String]) {
    let command = Command()
    command.folder.write("there", [1, 2, 3])
    command.folder.write("there2", [1, 2, 3])
    command.folder.write("there.swz", [1, 2, 3])
    command.folder.link("link", to: "there")
    let before = command.folder.names
    let outcome = command.run(arguments)
    #expect(outcome.output.isEmpty != arguments.contains("--json"))
    #expect(outcome.errors.count == 1)
    #expect(command.folder.names == before)
    Snapshot.expect("\(outcome.status)\n" + outcome.errors.joined(separator: "\n") + "\n", named: "says-" + name)
  }
}
