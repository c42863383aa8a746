import Swzip
import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

struct AddTests {
  @Test func foldersComeBackAsTheyWere() throws {
    let run = try Run()
    let files = ["a/model": run.weights(), "a/empty": [], "b.json": Array("{}".utf8), "ünï/c": run.weights(50)]
    #expect(try run.add(files, step: 7).isNew)
    #expect(try run.restored("7") == files && run.restored("latest") == files)
    run.folder.write("single.pt", [1, 2, 3])
    let added = try Adder(run.archive(), AddOptions(PackOptions())).add(
      CheckpointFiles(run.folder("single.pt")), step: 8)
    #expect(try added.isNew && run.restored("8") == ["single.pt": [1, 2, 3]])
  }

  /// The same files are one checkpoint; others of the same step are its next attempt.
  @Test func attempts() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 5)
    #expect(try run.add(["m": [1]], step: 5).isNew == false)
    #expect(try run.add(["m": [2]], step: 5).checkpoint.name == "5@2")
    #expect(try run.add(["m": [1]], step: 5).checkpoint.name == "5")
    #expect(try run.listed() == ["5", "5@2"])
    #expect(try run.restored("5") == ["m": [2]] && run.restored("5@1") == ["m": [1]])
    #expect(rule { _ = try run.restored("5@3") } == .noSuchCheckpoint)
    #expect(rule { _ = try run.restored("x") } == .noSuchCheckpoint)
    #expect(rule { _ = try run.restored("5@") } == .noSuchCheckpoint)
  }

  /// Who adds again what is damaged in the archive must not be told that it is there.
  @Test func aDamagedTwinIsNoTwin() throws {
    let run = try Run()
    let files = ["m": run.weights()]
    let first = try run.add(files, step: 5)
    var bytes = try #require(TestFolder.read(first.container.path))
    bytes[bytes.count / 2] ^= 1
    TestFolder.write(first.container.path, bytes)
    let again = try run.add(files, step: 5)
    #expect(again.isNew && again.checkpoint.name == "5@2" && again.bases == [])
    #expect(again.warnings.contains { $0.contains("there, but damaged") })
    #expect(try run.restored("5") == files)
  }

  @Test func anArchiveIsNotAddedToItself() throws {
    let run = try Run()
    run.folder.write("m", [1])
    #expect(
      kind { _ = try Adder(run.archive(), AddOptions(PackOptions())).add(CheckpointFiles(run.folder.path), step: 1) }
        == .refused)
  }

  /// Two that were added at the same moment, of one step, are both there.
  @Test func twoOfOneAttempt() throws {
    let run = try Run()
    let first = try run.add(["m": [1]], step: 5)
    let bytes = try #require(TestFolder.read(first.container.path))
    run.folder.removeLink("run/ckpt/" + first.container.name.text)
    try run.add(["m": [2]], step: 5)
    run.folder.write("run/ckpt/" + first.container.name.text, bytes)
    #expect(try run.listed() == ["5", "5"])
    #expect(kind { _ = try run.restored("5") } == .refused)
    #expect(try run.restored("id:\(first.checkpoint.identity)") == ["m": [1]])
  }

  /// Each is differences to the one before, down to the depth; then to the one at the root.
  @Test func depthIsBounded() throws {
    let run = try Run()
    var weights = run.weights(20_000)
    var depths: [Int?] = []
    for step in 1...6 {
      try run.add(["m": weights], step: UInt64(step)) { $0.mostDepth = 2 }
      depths.append(try run.holdings().checkpoints().last?.depth)
      weights = run.changed(weights)
    }
    #expect(depths.allSatisfy { $0 != nil && $0! <= 2 } && depths.contains(2) && depths[0] == 0)
    #expect(try run.add(["m": weights], step: 7) { $0.mostDepth = 0 }.bases == [])
    #expect(try run.add(["m": run.changed(weights)], step: 8) { $0.standsAlone = true }.bases == [])
  }

  /// Names that differ in their numbers pair; a base in the past is preferred to one in the future.
  @Test func basesAreFoundByName() throws {
    let run = try Run()
    let weights = run.weights(20_000)
    try run.add(["ckpt-100.bin": weights], step: 100)
    let later = run.changed(weights)
    #expect(try run.add(["ckpt-200.bin": later], step: 200).bases == ["100"])
    #expect(try run.add(["ckpt-50.bin": run.changed(weights)], step: 50).bases == ["100"])
    #expect(try run.add(["other": run.weights(20_000)], step: 300).bases == [])
  }

  /// Equal files cost next to nothing, and the container depends on what is added alone.
  @Test func equalFilesAreStoredOnce() throws {
    let run = try Run()
    let (constant, weights) = (run.weights(100_000), run.weights(1000))
    try run.add(["vocabulary": constant, "m": weights], step: 1)
    let second = try run.add(["vocabulary": constant, "m": run.changed(weights)], step: 2)
    #expect(second.bases == ["1"] && second.container.byteCount < 8000)
  }

  @Test(
    arguments: [
      ("checkpoint-500", 500), ("checkpoint_7", 7), ("step-12", 12), ("step_12", 12), ("global_step300", 300),
      ("iter_0000100", 100), ("epoch=1-step=500.ckpt", 500), ("ckpt-900.safetensors", 900), ("900.safetensors", 900),
      ("900", 900), ("checkpoint", nil), ("model", nil), ("best", nil), ("checkpoint-1000000000000", nil),
      ("Checkpoint-8", 8), ("last.ckpt", nil), ("stepper-3", nil),
    ] as [(String, UInt64?)]) func steps(_ name: String, _ expected: UInt64?)
  { #expect(step(inName: name) == expected) }

  private func safetensors(_ count: Int, cut: Int = 0) -> [UInt8] {
    let header = Array(#"{"w":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}}"#.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + [UInt8](repeating: 1, count: count - cut)
  }

  @Test func whatIsNotCompleteIsRefused() throws {
    let run = try Run()
    let index = Array(#"{"metadata":{"total_size":3},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}}"#.utf8)
    let shard = safetensors(100)
    let incomplete: [[String: [UInt8]]] = [
      ["m.safetensors.index.json": index, "m-1.safetensors": shard],
      ["m.safetensors.index.json": Array(index.dropLast()), "m-1.safetensors": shard, "m-2.safetensors": shard],
      ["sub/m.safetensors.index.json": index, "sub/m-1.safetensors": shard, "m-2.safetensors": shard],
      ["m.safetensors": safetensors(100, cut: 1)], ["m.safetensors": Array(shard.prefix(20))],
      ["m.pt": [0x50, 0x4B, 3, 4, 0, 0]], ["__0_0.distcp": [1]], ["a.tmp": [1]], ["x/y.incomplete": [1]],
    ]
    for files in incomplete {
      #expect(rule { try run.add(files, step: 1) } == .incomplete, "\(files.keys.sorted())")
      #expect(run.folder.files("run/ckpt").isEmpty)
    }
    run.write(["training_args.bin": [1], "optimizer.pt": [1]], as: "checkpoint-3")
    func add(_ name: String) throws {
      _ = try Adder(run.archive(), AddOptions(PackOptions())).add(CheckpointFiles(run.folder(name)), step: 3)
    }
    #expect(rule { try add("checkpoint-3") } == .incomplete)
    run.write(
      ["trainer_state.json": [1], "model.safetensors": shard, "scheduler.pt": [1], "rng_state.pth": [1]],
      as: "checkpoint-3")
    try add("checkpoint-3")
    run.write(["m": [1]], as: "tmp-checkpoint-4")
    #expect(rule { try add("tmp-checkpoint-4") } == .incomplete)
    let complete: [[String: [UInt8]]] = [
      ["m.safetensors.index.json": index, "m-1.safetensors": shard, "m-2.safetensors": shard],
      ["m.pt": [0x50, 0x4B, 3, 4] + [0x50, 0x4B, 5, 6] + [UInt8](repeating: 0, count: 18)],
      ["__0_0.distcp": [1], ".metadata": [2]], ["o.index.json": Array(#"{"a":[1,-2]}"#.utf8)],
    ]
    for (number, files) in complete.enumerated() { try run.add(files, step: UInt64(10 + number)) }
    try run.add(incomplete[0], step: 20) { $0.takesIncomplete = true }
    #expect(try run.restored("20") == incomplete[0])
  }

  @Test func retentionSaysWhy() throws {
    let run = try Run()
    for step in [100, 150, 200, 250, 300] as [UInt64] { try run.add(["m": [UInt8(step / 10)]], step: step) }
    try run.tag("150", "best")
    var retention = Retention()
    (retention.last, retention.every, retention.keepsFirst) = (1, 200, true)
    let decisions = retention.decisions(try run.holdings())
    #expect(
      decisions.map(\.reasons) == [
        ["the first"], ["tag best"], ["a multiple of 200"], [], ["the newest", "one of the last 1"],
      ])
    let plan = try Pruner(run.archive(), retention).plan()
    #expect(plan.waiting.count == 1 && plan.decisions.count == 5)
    #expect(try run.listed().count == 5 && run.folder.files("run/gone").isEmpty)
    #expect(try run.prune().decisions.allSatisfy { $0.isKept })
  }
}
