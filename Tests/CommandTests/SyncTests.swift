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

  /// The containers in a folder, by name.
  private func containers(_ place: String = "pub") -> [String] {
    folder.files(place).keys.filter { $0.hasPrefix("ckpt/") }.sorted()
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
    #expect(containers().compactMap { Int($0.dropFirst(6).prefix(12)) } == Array(8..<12))
    folder.write("pub/" + containers()[3], [1, 2, 3])
    #expect(follow().text == "10\n" && folder.read("mine") == model(10))
    #expect(command.run(["sync", "publish", "pub", "state", "--keep", "0"]).status == 64)
  }

  /// Versions are steps of an archive, to which all its verbs apply.
  @Test func theFolderIsAnArchive() {
    for version in 0..<3 { #expect(publish(version).status == 0) }
    #expect(command.run(["archive", "verify", "pub"]).status == 0)
    #expect(command.run(["archive", "restore", "pub", "1", "-o", "first"]).status == 0)
    #expect(folder.read("first/state") == model(1))
    #expect(command.run(["archive", "forget", "pub", "2"]).status == 0)
    #expect(follow().text == "1\n" && folder.read("mine") == model(1))
    #expect(publish(3).text == "3\n" && follow().text == "3\n" && folder.read("mine") == model(3))
  }

  /// Nobody asked to have checkpoints deleted.
  @Test func checkpointsOfOthersStay() {
    folder.write("state", model(0))
    #expect(command.run(["archive", "init", "run"]).status == 0)
    for step in ["1", "2"] {
      #expect(command.run(["archive", "add", "run", "state", "--step", step]).status == 0)
    }
    let before = folder.files("run")
    let refused = publish(1, to: "run", ["--keep", "1", "--anchor-every", "1"])
    #expect(refused.status == 2 && refused.errors.first?.contains("publish to a folder of its own") == true)
    #expect(folder.files("run") == before)
  }

  /// A step reaches who has the version before, although the rest of the folder is not there.
  @Test func aStepAloneIsEnough() {
    for version in 0..<2 {
      #expect(publish(version).status == 0)
      if version == 0 { #expect(follow().status == 0) }
    }
    folder.writeDeep("copy/SWZARCHIVE", folder.read("pub/SWZARCHIVE") ?? [])
    let step = containers()[1]
    folder.writeDeep("copy/" + step, folder.read("pub/" + step) ?? [])
    #expect(follow("copy", "other").status == 4)
    #expect(follow("copy").text == "1\n" && folder.read("mine") == model(1))
  }

  /// Names are names, whatever stands in them; what is no version stays.
  @Test func oddNamesAreNoVersions() {
    folder.write("precious", [1])
    #expect(publish(0).status == 0)
    let end = ".p000-001.0123456789abcdef.swz"
    let odd = [
      "s9+_[$(rm *)]" + end, "s99999999999" + end, "s0000000000999" + end, "s00000000009x" + end, "s000000000009.swz",
      "s000000000009\(end).part", "S000000000009" + end, "s000000000009.p000-001.0123456789ABCDEF.swz",
      "s-00000000009" + end, "s٠٠٠٠٠٠٠٠٠٠٠٩" + end, "-rf", "a b",
    ]
    for name in odd { folder.write("pub/ckpt/" + name, [1]) }
    #expect(publish(1, ["--keep", "1", "--anchor-every", "1"]).text == "1\n")
    #expect(follow().text == "1\n" && folder.read("mine") == model(1))
    #expect(folder.read("precious") == [1])
    for name in odd { #expect(folder.read("pub/ckpt/" + name) == [1], "\(name)") }
  }

  @Test func aFileStaysAFile() {
    #expect(publish(0).status == 0 && follow().status == 0)
    folder.writeDeep("m/a", model(1))
    folder.write("m/b", [1])
    #expect(command.run(["archive", "add", "pub", "m", "--step", "1"]).status == 0)
    for file in ["mine", "none"] {
      let refused = follow("pub", file)
      #expect(refused.status == 2 && refused.errors.first?.contains("it holds a folder") == true)
    }
    #expect(folder.read("mine") == model(0) && !folder.names.contains("none"))
    #expect(follow("pub", "m").status == 2 && TestFolder.isFolder(folder("m")))
    #expect(command.run(["sync", "publish", "other", "m"]).status == 2 && !folder.names.contains("other"))
    #expect(follow("absent").status == 4)
    folder.makeFolder("bare")
    #expect(follow("bare").status == 4 && folder.read("mine") == model(0))
  }

  @Test func numbersRunOut() {
    #expect(publish(0).status == 0)
    #expect(command.run(["archive", "add", "pub", "state", "--step", "999999999999"]).status == 0)
    let refused = publish(1)
    #expect(refused.status == 2 && refused.errors.first?.contains("numbers have run out") == true)
  }
}
