import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

struct DamageTests {
  /// Three checkpoints: 20 needs 10, 30 stands alone; 30 has a tag, a fourth one is forgotten.
  private func small() throws -> Run {
    let run = try Run()
    let text = (0..<6000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    try run.add(["m": text], step: 10)
    let second = try run.add(["m": text, "x": [9]], step: 20)
    #expect(second.bases == ["10"])
    try run.add(["n": [1, 2, 3]], step: 30) { $0.standsAlone = true }
    try run.add(["n": [4, 5, 6]], step: 40) { $0.standsAlone = true }
    try run.tag("30", "best")
    try run.forget("40")
    return run
  }

  @Test(arguments: 0..<4) func everyFlipIsFoundAndNamesWhatItCosts(_ part: Int) throws {
    let run = try small()
    var flips = 0
    for (name, bytes) in run.folder.files("run").sorted(by: { $0.key < $1.key }) {
      for place in bytes.indices where place % 4 == part {
        var damaged = bytes
        damaged[place] ^= [1, 0x80, 0xFF, 0x10][place / 4 % 4]
        run.folder.write("run/" + name, damaged)
        let found = try Verification(run.path, decodes: true, threads: 1)
        let expected = name.hasPrefix("ckpt/") ? Self.costs(of: name) : []
        if found.findings.isEmpty || Set(found.affected) != Set(expected) {
          Issue.record("\(name) byte \(place): \(found.findings.map(\.error.text)) costs \(found.affected)")
          return
        }
        flips += 1
      }
      run.folder.write("run/" + name, bytes)
    }
    #expect(try flips > 400 && Verification(run.path, decodes: true, threads: 1).findings.isEmpty)
  }

  private static func costs(of name: String) -> [String] {
    let step = String(name.dropFirst("ckpt/s".count).prefix(12).drop { $0 == "0" })
    return step == "10" ? ["10", "20"] : [step]
  }

  @Test func cutAndMissingFilesAreFound() throws {
    let run = try small()
    for (name, bytes) in run.folder.files("run") where name.hasPrefix("ckpt/") {
      for count in [0, 1, 63, bytes.count / 2, bytes.count - 1] {
        run.folder.write("run/" + name, Array(bytes.prefix(count)))
        #expect(try Verification(run.path, decodes: false, threads: 1).affected.contains(Self.costs(of: name)[0]))
      }
      run.folder.write("run/" + name, bytes + [0])
      #expect(try !Verification(run.path, decodes: false, threads: 1).findings.isEmpty)
      run.folder.removeLink("run/" + name)
      let found = try Verification(run.path, decodes: true, threads: 1)
      #expect(found.affected == (Self.costs(of: name) == ["10", "20"] ? ["20"] : []))
      run.folder.write("run/" + name, bytes)
    }
  }

  /// What is damaged keeps a prune from deleting, and others from being restored only where they need it.
  @Test func damageStopsPruning() throws {
    let run = try small()
    try run.forget("10", "20")
    let name = try #require(run.folder.files("run").keys.first { $0.contains("s000000000030") })
    let bytes = try #require(run.folder.read("run/" + name))
    run.folder.write("run/" + name, Array(bytes.dropLast()))
    #expect(kind { _ = try run.prune() } == .corrupt)
    #expect(try run.holdings().containers.count == 3)
    run.folder.write("run/" + name, bytes)
    let tag = try #require(run.folder.read("run/tags/best.tag"))
    run.folder.write("run/tags/best.tag", Array(tag.dropLast(2)))
    #expect(kind { _ = try run.prune() } == .corrupt)
    run.folder.write("run/tags/best.tag", tag)
    #expect(try run.prune().removed.count == 3 && run.restored("best") == ["n": [1, 2, 3]])
  }

  /// A base with damage is not used, and said.
  @Test func aDamagedBaseCostsBytesOnly() throws {
    let run = try Run()
    let weights = run.weights(40_000)
    try run.add(["m": weights], step: 1)
    let name = try #require(run.folder.files("run/ckpt").keys.first)
    var bytes = try #require(run.folder.read("run/ckpt/" + name))
    bytes[bytes.count / 2] ^= 1
    run.folder.write("run/ckpt/" + name, bytes)
    let next = run.changed(weights)
    let added = try run.add(["m": next], step: 2)
    #expect(added.bases == [] && added.warnings.count == 1 && added.warnings[0].contains(name))
    #expect(try run.restored("2") == ["m": next] && run.restored("latest") == ["m": next])
  }
}
