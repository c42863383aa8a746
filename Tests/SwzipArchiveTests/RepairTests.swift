import Swzip
import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

struct RepairTests {
  /// A chain of three, a fourth that stands alone and has a tag, a fifth that is forgotten; and a copy of it all.
  private func made() throws -> (run: Run, files: [String: [String: [UInt8]]]) {
    let run = try Run()
    var weights = run.weights(20_000)
    var files: [String: [String: [UInt8]]] = [:]
    for step in 1...5 {
      files["\(step)"] = ["m": step < 4 ? weights : run.weights(200), "x": [UInt8(step)]]
      try run.add(files["\(step)"]!, step: UInt64(step)) { $0.standsAlone = step > 3 }
      weights = run.changed(weights)
    }
    #expect(try run.holdings().checkpoints().map(\.depth) == [0, 1, 2, 0, 0])
    try run.tag("4", "best")
    try run.forget("5")
    files["best"] = files["4"]
    files["5"] = nil
    for (name, bytes) in run.folder.files("run") { run.folder.writeDeep("copy/" + name, bytes) }
    return (run, files)
  }

  private func repair(_ run: Run, from other: String? = "copy", isPlan: Bool = false) throws -> Repair.Report {
    try Repair(run.path, from: other.map { run.folder($0) }, .stored, threads: 1, isPlan: isPlan).run()
  }

  private func reset(_ run: Run, _ whole: [String: [UInt8]]) {
    for name in run.folder.files("run").keys where whole[name] == nil { run.folder.removeLink("run/" + name) }
    for (name, bytes) in whole { run.folder.writeDeep("run/" + name, bytes) }
  }

  private func restorable(_ run: Run, _ files: [String: [String: [UInt8]]]) -> Set<String> {
    Set(files.keys.filter { (try? run.restored($0)) == files[$0] })
  }

  /// Bytes flipped, files cut, files lost: of every file.
  @Test(arguments: 0..<3) func aCopyBringsAllBack(_ kind: Int) throws {
    let (run, files) = try made()
    let whole = run.folder.files("run")
    for (name, bytes) in whole.sorted(by: { $0.key < $1.key }) {
      let places = kind == 0 ? Array(stride(from: 0, to: bytes.count, by: max(1, bytes.count / 7))) : [bytes.count / 2]
      for place in places {
        switch kind {
        case 0:
          var damaged = bytes
          damaged[place] ^= 0x21
          run.folder.write("run/" + name, damaged)
        case 1: run.folder.write("run/" + name, Array(bytes.prefix(place)))
        // Of what is not there but needed by others, or named by a tag.
        default:
          guard !name.hasPrefix("tags/"), !name.hasPrefix("gone/") else { continue }
          run.folder.removeLink("run/" + name)
        }
        let before = run.folder.files("run")
        let plan = try repair(run, isPlan: true)
        #expect(run.folder.files("run") == before, "\(name): a plan writes")
        let report = try repair(run)
        let after = run.folder.files("run")
        #expect(Set(before.values).isSubset(of: Set(after.values)), "\(name): something is deleted")
        #expect(report.isDone && report.left.isEmpty && report.unusable.isEmpty, "\(name) \(place): \(report)")
        #expect(
          plan.taken.map(\.path) == report.taken.map(\.path) && plan.moved == report.moved
            && plan.unreadable == report.unreadable && plan.rewritten == report.rewritten, "\(name): \(plan)")
        let missing = report.elsewhere
        #expect(missing.isEmpty || kind == 2 && name.contains("s00000000000\(missing[0])"))
        #expect(restorable(run, files) == Set(files.keys).subtracting(missing), "\(name) \(place): \(report)")
        let found = try Verification(run.path, .full, threads: 1)
        #expect(found.findings.isEmpty, "\(name) \(place): \(found.findings)")
        #expect(try run.listed() == ["1", "2", "3", "4"].filter { !missing.contains($0) })
        let again = try repair(run)
        #expect(again.isDone && again.moved.isEmpty && again.taken.isEmpty && again.rewritten.isEmpty)
        reset(run, whole)
      }
    }
  }

  /// Without a copy: what was read before is read after, also through containers that are damaged elsewhere.
  @Test func nothingThatCanBeReadIsLost() throws {
    let (run, files) = try made()
    let whole = run.folder.files("run")
    var kept = 0
    for (name, bytes) in whole.sorted(by: { $0.key < $1.key }) where name.hasPrefix("ckpt/") {
      for place in stride(from: 3, to: bytes.count, by: max(1, bytes.count / 25)) {
        var damaged = bytes
        damaged[place] ^= 0x80
        run.folder.write("run/" + name, damaged)
        let before = run.folder.files("run")
        let possible = restorable(run, files)
        let report = try repair(run, from: nil)
        #expect(Set(before.values).isSubset(of: Set(run.folder.files("run").values)))
        #expect(restorable(run, files) == possible, "\(name) \(place): \(report)")
        let costs = Set(files.keys).subtracting(possible).subtracting(["best"])
        #expect(Set(report.unreadable).subtracting(["5"]) == costs, "\(name) \(place): \(report)")
        #expect(report.moved.count + report.left.count == 1)
        kept += report.left.count
        reset(run, whole)
      }
    }
    #expect(kept > 0)
  }

  /// Two that are damaged, each with a copy of the other's: another encoding will do.
  @Test func otherEncodingsServe() throws {
    let (run, files) = try made()
    let whole = run.folder.files("run")
    for name in run.folder.files("copy/ckpt").keys where name.contains("s000000000002") {
      run.folder.removeLink("copy/ckpt/" + name)
    }
    run.write(files["2"]!, as: "again")
    var options = AddOptions(PackOptions())
    options.standsAlone = true
    _ = try Adder(Archive(run.folder("copy")), options).add(CheckpointFiles(run.folder("again")), step: 2)
    for (name, bytes) in whole where name.contains("s000000000002") || name.contains("s000000000001") {
      run.folder.write("run/" + name, Array(bytes.dropLast()))
    }
    let report = try repair(run)
    #expect(report.isDone && report.taken.map(\.checkpoint).sorted() == ["1", "2"] && report.moved.count == 2)
    #expect(try restorable(run, files) == Set(files.keys) && Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  /// A copy with damage of its own is no help, and does no harm.
  @Test func damagedCopiesAreNotTaken() throws {
    let (run, files) = try made()
    let name = try #require(run.folder.files("run/ckpt").keys.min())
    for place in ["run", "copy"] {
      var bytes = try #require(run.folder.read("\(place)/ckpt/\(name)"))
      bytes[bytes.count / 3] ^= 1
      run.folder.write("\(place)/ckpt/\(name)", bytes)
    }
    let before = restorable(run, files)
    let report = try repair(run)
    #expect(!report.isDone && report.unusable.count == 1 && report.taken.isEmpty)
    #expect(restorable(run, files) == before && Set(report.unreadable) == ["1", "2", "3"])
  }

  @Test func onlyCopiesOfTheSameArchive() throws {
    let (run, _) = try made()
    let other = try Run()
    #expect(kind { _ = try Repair(run.path, from: other.path, .quick, threads: 1).run() } == .refused)
    run.folder.write("run/SWZARCHIVE", [1])
    #expect(kind { _ = try Repair(run.path, from: other.path, .quick, threads: 1).run() } == .refused)
    #expect(rule { _ = try Repair(run.folder("none"), from: nil, .quick, threads: 1).run() } == .noArchive)
  }

  /// What lies in quarantine counts for nothing.
  @Test func quarantineIsLeftAlone() throws {
    let (run, files) = try made()
    let name = try #require(run.folder.files("run/ckpt").keys.max())
    let bytes = try #require(run.folder.read("run/ckpt/" + name))
    for _ in 0..<2 {
      run.folder.write("run/ckpt/" + name, Array(bytes.dropLast(7)))
      #expect(kind { _ = try run.prune() } == .corrupt)
      #expect(try repair(run).moved.count == 1)
    }
    #expect(run.folder.files("run/quarantine").count == 2)
    #expect(try Verification(run.path, .full, threads: 1).quarantine.count == 2)
    #expect(try run.prune().removed.count == 1 && restorable(run, files) == Set(files.keys))
    #expect(run.folder.files("run/quarantine").count == 2)
  }
}
