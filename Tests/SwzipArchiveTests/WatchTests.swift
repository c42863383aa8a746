import Swzip
import SwzipArchive
import SwzipCore
import SwzipSystem
import SwzipTestSupport
import Testing

struct WatchTests {
  /// A watcher of `out`, and what it says.
  private struct Watch {
    let run: Run
    var watcher: Watcher

    init(_ run: Run, _ change: (inout Watcher.Options) -> Void = { _ in }) {
      self.run = run
      var options = Watcher.Options()
      options.quietSeconds = 0
      change(&options)
      watcher = Watcher(run.path, run.folder("out"), AddOptions(PackOptions()), options)
    }

    mutating func pass() throws -> [String] {
      var said: [String] = []
      _ = try watcher.pass { path, event in
        let name = String(path.split(separator: "/").last ?? "")
        switch event {
        case .added(let addition, _): said.append("\(addition.isNew ? "+" : "=")\(name)")
        case .removed: said.append("-\(name)")
        case .waiting(let why): said.append("\(name)? \(why)")
        case .forgotten: said.append("\(name)! forgotten")
        case .failed(let error): said.append("\(name)! \(error.text)")
        }
      }
      return said
    }

    mutating func outcome() throws -> Watcher.Outcome { try watcher.pass { _, _ in } }
  }

  private func expect(
    _ watch: inout Watch, _ said: [String], location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try watch.pass()
    #expect(found == said, "\(found)", sourceLocation: location)
  }

  private func write(_ run: Run, _ step: Int, _ name: String = "step_", _ files: [String: [UInt8]] = [:]) {
    let own = ["model": run.weights(500), "state": [UInt8(step % 256)]]
    run.write(own.merging(files) { $1 }, as: "out/\(name)\(step)")
  }

  private func originals(_ run: Run) -> Set<String> {
    Set(run.folder.files("out").keys.compactMap { $0.split(separator: "/").first.map(String.init) })
  }

  @Test func whatIsFinishedIsAddedByStep() throws {
    let run = try Run()
    for step in [20, 100, 3] { write(run, step) }
    var watch = Watch(run)
    try expect(&watch, ["+step_3", "+step_20", "+step_100"])
    #expect(try watch.pass() == [])
    write(run, 200)
    try expect(&watch, ["+step_200"])
    // Another one finds out by what is there.
    var next = Watch(run)
    try expect(&next, [])
    #expect(try run.listed() == ["3", "20", "100", "200"])
    // Times that others have are not enough to add it again.
    run.folder.setTime("out/step_20/state", seconds: 1, nanoseconds: 0)
    try expect(&next, ["=step_20"])
    run.folder.write("out/step_20/state", [9])
    try expect(&next, ["+step_20"])
    #expect(try run.listed() == ["3", "20", "20@2", "100", "200"])
    #expect(try run.restored("20")["state"] == [9])
  }

  @Test func otherNamesAreNoCheckpoints() throws {
    let run = try Run()
    for name in ["checkpoint", ".step_1", "tmp-1.tmp", "step_2.tmp", "step_3.part", "runs"] {
      run.write(["model": [1]], as: "out/\(name)")
    }
    for name in ["latest", "5.log", "step_6.json", "latest_checkpointed_iteration.txt"] {
      run.folder.write("out/\(name)", [1])
    }
    run.folder.writeDeep("elsewhere/model", [1])
    run.folder.link("out/step_7", to: "../elsewhere")
    var watch = Watch(run)
    try expect(&watch, [])
    run.folder.write("out/step_8.pt", [1])
    write(run, 9, "global_step")
    try expect(&watch, ["+step_8.pt", "+global_step9"])
    var other = Watch(run) { $0.pattern = "*.json" }
    try expect(&other, ["step_6.json? it has no weights yet"])
  }

  /// What is incomplete is waited for, and keeps nobody from those after it.
  @Test func incompleteOnesWait() throws {
    let run = try Run()
    write(run, 1)
    run.write(["model.safetensors": [1, 0, 0, 0, 0, 0, 0, 0]], as: "out/step_2")
    run.folder.makeFolder("out/step_3")
    write(run, 4)
    // Whole files, but not all that the one before has: its trainer was killed.
    run.write(["state": [1]], as: "out/step_5")
    var watch = Watch(run)
    let said = try watch.pass()
    #expect(said.filter { $0.hasPrefix("+") } == ["+step_1", "+step_4"])
    #expect(said.contains("step_2? model.safetensors is cut short"), "\(said)")
    #expect(said.contains { $0.hasPrefix("step_3? ") })
    #expect(said.contains("step_5? it has nothing like model, which 4 has"))
    try expect(&watch, [])
    #expect(try watch.outcome().incomplete.count == 3)
    run.folder.write("out/step_5/model", [7])
    try expect(&watch, ["+step_5"])
    #expect(try run.restored("latest") == ["model": [7], "state": [1]])
  }

  @Test func wordsAloneAreNoCheckpoint() throws {
    let run = try Run()
    run.write(["config.json": Array("{}".utf8), "vocabulary.txt": [1]], as: "out/step_1")
    var watch = Watch(run)
    try expect(&watch, ["step_1? it has no weights yet"])
    run.folder.write("out/step_1/weights", [1])
    try expect(&watch, ["+step_1"])
  }

  /// Shards, and other numbers in names, are alike.
  @Test func numbersInNamesMayDiffer() throws {
    let run = try Run()
    write(run, 1, "step_", ["m-00001-of-00002": [1], "m-00002-of-00002": [2]])
    write(run, 2, "step_", ["m-00001-of-00001": [1]])
    var watch = Watch(run)
    try expect(&watch, ["+step_1", "+step_2"])
  }

  /// What was left of a save that was killed is no file that others must have.
  @Test func leftoversOfASaveAreAskedOfNobody() throws {
    let run = try Run()
    write(run, 1, "step_", [".tmp5uAoRH": [1]])
    write(run, 2)
    var watch = Watch(run)
    try expect(&watch, ["+step_1", "+step_2"])
  }

  /// Nor is it a checkpoint, alone or beside words.
  @Test(arguments: [false, true], [false, true])
  func leftoversOfASaveAreNoCheckpoint(_ isFirst: Bool, _ hasWords: Bool) throws {
    let run = try Run()
    if !isFirst { write(run, 1) }
    run.write([".tmp5uAoRH": run.weights(500)], as: "out/step_2")
    if hasWords { run.write(["config.json": Array("{}".utf8)], as: "out/step_2") }
    var watch = Watch(run)
    try expect(&watch, (isFirst ? [] : ["+step_1"]) + ["step_2? it has no weights yet"])
    write(run, 2)
    try expect(&watch, ["+step_2"])
  }

  @Test func marksAndQuiet() throws {
    let run = try Run()
    for step in 1...4 { write(run, step) }
    var watch = Watch(run) { $0.quietSeconds = 1000 }
    try expect(&watch, [])
    #expect(try watch.outcome().settling.count == 4)
    run.folder.write("out/latest", Array("step_2\n".utf8))
    try expect(&watch, ["+step_2"])
    run.folder.write("out/latest_checkpointed_iteration.txt", Array("4".utf8))
    try expect(&watch, ["+step_4"])
    run.folder.write("out/step_3/STABLE", [])
    try expect(&watch, ["+step_3"])
    #expect(try watch.outcome().settling.count == 1)
    var other = Watch(run) { $0.readyName = "DONE" }
    let said = try other.pass()
    #expect(said.count == 4 && said.allSatisfy { $0.contains("it has no DONE yet") }, "\(said)")
    run.folder.write("out/step_1/DONE", [])
    try expect(&other, ["+step_1"])
  }

  @Test func originalsGoButTheNewestAndThosePointedTo() throws {
    let run = try Run()
    for step in 1...6 { write(run, step) }
    run.folder.link("out/best", to: "step_2")
    run.folder.write("out/latest", Array("/anywhere/step_3\n".utf8))
    var watch = Watch(run) {
      $0.removes = true
      $0.kept = 2
    }
    #expect(try watch.pass() == (1...6).map { "+step_\($0)" } + ["-step_1", "-step_4"])
    #expect(originals(run).subtracting(["best", "latest"]) == ["step_2", "step_3", "step_5", "step_6"])
    write(run, 7)
    run.folder.removeLink("out/best")
    try expect(&watch, ["+step_7", "-step_2", "-step_5"])
    // One that is not complete is none of the newest.
    run.folder.makeFolder("out/step_9")
    #expect(try watch.pass().count == 1 && originals(run).isSuperset(of: ["step_6", "step_7"]))
    #expect(try run.restored("1")["state"] == [1] && Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  /// The same size and time, but other bytes: found out before anything is removed.
  @Test func whatOnlySeemsToBeThereStays() throws {
    let run = try Run()
    for step in 1...2 { write(run, step) }
    run.folder.setTime("out/step_1/state", seconds: 1000, nanoseconds: 0)
    var watch = Watch(run)
    #expect(try watch.pass().count == 2)
    run.folder.write("out/step_1/state", [77])
    run.folder.setTime("out/step_1/state", seconds: 1000, nanoseconds: 0)
    var remover = Watch(run) { $0.removes = true }
    try expect(&remover, [])
    #expect(run.folder.read("out/step_1/state") == [77])
    try expect(&remover, ["+step_1", "-step_1"])
    #expect(try run.restored("1")["state"] == [77])
  }

  /// Half a folder that a trainer was removing when it was killed is no new checkpoint.
  @Test func leftoversOfRotationAreNoCheckpoints() throws {
    let run = try Run()
    for step in 1...2 { write(run, step) }
    var watch = Watch(run)
    #expect(try watch.pass().count == 2)
    run.folder.removeLink("out/step_1/model")
    try expect(&watch, [])
    #expect(try run.listed() == ["1", "2"])
    #expect(try run.restored("1").count == 2)
  }

  @Test func whatWasForgottenStaysForgotten() throws {
    let run = try Run()
    for step in 1...3 { write(run, step) }
    var watch = Watch(run)
    #expect(try watch.pass().count == 3)
    try run.forget("1")
    #expect(try run.prune { $0.last = 1 }.removed.isEmpty == false)
    try expect(&watch, [])
    var other = Watch(run) { $0.removes = true }
    try expect(&other, ["step_1! forgotten", "step_2! forgotten"])
    #expect(originals(run).count == 3)
    // Written since.
    run.folder.write("out/step_1/state", [5])
    try expect(&other, ["+step_1", "-step_1"])
    #expect(try run.restored("1")["state"] == [5])
  }

  /// An add that withdrew what it wrote was no wish to forget it.
  @Test func whatWasWithdrawnIsAddedAgain() throws {
    let run = try Run()
    write(run, 1)
    let name = "s000000000001.p000-001.0123456789abcdef.swz"
    let text = "gone \(name)\nwithdrawn\n"
    let sum = String(xxh3(Array(text.utf8)), radix: 16)
    let padded = String(repeating: "0", count: 16 - sum.utf8.count) + sum
    run.folder.writeDeep("run/gone/\(name).gone", Array("\(text)sum \(padded)\n".utf8))
    var watch = Watch(run)
    try expect(&watch, ["+step_1"])
    #expect(try run.listed() == ["1"])
    #expect(try Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  @Test func failuresAreSaidOnceAndOthersGoOn() throws {
    let run = try Run()
    write(run, 1)
    // The archive lies in it.
    run.write(["model": [1], "state": [1]], as: "out/step_2")
    run.folder.writeDeep("out/step_2/state", [2])
    run.folder.hardLink("out/step_2/SWZARCHIVE", to: "run/SWZARCHIVE")
    write(run, 3)
    var watch = Watch(run)
    let said = try watch.pass()
    #expect(said.count == 3 && said[1].contains("the archive lies in it"), "\(said)")
    #expect(said.first == "+step_1" && said.last == "+step_3")
    try expect(&watch, [])
    #expect(try watch.outcome().failed.count == 1)
  }

  /// A file system that is not mounted must not be written below.
  @Test func anArchiveThatWentIsNotMadeAnew() throws {
    let run = try Run()
    write(run, 1)
    var watch = Watch(run)
    _ = try renameFolder(run.path, to: "away")
    #expect(rule { _ = try watch.pass() } == .noArchive && !TestFolder.exists(run.path))
    _ = try renameFolder(run.folder("away"), to: "run")
    try expect(&watch, ["+step_1"])
    _ = try renameFolder(run.folder("out"), to: "away")
    #expect(kind { _ = try watch.pass() } == .io)
  }
}
