import SwzipCore
import SwzipTestSupport
import Testing

@testable import SwzipCommand

struct BenchTests {
  let command = Command()
  static let available = Kernels.available

  init() { command.folder.write("a", Command.model()) }

  private func bench(_ arguments: String...) -> Command.Outcome {
    command.run(["bench", "a", "--rounds", "2", "--levels", "3", "-T", "1"] + arguments)
  }

  /// A row for each, with the name of what was in use while it was measured.
  @Test func kernels() {
    let outcome = bench("--json", "--kernels", Self.available.map(\.rawValue).joined(separator: ","))
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    let rows = outcome.text.split(separator: "\n").filter { $0.contains(#""coder":"swzip -3""#) }
    #expect(rows.count == Self.available.count)
    for (row, kernels) in zip(rows, Self.available) { #expect(row.contains(#""kernels":"\#(kernels)""#)) }
  }

  @Test(arguments: Kernels.allCases) func kernelsOfAnotherProcessor(_ kernels: Kernels) {
    let outcome = bench("--json", "--kernels", kernels.rawValue)
    guard !Self.available.contains(kernels) else {
      #expect(outcome.status == 0)
      return
    }
    #expect(outcome.status == 2)
    let names = Self.available.map(\.rawValue).joined(separator: ", ")
    #expect(outcome.errors == ["swzip: this processor cannot run the kernels \(kernels); it can run \(names)"])
    #expect(!outcome.text.contains("coder"))
  }

  @Test func unknownKernels() {
    let outcome = bench("--kernels", "portable,mmx")
    #expect(outcome.status == 64)
    #expect(outcome.errors == ["swzip: --kernels takes portable, avx2, avx512, neon, not 'mmx'; see swzip --help"])
  }

  @Test func columns() {
    func titles(_ text: String) -> [Substring]? {
      text.split(separator: "\n").first { $0.contains("CODER") }?.split(separator: " ")
    }
    #expect(titles(bench().text) == ["CODER", "THREADS", "RATIO", "PACK", "UNPACK", "OF", "MEMCPY", "FRESH"])
    let text = bench("--kernels", "portable").text
    #expect(titles(text)?.prefix(3) == ["CODER", "KERNELS", "THREADS"])
    #expect(text.contains("swzip -3  portable        1"))
  }

  /// Every coder is measured with both kinds of memory in every round.
  @Test func fresh() throws {
    let rows = bench("--json").text.split(separator: "\n")
    #expect(rows.count == 3)
    for row in rows {
      for field in ["encode_seconds", "decode_seconds", "decode_fresh_seconds"] {
        let list = try Regex("\"\(field)\":\\[([^\\]]*)", as: (Substring, Substring).self)
        let seconds = try #require(row.firstMatch(of: list)).output.1
        #expect(seconds.split(separator: ",").count == 2, "\(field)")
      }
    }
  }
}
