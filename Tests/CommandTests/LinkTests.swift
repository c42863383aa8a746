import SwzipSystem
import SwzipTestSupport
import Testing

@testable import swzip

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
}
