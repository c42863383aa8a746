import Swzip
import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

/// Checkpoints whose ranks add their parts.
struct PartTests {
  /// What ranks of a sharded run write to one folder.
  private func shards(_ run: Run, ranks: Int, _ weights: [UInt8]? = nil) -> [String: [UInt8]] {
    var files = ["config.json": Array("{}".utf8)]
    for rank in 0..<ranks { files["state/rank_\(rank).pt"] = weights.map { run.changed($0) } ?? run.weights(600) }
    return files
  }

  @discardableResult
  private func add(
    _ run: Run, _ place: String, _ part: Int, of count: Int, step: UInt64 = 5, group: String? = nil,
    archive: String = "run"
  ) throws -> Addition {
    var options = AddOptions(PackOptions())
    options.part = PartOption(number: UInt16(part), count: UInt16(count), group: group)
    return try Adder(Archive(run.folder(archive)), options).add(CheckpointFiles(run.folder(place)), step: step)
  }

  @Test func aCheckpointIsAllItsParts() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    let files = shards(run, ranks: 4)
    run.write(files, as: "s")
    for (count, part) in [2, 0, 3, 1].enumerated() {
      #expect(try run.archive().open("latest").checkpoint.name == "1")
      if count > 0 {
        let lack = try #require(try run.holdings().checkpoints().last)
        #expect(lack.parts.count == count && lack.partCount == 4 && lack.depth == nil)
        #expect(rule { _ = try run.restored("5") } == .missingParts)
        #expect(try run.archive().open("latest").passedOver == ["5 is newer, but has \(count) of 4 parts"])
      }
      #expect(try add(run, "s", part, of: 4).isNew && !add(run, "s", part, of: 4).isNew)
    }
    #expect(try run.restored("latest") == files && run.listed() == ["1", "5"])
    #expect(
      try run.archive().open("5", part: 0).parts[0].stored.files.map(\.name) == ["config.json", "state/rank_0.pt"])
    #expect(try Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  /// A run that dies while it adds, and its successor that writes the same step again: whatever the order in which parts come to which
  /// copy of the archive, no checkpoint has parts of both.
  @Test(arguments: 1...8) func savesAreNotMixed(_ seed: UInt64) throws {
    let run = try Run(seed: seed)
    run.folder.writeDeep("other/SWZARCHIVE", try #require(run.folder.read("run/SWZARCHIVE")))
    let saves = [shards(run, ranks: 3), shards(run, ranks: 3)]
    for (number, files) in saves.enumerated() { run.write(files, as: "s\(number)") }
    var todo = (0..<6).flatMap { [$0, $0] }
    while !todo.isEmpty {
      let next = todo.remove(at: Int(run.next(below: UInt64(todo.count))))
      try add(run, "s\(next / 3)", next % 3, of: 3, archive: run.next(below: 2) == 0 ? "run" : "other")
      for checkpoint in try run.holdings().checkpoints() where checkpoint.depth != nil {
        #expect(try saves.contains(run.restored("id:\(checkpoint.identity)")))
      }
    }
    // A union, twice.
    for _ in 0..<2 {
      for (name, bytes) in run.folder.files("other") { run.folder.writeDeep("run/" + name, bytes) }
    }
    let all = try run.holdings().checkpoints()
    #expect(all.count == 2 && all.allSatisfy { $0.depth != nil })
    #expect(Set(try all.map { try run.restored("id:\($0.identity)") }) == Set(saves))
    #expect(try Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  /// Ranks that have a folder each: a word says which belong together.
  @Test func groups() throws {
    let run = try Run()
    for rank in 0..<2 { run.write(["common": [7], "rank-\(rank)": [UInt8(rank)]], as: "r\(rank)") }
    for rank in 0..<2 { #expect(try add(run, "r\(rank)", rank, of: 2, group: "a").checkpoint.name == "5") }
    #expect(try run.restored("5") == ["common": [7], "rank-0": [0], "rank-1": [1]])
    // Other files are another save.
    run.write(["rank-1": [9]], as: "r1")
    #expect(kind { try add(run, "r1", 1, of: 2, group: "a") } == .refused)
    #expect(try run.holdings().containers.count == 2)
    #expect(try add(run, "r1", 1, of: 2, group: "b").checkpoint.name == "5@2")
    #expect(rule { _ = try run.restored("5") } == .missingParts)
    #expect(try run.restored("5@1")["rank-1"] == [1])
    // Files of one name that differ are restored apart.
    run.write(["rank-1": [8]], as: "r0")
    #expect(try add(run, "r0", 0, of: 2, group: "b").checkpoint.depth == 0)
    #expect(kind { _ = try run.restored("5@2") } == .refused)
    #expect(try run.archive().open("5@2", part: 1).parts.count == 1)
  }

  /// Two copies of an archive with the same part of a group, but other files: nobody is given either.
  @Test func aPartThatIsThereTwice() throws {
    let run = try Run()
    run.folder.writeDeep("other/SWZARCHIVE", try #require(run.folder.read("run/SWZARCHIVE")))
    run.write(["a": [0]], as: "r0")
    run.write(["b": [1]], as: "r1")
    run.write(["b": [2]], as: "r2")
    try add(run, "r0", 0, of: 2, group: "a")
    try add(run, "r1", 1, of: 2, group: "a")
    try add(run, "r2", 1, of: 2, group: "a", archive: "other")
    for (name, bytes) in run.folder.files("other") { run.folder.writeDeep("run/" + name, bytes) }
    #expect(rule { _ = try run.restored("5") } == .missingParts)
    #expect(try run.holdings().latest == nil)
    #expect(try run.prune { $0.last = 1 }.removed.isEmpty)
  }

  @Test func partsNeedFiles() throws {
    let run = try Run()
    run.write(shards(run, ranks: 2), as: "s")
    #expect(kind { try add(run, "s", 0, of: 3) } == .refused)
    #expect(kind { try add(run, "s/config.json", 0, of: 2) } == .refused)
    // Neighbours come together.
    let many = shards(run, ranks: 8)
    run.write(many, as: "many")
    let names = try (0..<3).map { try add(run, "many", $0, of: 3).container.files.map(\.name) }
    #expect(names[1] == ["state/rank_3.pt", "state/rank_4.pt", "state/rank_5.pt"])
    #expect(names.flatMap { $0 }.count == 9 && Set(names.flatMap { $0 }) == Set(many.keys))
    #expect(
      PartOption(number: 2, count: 2, group: nil) == nil && PartOption(number: 0, count: 1000, group: nil) == nil)
  }

  /// Differences to the same part of the checkpoint before; what another part holds too is stored once.
  @Test func partsHaveBases() throws {
    let run = try Run()
    let weights = run.weights(20_000)
    let constant = run.weights(20_000)
    for step in [10, 20] as [UInt64] {
      for rank in 0..<2 {
        run.write(["rank_\(rank).pt": run.changed(weights), "vocabulary_\(rank)": constant], as: "\(step)-\(rank)")
      }
    }
    let first = try (0..<2).map { try add(run, "10-\($0)", $0, of: 2, step: 10, group: "a") }
    #expect(first[0].bases == [] && first[1].bases == ["10"])
    #expect(first[1].container.byteCount < first[0].container.byteCount * 3 / 4)
    let second = try (0..<2).map { try add(run, "20-\($0)", $0, of: 2, step: 20, group: "a") }
    #expect(second.allSatisfy { $0.bases.contains("10") })
    #expect(try run.restored("20")["vocabulary_1"] == constant && run.holdings().latest?.name == "20")
  }

  @Test func incompleteOnesAreKeptForAWeek() throws {
    let run = try Run()
    run.write(shards(run, ranks: 3), as: "s")
    try run.add(["m": [1]], step: 1)
    try add(run, "s", 0, of: 3)
    let second = try add(run, "s", 2, of: 3).container
    try run.add(["m": [2]], step: 9)
    let young = try run.prune { $0.last = 1 }
    #expect(young.decisions.map(\.isKept) == [false, true, true])
    #expect(young.decisions[1].reasons == ["2 of 3 parts, more may come"])
    for container in try run.holdings().containers where container.record.parts == 3 {
      run.folder.setTime("run/ckpt/" + container.name.text, seconds: 1_700_000_000, nanoseconds: 0)
    }
    #expect(try run.prune().decisions.allSatisfy { $0.isKept })
    let old = try run.prune({ $0.last = 1 }, grace: 1000)
    #expect(old.decisions.map(\.isKept) == [false, true] && old.waiting.count == 2)
    // All that is there of it comes back together, also after half of it.
    run.folder.removeLink("run/gone/\(second.name.text).gone")
    #expect(try run.listed() == ["5", "9"])
    try run.unforget("5")
    #expect(try run.holdings().checkpoints().first?.parts.count == 2)
    try add(run, "s", 1, of: 3)
    #expect(try run.restored("5").count == 4)
    try run.tag("5", "best")
    #expect(kind { try run.forget("5") } == .refused)
    #expect(try run.prune { $0.last = 1 }.decisions.allSatisfy { $0.isKept })
  }

  /// A damaged or lost part costs its checkpoint, and no other.
  @Test func damageOfAPart() throws {
    let run = try Run()
    run.write(shards(run, ranks: 2), as: "s")
    try run.add(["m": [1]], step: 1)
    try add(run, "s", 0, of: 2)
    let name = try add(run, "s", 1, of: 2).container.name.text
    let bytes = try #require(run.folder.read("run/ckpt/" + name))
    for place in stride(from: 0, to: bytes.count, by: 97) {
      var damaged = bytes
      damaged[place] ^= 1
      run.folder.write("run/ckpt/" + name, damaged)
      let found = try Verification(run.path, .full, threads: 1)
      #expect(!found.findings.isEmpty && found.affected == ["5"], "\(place)")
    }
    run.folder.removeLink("run/ckpt/" + name)
    #expect(try run.archive().open("latest").checkpoint.name == "1")
    let again = try add(run, "s", 1, of: 2)
    #expect(try again.isNew && run.restored("latest").count == 3)
    // Who adds it once more heals it.
    var damaged = try #require(TestFolder.read(again.container.path))
    damaged[damaged.count / 2] ^= 1
    TestFolder.write(again.container.path, damaged)
    #expect(try add(run, "s", 1, of: 2).isNew && run.restored("latest").count == 3)
  }
}
