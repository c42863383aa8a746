import SwzipTestSupport
import Testing

/// `sync publish` and `sync follow`.
struct SyncTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  private func model(_ version: Int) -> [UInt8] {
    var bytes = Command.model()
    for place in 0..<version { bytes[bytes.count - 1 - 2 * place] ^= 1 }
    return bytes
  }

  /// Publishes a version, and returns what is said.
  private func publish(_ version: Int, to place: String = "pub", _ options: [String] = []) -> Command.Outcome {
    folder.write("state", model(version))
    return command.run(["sync", "publish", place, "state"] + options)
  }

  private func follow(_ place: String = "pub", _ file: String = "mine") -> Command.Outcome {
    command.run(["sync", "follow", place, file])
  }

  /// The name of a version where every fourth is an anchor.
  private func name(_ version: Int) -> String {
    let zeros = version < 10 ? "00000000000" : "0000000000"
    return "v\(zeros)\(version).\(version % 4 == 0 ? "anchor" : "step").swz"
  }

  @Test(arguments: ["pub", "my pub", "-odd", "a/b/c"]) func versionsArrive(_ place: String) {
    let place = place.hasPrefix("-") ? "./" + place : place
    for version in 0..<3 {
      #expect(publish(version, to: place).text == "\(version)\n")
      #expect(follow(place).text == "\(version)\n")
      #expect(folder.read("mine") == model(version))
    }
    #expect(follow(place, "my new").text == "2\n" && folder.read("my new") == model(2))
    #expect(command.run(["sync", "follow", place, "mine", "--json"]).text.contains(#""version":2"#))
  }

  /// The last ones can be reached, by way of the anchor before them.
  @Test func oldVersionsGo() {
    for version in 0..<12 {
      #expect(publish(version, ["--anchor-every", "4", "--keep", "3"]).status == 0)
    }
    let kept = (8..<12).map(name)
    #expect(folder.files("pub").keys.sorted() == kept)
    folder.write("pub/v000000000011.step.swz", [1, 2, 3])
    #expect(follow().text == "10\n" && folder.read("mine") == model(10))
    #expect(command.run(["sync", "publish", "pub", "state", "--keep", "0"]).status == 64)
  }

  /// Names are names, whatever stands in them; what is no version stays.
  @Test func oddNamesAreNoVersions() {
    folder.write("precious", [1])
    #expect(publish(0).status == 0)
    let odd = [
      "v9+_[$(rm *)].step.swz", "v99999999999.step.swz", "v0000000000999.step.swz", "v00000000009x.step.swz",
      "v000000000009.swz", "v000000000009.step.swz.part", "V000000000009.step.swz", "v000000000009.other.swz",
      "v-00000000009.step.swz", "v٠٠٠٠٠٠٠٠٠٠٠٩.step.swz", "-rf", "a b",
    ]
    for name in odd { folder.write("pub/" + name, [1]) }
    folder.makeFolder("pub/v000000000009.anchor.swz")
    folder.makePipe("pub/v000000000008.anchor.swz")
    #expect(publish(1, ["--keep", "1", "--anchor-every", "1"]).text == "1\n")
    #expect(follow().text == "1\n" && folder.read("mine") == model(1))
    #expect(folder.read("precious") == [1])
    for name in odd { #expect(folder.read("pub/" + name) == [1], "\(name)") }
  }

  @Test func aFileStaysAFile() {
    #expect(publish(0).status == 0 && follow().status == 0)
    folder.writeDeep("m/a", model(1))
    #expect(command.run(["pack", "m", "-o", "pub/v000000000001.anchor.swz"]).status == 0)
    for file in ["mine", "none"] {
      let refused = follow("pub", file)
      #expect(refused.status == 2 && refused.errors.first?.contains("it holds a folder") == true)
    }
    #expect(folder.read("mine") == model(0) && !folder.names.contains("none"))
    #expect(follow("pub", "m").status == 2 && TestFolder.isFolder(folder("m")))
    #expect(command.run(["sync", "publish", "other", "m"]).status == 2 && !folder.names.contains("other"))
    #expect(follow("absent").status == 1)
    folder.makeFolder("bare")
    #expect(follow("bare").status == 4 && folder.read("mine") == model(0))
  }

  @Test func numbersRunOut() {
    #expect(publish(0).status == 0)
    let anchor = folder.read("pub/v000000000000.anchor.swz") ?? []
    folder.write("pub/v999999999999.anchor.swz", anchor)
    let refused = publish(1)
    #expect(refused.status == 2 && refused.errors.first?.contains("numbers have run out") == true)
  }
}
