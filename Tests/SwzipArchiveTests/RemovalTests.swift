import Swzip
import SwzipArchive
import SwzipCore
import SwzipSystem
import SwzipTestSupport
import Testing

/// `--rm`: a source goes when all of it is archived, or stays as it is.
struct RemovalTests {
  private func files(_ run: Run) -> [String: [UInt8]] {
    ["model": run.weights(2000), "deep/er/state": [1, 2, 3], "empty": []]
  }

  /// Adds with `--rm`; `before` and `after` the proof somebody does something.
  private func remove(
    _ run: Run, _ name: String = "checkpoint-5", before: () -> Void = {}, after: () -> Void = {}
  ) throws {
    let found = try CheckpointFiles(run.folder(name))
    before()
    let removal = try SourceRemoval(found)
    _ = try Adder(run.archive(), AddOptions(PackOptions())).add(found, step: 5)
    after()
    try removal.run()
  }

  @Test func whatIsArchivedGoes() throws {
    let run = try Run()
    run.write(files(run), as: "checkpoint-5")
    let wanted = run.folder.files("checkpoint-5")
    run.folder.makeFolder("checkpoint-5/nothing")
    run.folder.link("checkpoint-5/last", to: "deep/er")
    run.folder.writeDeep("checkpoint-50/other", [1])
    try remove(run)
    #expect(run.folder.names.sorted() == ["checkpoint-50", "run"])
    let there = try run.restored("5")
    #expect(wanted.allSatisfy { there[$0.key] == $0.value })
    run.folder.write("step-6.pt", [1, 2])
    try remove(run, "step-6.pt")
    #expect(run.folder.names.sorted() == ["checkpoint-50", "run"])
  }

  private static let disturbances: [String: @Sendable (TestFolder) -> Void] = [
    "written": { $0.write("checkpoint-5/model", [1]) },
    "same bytes, another file": {
      let bytes = $0.read("checkpoint-5/deep/er/state")!
      $0.removeLink("checkpoint-5/deep/er/state")
      $0.write("checkpoint-5/deep/er/state", bytes)
    },
    "another file": { $0.write("checkpoint-5/new", [1]) },
    "another mode": { $0.setMode("checkpoint-5/model", 0o600) },
    "other times": { $0.setTime("checkpoint-5/model", seconds: 1, nanoseconds: 1) },
    "a hard link": { $0.hardLink("other", to: "checkpoint-5/model") },
    "a link that leads nowhere": { $0.link("checkpoint-5/new", to: "nothing") },
    "a link that leads outside": {
      $0.writeDeep("outside/file", [1])
      $0.link("checkpoint-5/new", to: "../outside")
    },
    "a pipe": { $0.makePipe("checkpoint-5/pipe") },
    "what swzip is writing": { $0.write("checkpoint-5/.swzip-1-0123456789abcdef.tmp", [1]) },
  ]

  @Test(arguments: disturbances.keys.sorted(), [false, true])
  func whatChangesStays(_ name: String, _ isLate: Bool) throws {
    let run = try Run()
    run.write(files(run), as: "checkpoint-5")
    let disturb = { Self.disturbances[name]!(run.folder) }
    #expect(throws: SwzipError.self) {
      try remove(run, before: isLate ? {} : disturb, after: isLate ? disturb : {})
    }
    let other = try Run()
    other.write(files(other), as: "checkpoint-5")
    Self.disturbances[name]!(other.folder)
    #expect(run.folder.files("checkpoint-5") == other.folder.files("checkpoint-5"))
    #expect(run.folder.names.filter { $0.hasPrefix(".") } == [])
  }

  /// By somebody who has it open already: before, or in the meantime.
  @Test(arguments: [false, true]) func whatIsOpenForWritingStays(_ isLate: Bool) throws {
    let run = try Run()
    run.write(files(run), as: "checkpoint-5")
    var writer: FileHandle?
    func open() { writer = try? FileHandle.openForWriting(run.folder("checkpoint-5/model")) }
    let before = run.folder.files("checkpoint-5")
    // With a file of its own for each, since completeness looks too.
    let outcome = kind { try remove(run, before: isLate ? {} : open, after: isLate ? open : {}) }
    #expect(writer != nil && outcome == .refused)
    #expect(run.folder.files("checkpoint-5") == before)
  }

  /// A kill leaves a hidden folder with some of the files: they go if the archive has each of them.
  @Test func whatWasInterruptedIsFinished() throws {
    let run = try Run()
    let all = files(run)
    try run.add(all, step: 5)
    func pass() throws -> [String] {
      var options = Watcher.Options()
      options.removes = true
      var watcher = Watcher(run.path, run.folder("out"), AddOptions(PackOptions()), options)
      var said: [String] = []
      _ = try watcher.pass { path, event in
        switch event {
        case .removed: said.append("removed")
        case .failed(let error): said.append(error.text)
        default: said.append("?")
        }
      }
      return said
    }
    let place = "out/.checkpoint-5.swzip-rm"
    run.write(all.filter { $0.key != "model" }, as: place)
    #expect(try pass() == ["removed"] && run.folder.files("out").isEmpty)
    run.folder.makeFolder(place)
    #expect(try pass() == ["removed"] && !TestFolder.exists(run.folder(place)))
    for other in [["model": [1]], ["new": [1]]] as [[String: [UInt8]]] {
      let both = all.filter { $0.key == "empty" }.merging(other) { $1 }
      run.write(both, as: place)
      #expect(try pass().allSatisfy { $0.contains("does not hold it") } && run.folder.files(place) == both)
      run.folder.removeLink(place + "/" + other.keys.first!)
    }
    // Somebody is removing it.
    let handle = try FileHandle.open(run.folder(place))
    #expect(handle.lock() && run.folder.files(place) == ["empty": []])
    #expect(try pass() == [])
    try handle.close()
    #expect(try pass() == ["removed"])
  }

  /// Nothing is left behind in the archive by a source that somebody removes.
  @Test func aSourceThatVanishes() throws {
    let run = try Run()
    run.write(["a": run.weights(40_000), "b": run.weights(40_000)], as: "s")
    let outcome = rule {
      _ = try Adder(run.archive(), AddOptions(PackOptions())).add(CheckpointFiles(run.folder("s")), step: 1) { _ in
        if TestFolder.exists(run.folder("s/b")) { run.folder.removeLink("s/b") }
      }
    }
    #expect(outcome == .system && run.folder.files("run/ckpt").isEmpty)
  }
}
