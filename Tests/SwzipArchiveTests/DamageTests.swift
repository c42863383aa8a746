import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

struct DamageTests {
  /// Three checkpoints: 20 needs 10, 30 stands alone; 30 has a tag, a fourth one is forgotten.
  private func small() throws -> Run {
    let run = try Run()
    try run.add(Self.files["10"]!, step: 10)
    let second = try run.add(Self.files["20"]!, step: 20)
    #expect(second.bases == ["10"])
    try run.add(Self.files["30"]!, step: 30) { $0.standsAlone = true }
    try run.add(["n": [4, 5, 6]], step: 40) { $0.standsAlone = true }
    try run.tag("30", "best")
    try run.forget("40")
    return run
  }

  private static let original = (0..<6000).map { UInt8(truncatingIfNeeded: $0 / 7) }
  private static let files: [String: [String: [UInt8]]] = [
    "10": ["m": original], "20": ["m": original, "x": [9]], "30": ["n": [1, 2, 3]], "best": ["n": [1, 2, 3]],
  ]

  /// Checkpoints that are not restored as they were; of the forgotten one its container tells.
  private func lost(_ run: Run, _ name: String) -> Set<String> {
    let lost = Self.files.filter { (try? run.restored($0.key)) != $0.value }.keys.map { $0 == "best" ? "30" : $0 }
    return Set(lost + (name.contains("s000000000040") ? ["40"] : []))
  }

  /// Of each byte of each file; what restoring says is the measure.
  @Test(arguments: 0..<4) func everyFlipIsFoundAndNamesWhatItCosts(_ part: Int) throws {
    let run = try small()
    var flips = 0
    for (name, bytes) in run.folder.files("run").sorted(by: { $0.key < $1.key }) {
      for place in bytes.indices where place % 4 == part {
        var damaged = bytes
        damaged[place] ^= [1, 0x80, 0xFF, 0x10][place / 4 % 4]
        run.folder.write("run/" + name, damaged)
        // A damaged tag names nothing: what it named is there.
        let expected = name.hasPrefix("ckpt/") ? lost(run, name) : []
        for depth in [Verification.Depth.stored, .full] {
          let found = try Verification(run.path, depth, threads: 1)
          if !found.findings.contains(where: { $0.path.hasSuffix(name) }) || Set(found.affected) != expected {
            Issue.record(
              "\(name) byte \(place), \(depth): \(found.findings) costs \(found.affected), not \(expected)")
            return
          }
        }
        flips += 1
      }
      run.folder.write("run/" + name, bytes)
    }
    #expect(try flips > 400 && Verification(run.path, .full, threads: 1).findings.isEmpty)
  }

  @Test func cutAndMissingFilesAreFound() throws {
    let run = try small()
    for (name, bytes) in run.folder.files("run") where name.hasPrefix("ckpt/") {
      for count in [0, 1, 63, bytes.count / 2, bytes.count - 1] {
        run.folder.write("run/" + name, Array(bytes.prefix(count)))
        #expect(try Set(Verification(run.path, .quick, threads: 1).affected) == lost(run, name))
      }
      run.folder.write("run/" + name, bytes + [0])
      #expect(try !Verification(run.path, .quick, threads: 1).findings.isEmpty)
      run.folder.removeLink("run/" + name)
      let found = try Verification(run.path, .full, threads: 1)
      // Of what is not there nothing can be said, but for a tag.
      let step = String(name.dropFirst("ckpt/s".count).prefix(12).drop { $0 == "0" })
      #expect(Set(found.affected) == lost(run, "").subtracting([step]))
      #expect(found.findings.isEmpty == ["20", "40"].contains(step))
      run.folder.write("run/" + name, bytes)
    }
  }

  /// Three checkpoints of two tensors and a file that each brings anew: later ones need the tensors of the first alone.
  private func chain() throws -> (run: Run, files: [String: [String: [UInt8]]]) {
    let run = try Run()
    var (a, b) = (run.weights(100_000), run.weights(100_000))
    var files: [String: [String: [UInt8]]] = [:]
    for step in 1...3 {
      let header = Array(
        #"{"a":{"dtype":"BF16","shape":[100000],"data_offsets":[0,200000]},"b":{"dtype":"BF16","shape":[100000],"data_offsets":[200000,400000]}}"#
          .utf8)
      let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
      files["\(step)"] = ["m.safetensors": length + header + a + b, "noise": run.weights(150_000)]
      try run.add(files["\(step)"]!, step: UInt64(step))
      (a, b) = (run.changed(a), run.changed(b))
    }
    #expect(try run.holdings().checkpoints().map(\.depth) == [0, 1, 2])
    return (run, files)
  }

  private func isRestored(_ run: Run, _ files: [String: [String: [UInt8]]], _ step: String) -> Bool {
    (try? run.restored(step)) == files[step]
  }

  /// All damage is listed, by file, tensor and range, and costs what is read through it, no more.
  @Test func damageIsNamedByRange() throws {
    let (run, files) = try chain()
    let container = try run.holdings().containers[0]
    let whole = try #require(TestFolder.read(container.path))
    var seen = Set<String>()
    for place in stride(from: 100, to: whole.count, by: whole.count / 60) {
      var bytes = whole
      for place in [place, place + 1, (place + whole.count / 2) % whole.count] { bytes[place] ^= 0x55 }
      TestFolder.write(container.path, bytes)
      let expected = Set(files.keys.filter { !isRestored(run, files, $0) })
      for depth in [Verification.Depth.stored, .full] {
        let found = try Verification(run.path, depth, threads: 2)
        #expect(Set(found.affected) == expected && !expected.isEmpty, "\(place) \(depth): \(found.findings)")
        for part in found.findings.compactMap(\.part) {
          seen.insert(part.file + ":" + part.tensors.joined(separator: "+"))
          #expect(part.range.upperBound <= UInt64(files["1"]![part.file]!.count))
        }
      }
    }
    #expect(seen.isSuperset(of: ["m.safetensors:a", "m.safetensors:b", "noise:"]))
    TestFolder.write(container.path, whole)
    #expect(try Verification(run.path, .full, threads: 2).findings.isEmpty)
  }

  /// A lost keyframe, or a link of a chain.
  @Test func lostContainersCostWhatNeedsThem() throws {
    let (run, files) = try chain()
    for (number, container) in try run.holdings().containers.enumerated() {
      let bytes = try #require(TestFolder.read(container.path))
      run.folder.removeLink("run/ckpt/" + container.name.text)
      for depth in [Verification.Depth.quick, .stored, .full] {
        let found = try Verification(run.path, depth, threads: 2)
        #expect(found.affected == ["2", "3"].suffix(2 - number))
        #expect(Set(files.keys.filter { isRestored(run, files, $0) }) == Set(["1", "2", "3"].prefix(number)))
      }
      TestFolder.write(container.path, bytes)
    }
  }

  @Test func samplesAreAllInTurn() throws {
    let run = try Run()
    for step in 1...12 as ClosedRange<UInt64> { try run.add(["m": [UInt8(step)]], step: step) }
    let path = try run.holdings().containers[4].path
    var bytes = try #require(TestFolder.read(path))
    bytes[70] ^= 1
    TestFolder.write(path, bytes)
    let all = try (100...103 as ClosedRange<UInt64>).map { day in
      try Verification(run.path, .stored, sample: .init(percent: 25, day: day), threads: 1)
    }
    #expect(all.reduce(0) { $0 + $1.readCount } == 12 && all.count { !$0.findings.isEmpty } == 1)
    #expect(Verification.Sample(percent: 30, day: 7).parts == 4 && Verification.Sample(percent: 100, day: 7).part == 0)
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
