import SwzipTestSupport
import Testing

@testable import SwzipCommand

struct JSONTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  @Test func oneObjectAFile() {
    folder.write("a", Command.model())
    folder.write("b", [])
    let lines = command.run(["--json", "a", "b"]).text.split(separator: "\n")
    #expect(lines.count == 2)
    for (line, name) in zip(lines, ["a", "b"]) {
      #expect(line.hasPrefix(#"{"swzip":1,"path":"\#(name)","out":"\#(name).swz","format":""#))
      for field in ["in_bytes", "out_bytes", "ratio", "seconds", "tensors", "checksum"] {
        #expect(line.contains("\"\(field)\":"))
      }
    }
    #expect(lines.last?.contains(#""in_bytes":0"#) == true)
    #expect(lines.last?.contains(#""ratio":null"#) == true)
  }

  /// What a dry run predicts is near what is written then, of a file and of a folder.
  @Test(arguments: ["a", "folder"]) func predicted(name: String) throws {
    folder.write("a", Command.sample(1_000_000))
    folder.makeFolder("folder")
    folder.write("folder/a", Command.sample(1_000_000))
    func number(_ field: String, _ arguments: [String]) throws -> Double {
      let text = command.run(["pack", "--json"] + arguments + [name]).text
      let found = try #require(text.firstMatch(of: Regex("\"\(field)\":(\\d+)", as: (Substring, Substring).self)))
      return try #require(Double(found.output.1))
    }
    let predicted = try number("predicted_bytes", ["--dry-run"])
    #expect(folder.names == ["a", "folder"])
    let written = try number("out_bytes", [])
    #expect(abs(predicted - written) < written / 10)
  }

  @Test func errorsAreObjectsToo() {
    let outcome = command.run(["--json", "missing"])
    #expect(outcome.status == 1)
    #expect(
      outcome.text
        == #"{"swzip":1,"error":{"code":1,"message":"no such file; check the name","path":"missing","rule":"system"}}"#
        + "\n")
    #expect(outcome.errors == ["swzip: missing: no such file; check the name"])
  }

  @Test func usageErrorsAreObjectsToo() {
    let outcome = command.run(["--json", "--nonsense"])
    #expect(outcome.status == 64)
    #expect(outcome.text.hasPrefix(#"{"swzip":1,"error":{"code":64,"message":"unknown option '--nonsense'"#))
  }

  @Test func quietHidesWords() {
    folder.write("a", Command.model())
    #expect(command.run(["a", "missing"]).errors.count == 2)
    #expect(command.run(["-qf", "a", "missing"]).errors.count == 1)
    #expect(command.run(["-qqf", "a", "missing"]).errors == [])
  }

  @Test func theLineForPeople() {
    folder.write("a", Command.model())
    let line = command.run(["a"]).errors.first ?? ""
    #expect(line.wholeMatch(of: /a : \d+\.\d% \(4\.2 KiB => \d+\.\d KiB, \d+(\.\d)? [kMG]B\/s\)/) != nil, "\(line)")
  }

  @Test func values() {
    let object: JSONObject = [
      "s": .string("a\"\\\n\t\u{1}é"), "i": .integer(.max), "d": .decimal(0.6620001), "n": .null, "b": .bool(true),
      "l": .array([.integer(1), .object([:])]), "x": .decimal(.infinity),
    ]
    #expect(
      object.text
        == #"{"s":"a\"\\\n\t\u0001é","i":18446744073709551615,"d":0.662000,"n":null,"b":true,"l":[1,{}],"x":null}"#)
  }
}
