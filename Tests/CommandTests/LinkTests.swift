import SwzipSystem
import SwzipTestSupport
import Testing

@testable import SwzipCommand

/// Links in folders that are worked on file by file: each real file once, and nothing outside.
struct LinkTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  /// A run with links to a folder and a file in it, to a folder and a file outside, and back.
  private func makeRun() {
    folder.writeDeep("run/step_100/m.pt", Command.sample(5000))
    folder.writeDeep("shared/base.bin", Command.sample(3000))
    folder.writeDeep("shared/deep/more.bin", Command.sample(2000))
    folder.writeDeep("blobs/0a1b", Command.sample(1000))
    folder.link("run/latest", to: "step_100")
    folder.link("run/best.pt", to: "step_100/m.pt")
    folder.link("run/base", to: "../shared")
    folder.link("run/again", to: "../shared/deep")
    folder.link("run/model.bin", to: "../blobs/0a1b")
    folder.link("run/same.bin", to: "../blobs/0a1b")
    folder.link("shared/back", to: "../run")
  }

  private var outside: [[String: [UInt8]]] {
    folder.removeLink("shared/back")
    defer { folder.link("shared/back", to: "../run") }
    return [folder.files("shared"), folder.files("blobs")]
  }

  private func containers(_ place: String) -> [String] {
    command.shell("cd \(place) && find . -name '*.swz' | sort").text.split(separator: "\n").map(String.init)
  }

  @Test func inPlaceOnlyWhatIsInside() {
    makeRun()
    let before = outside
    for _ in 0..<2 {
      let packed = command.run(["pack", "-r", "run"])
      #expect(packed.status == 0, "\(packed.errors)")
      #expect(packed.errors.count { $0.contains("2 links lead outside the folder (left out)") } == 1)
      #expect(outside == before)
      #expect(containers("run") == ["./model.bin.swz", "./step_100/m.pt.swz"])
      _ = command.shell("rm run/*.swz run/step_100/*.swz")
    }
  }

  @Test func removesNothingBehindALink() {
    makeRun()
    let before = outside
    let packed = command.run(["pack", "-r", "--rm", "run"])
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(outside == before && containers("run") == ["./step_100/m.pt.swz"])
    #expect(folder.read("run/step_100/m.pt") == nil)
    _ = command.shell("cp run/step_100/m.pt.swz shared/base.bin.swz; cp run/step_100/m.pt.swz blobs/x.swz")
    folder.link("run/linked.swz", to: "../blobs/x.swz")
    let there = outside
    #expect(command.run(["unpack", "-r", "--rm", "run"]).status == 0)
    #expect(outside == there && containers("run") == ["./linked.swz"])
    #expect(folder.read("run/step_100/m.pt") == Command.sample(5000))
    // Unpacking without removal puts the file beside the link.
    #expect(command.run(["unpack", "-r", "run"]).status == 0)
    #expect(outside == there && folder.read("run/linked") == Command.sample(5000))
  }

  /// Elsewhere, what is behind links is taken too, each file once.
  @Test(arguments: [false, true]) func belowAnotherFolder(removes: Bool) {
    makeRun()
    let before = outside
    let packed = command.run(["pack", "-r", "run", "--output-dir", "out"] + (removes ? ["--rm"] : []))
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(outside == before)
    let own = ["./step_100/m.pt.swz"]
    let others = ["./again/more.bin.swz", "./base/base.bin.swz", "./model.bin.swz"]
    #expect(containers("out") == (removes ? own : (own + others).sorted()))
    #expect(containers("run").isEmpty && (folder.read("run/step_100/m.pt") == nil) == removes)
  }

  @Test func namesOfOneFileAreOne() {
    makeRun()
    folder.hardLink("run/hard.pt", to: "run/step_100/m.pt")
    let packed = command.run(["pack", "-r", "run", "run/step_100", "run/step_100/m.pt"])
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(containers("run") == ["./hard.pt.swz", "./model.bin.swz", "./step_100/m.pt.swz"])
    // The named folder may be a link itself.
    folder.link("here", to: "run/step_100")
    _ = command.shell("rm run/step_100/*.swz")
    #expect(command.run(["pack", "-r", "--rm", "run/step_100", "here"]).status == 2)
    #expect(folder.read("run/step_100/m.pt") != nil)
    #expect(command.run(["pack", "-r", "here"]).status == 0)
    #expect(containers("run/step_100") == ["./m.pt.swz"])
  }

  /// Outputs go through no link: neither below another folder nor where a container of a folder is unpacked beside itself.
  @Test(arguments: [[], ["-f"]]) func noOutputThroughALink(force: [String]) {
    folder.writeDeep("run/base/a.bin", [1])
    folder.writeDeep("elsewhere/victim", [2])
    folder.makeFolder("out")
    folder.link("out/base", to: "../elsewhere")
    let packed = command.run(["pack", "-r", "run", "--output-dir", "out"] + force)
    #expect(packed.status == 2 && packed.errors.count == 1, "\(packed.errors)")
    #expect(folder.files("elsewhere") == ["victim": [2]])
    #expect(command.run(["pack", "run/base", "-o", "run/x.swz"]).status == 0)
    folder.link("run/x", to: "../elsewhere")
    #expect(command.run(["unpack", "-r", "run"] + force).status == 2)
    #expect(folder.files("elsewhere") == ["victim": [2]])
    // A link of the output's own name is replaced or refused, never followed.
    folder.link("run/base/a.bin.swz", to: "../../elsewhere/victim")
    folder.link("run/base/n.swz", to: "/dev/null")
    folder.writeDeep("run/base/n", [3])
    #expect(command.run(["pack", "-r", "run"] + force).status == (force.isEmpty ? 2 : 0))
    #expect(folder.files("elsewhere") == ["victim": [2]])
    #expect(command.shell("test -L run/base/n.swz").status == (force.isEmpty ? 0 : 1))
  }

  /// A folder that becomes a link between the look and the writing is noticed.
  @Test func exchangedFolders() throws {
    makeRun()
    let found = try TreeScan(folder("run"), links: .once(outside: .files)) { _, _ in true }
    let file = try #require(found.files.first { $0.name == "step_100/m.pt" })
    _ = command.shell("mv run/step_100 run/old; ln -s ../shared run/step_100; cp run/old/m.pt shared/")
    #expect(throws: SystemError.self) { try AtomicFile(target: folder("run/step_100/m.pt.swz"), in: file.folder) }
    #expect(throws: SystemError.self) { try removeFile(folder("run/step_100/m.pt"), in: file.folder) }
    #expect(throws: SystemError.self) { try AtomicFolder(target: folder("run/step_100/m"), in: file.folder) }
    #expect(throws: Failure.self) { try Input(.path(folder("run/step_100/m.pt")), found: file, force: false) }
    #expect(folder.read("shared/m.pt") != nil)
  }

  // MARK: links as members

  private func links(_ place: String) -> [String] {
    command.shell("cd \(place) && find . -type l -printf '%p -> %l\\n' | sort").text.split(separator: "\n")
      .map(String.init)
  }

  /// Links within a folder come back as links, from a file and from a pipe; those outwards as what is there.
  @Test(arguments: ["swzip -d hub.swz -o out", "cat hub.swz | swzip -d -o out", "mkdir out; swzip -d hub.swz -o out"])
  func linksComeBack(_ unpack: String) {
    folder.writeDeep("hub/blobs/0a1b", Command.model())
    folder.writeDeep("hub/snapshots/main/sub/x", [1])
    folder.writeDeep("outside/file", [9])
    folder.link("hub/snapshots/main/model.safetensors", to: "../../blobs/0a1b")
    folder.link("hub/snapshots/latest", to: folder("hub/snapshots/main"))
    folder.link("hub/snapshots/main/sub/up", to: "..")
    folder.link("hub/snapshots/main/again", to: "../latest/model.safetensors")
    folder.link("hub/all", to: ".")
    folder.link("hub/far", to: "../outside")
    folder.link("hub/near", to: "../outside/file")
    folder.writeDeep("hub/no/hidden", [5])
    folder.link("hub/shown", to: "no/hidden")
    let packed = command.run(["hub", "--exclude", "no"])
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(packed.errors.count { $0.contains("2 links lead outside the folder") } == 1)
    let outcome = command.shell(unpack)
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(
      links("out") == [
        "./snapshots/latest -> main", "./snapshots/main/again -> ../../blobs/0a1b",
        "./snapshots/main/model.safetensors -> ../../blobs/0a1b", "./snapshots/main/sub/up -> ../../main",
      ])
    #expect(folder.read("out/snapshots/latest/again") == Command.model())
    #expect(folder.read("out/far/file") == [9] && folder.read("out/near") == [9] && folder.read("out/shown") == [5])
    #expect(command.run(["-t", "hub.swz"]).status == 0)
    #expect(command.run(["list", "hub.swz"]).text.contains("snapshots/latest -> main"))
    #expect(command.run(["cat", "hub.swz", "snapshots/main/again"]).output == Command.model())
    #expect(command.run(["unpack", "hub.swz", "-o", "out"]).status == 2)
    #expect(command.run(["unpack", "hub.swz", "-o", "out", "-f"]).status == 0)
    #expect(command.run(["unpack", "hub.swz", "-o", "moved", "--rm"]).status == 0)
    #expect(links("moved") == links("out"))
  }

  /// A link brings what it leads to.
  @Test(arguments: ["swzip unpack m.swz", "cat m.swz | swzip unpack -"]) func onlyALink(_ unpack: String) {
    folder.writeDeep("m/deep/er/f", [1])
    folder.writeDeep("m/g", [2])
    folder.link("m/one", to: "deep/er/f")
    folder.link("m/two", to: "deep")
    #expect(command.run(["m"]).status == 0)
    for link in ["one", "two"] {
      #expect(command.shell(unpack + " -o \(link) --only \(link)").status == 0)
      #expect(links(link).count == 1)
      #expect(Set(folder.files(link).keys).subtracting(["deep/er/f"]) == [link == "one" ? "one" : "two/er/f"])
    }
    #expect(command.run(["unpack", "m.swz", "-c", "--only", "one"]).output == [1])
  }

  /// A link that is planted where one is to be made is not gone through.
  @Test func plantedLinks() {
    folder.writeDeep("m/sub/f", [1])
    folder.link("m/sub/l", to: "f")
    #expect(command.run(["m"]).status == 0)
    folder.makeFolder("outside")
    folder.makeFolder("t")
    folder.link("t/sub", to: "../outside")
    #expect(command.run(["unpack", "m.swz", "-o", "t", "-f"]).status == 2)
    #expect(folder.files("outside").isEmpty)
  }

  /// Years that do not fit nanoseconds in 64 bits.
  @Test func farTimes() throws {
    folder.writeDeep("m/late", [1])
    folder.writeDeep("m/early", [2])
    folder.setTime("m/late", seconds: 10_413_792_000, nanoseconds: 999_999_999)
    // Not every file system keeps what is before 1901.
    folder.setTime("m/early", seconds: -2_000_000_000, nanoseconds: 7)
    #expect(command.run(["m"]).status == 0 && command.run(["m/late"]).status == 0)
    #expect(command.run(["-d", "m.swz", "-o", "out"]).status == 0)
    #expect(command.run(["-d", "m/late.swz", "-o", "late"]).status == 0)
    for (one, other) in [("m/late", "out/late"), ("m/early", "out/early"), ("m/late", "late")] {
      #expect(try FileStatus.of(folder(one)).modified == FileStatus.of(folder(other)).modified)
    }
    #expect(command.run(["list", "--json", "m.swz"]).text.contains(#""modified":"10413792000.999999999""#))
  }
}
