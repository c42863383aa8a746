import Swzip
import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

/// What others do in the middle of an operation.
struct ProtocolTests {
  /// 1, and 2 as differences to it; more than a batch, so that something can happen in between.
  private func pair() throws -> (run: Run, weights: [UInt8]) {
    let run = try Run()
    let weights = run.weights(40_000)
    try run.add(["m": weights], step: 1)
    return (run, weights)
  }

  private func mark(_ run: Run, _ name: String) { run.folder.writeDeep("run/doom/\(name).doom", []) }

  /// A base that is doomed, or gone, when the container is about to be published.
  @Test(arguments: [false, true]) func aBaseThatGoesIsNotReliedOn(_ removes: Bool) throws {
    let (run, weights) = try pair()
    let base = try run.holdings().containers[0].name.text
    let next = run.changed(weights)
    var isDone = false
    func interfere(_ byteCount: UInt64) {
      guard !isDone else { return }
      isDone = true
      if removes { run.folder.removeLink("run/ckpt/" + base) } else { mark(run, base) }
    }
    let added = try run.add(["m": next], step: 2, progress: interfere)
    #expect(isDone && added.bases == [] && added.warnings.count == 1)
    #expect(try run.restored("2") == ["m": next])
  }

  @Test func whatIsDoomedIsNoBase() throws {
    let (run, weights) = try pair()
    mark(run, try run.holdings().containers[0].name.text)
    #expect(try run.add(["m": run.changed(weights)], step: 2).bases == [])
    let plain = try pair()
    #expect(try plain.run.add(["m": plain.run.changed(plain.weights)], step: 2).bases == ["1"])
  }

  /// Seen in the end, or while it is read: who watches waits then.
  @Test(arguments: [80_000, 80_000_000]) func aSourceThatChangesIsRefused(_ byteCount: Int) throws {
    let run = try Run()
    run.write(["m": [UInt8](repeating: 7, count: byteCount)], as: "s")
    var isDone = false
    let error = #expect(throws: SwzipError.self) {
      _ = try Adder(run.archive(), AddOptions(PackOptions())).add(CheckpointFiles(run.folder("s")), step: 1) { _ in
        if !isDone { run.folder.write("s/m", [1, 2, 3]) }
        isDone = true
      }
    }
    #expect(isDone && error?.isSourceChange == true, "\(String(describing: error))")
    #expect(run.folder.files("run/ckpt").isEmpty)
  }

  /// Two phases: marked, then deleted; what is needed again lives on under another name.
  @Test func marksThenDeletes() throws {
    let (run, weights) = try pair()
    let second = run.changed(weights)
    try run.add(["m": second], step: 2)
    try run.add(["m": run.weights(100)], step: 3) { $0.standsAlone = true }
    try run.forget("1")
    let needed = try run.prune()
    #expect(needed.needed.count == 1 && needed.waiting.isEmpty && needed.removed.isEmpty)
    try run.forget("2")
    let marked = try run.prune(grace: 3600)
    #expect(marked.waiting.count == 2 && marked.removed.isEmpty)
    let names = try run.holdings().containers.map(\.name)
    try run.unforget("2")
    #expect(try run.listed() == ["2", "3"] && run.restored("2") == ["m": second])
    #expect(try run.holdings().doomed.isEmpty)
    // A prune that is still under way deletes by the old names.
    for name in names.prefix(2) { #expect(run.folder.read("run/ckpt/" + name.text) == nil) }
    #expect(try run.prune().removed.isEmpty && run.restored("2") == ["m": second])
    #expect(kind { _ = try run.restored("1") } == .refused)
    try run.forget("2")
    #expect(try run.prune().removed.count == 2 && run.listed() == ["3"])
    #expect(run.folder.files("run/doom").isEmpty && run.folder.files("run/ckpt").count == 1)
  }

  /// A container that came after the mark and needs what is doomed.
  @Test func whatIsNeededAgainIsRevived() throws {
    let (run, weights) = try pair()
    let second = run.changed(weights)
    try run.add(["m": second], step: 2)
    let names = try run.holdings().containers.map(\.name.text)
    let late = try #require(run.folder.read("run/ckpt/" + names[1]))
    run.folder.removeLink("run/ckpt/" + names[1])
    try run.add(["m": [1]], step: 3)
    try run.forget("1")
    #expect(try run.prune(grace: 3600).waiting.count == 1)
    run.folder.write("run/ckpt/" + names[1], late)
    let report = try run.prune()
    #expect(report.revived.count == 1 && report.removed.isEmpty)
    #expect(try run.listed() == ["2", "3"] && run.restored("2") == ["m": second])
    #expect(run.folder.read("run/ckpt/" + names[0]) == nil)
  }

  /// What is pruned in the middle of being listed again is not said to be there.
  @Test func whatLostItsBaseIsNotListedAgain() throws {
    let (run, weights) = try pair()
    try run.add(["m": run.changed(weights)], step: 2)
    try run.add(["m": [1]], step: 3)
    try run.forget("1", "2")
    let holdings = try run.holdings()
    let second = try holdings.checkpoint("2", forgotten: true)
    let base = try #require(holdings.containers.first { $0.record.step == 1 })
    run.folder.removeLink("run/ckpt/" + base.name.text)
    #expect(kind { try run.archive().unforget(second, in: holdings) } == .refused)
    #expect(try run.listed() == ["3"] && run.prune().removed.count == 1)
  }

  /// An adder that was killed before it found that its base had been pruned leaves what keeps prune from working: the line says what
  /// to do, and so does adding it again.
  @Test(arguments: [false, true]) func whatAKilledAdderLeavesIsTakenBack(_ isForgotten: Bool) throws {
    let (run, weights) = try pair()
    let files = ["m": run.changed(weights)]
    let left = try run.add(files, step: 2)
    try run.add(["m": [1]], step: 3)
    let base = try #require(run.holdings().containers.first { $0.record.step == 1 })
    try run.forget("1")
    run.folder.removeLink("run/ckpt/" + base.name.text)
    let error = #expect(throws: SwzipError.self) { _ = try run.prune() }
    let words = try #require(error?.text.split(separator: "swzip archive forget \(run.path) ").last.map(String.init))
    #expect(error?.kind == .base && words == "id:\(left.checkpoint.identity.description.prefix(12))")
    if isForgotten {
      try run.forget(words)
      #expect(try run.listed() == ["3"])
    } else {
      let again = try run.add(files, step: 2)
      #expect(again.isNew && again.checkpoint.name == "2@2" && again.bases == [])
      #expect(try run.listed() == ["2@2", "3"] && run.restored("2") == files)
    }
    #expect(try run.prune().removed.map(\.name) == [left.container.name])
  }

  /// A base whose grace is over stays as long as what is read through it is in its own.
  @Test func whatIsForgottenCanBeHadUntilItGoes() throws {
    let (run, weights) = try pair()
    let second = run.changed(weights)
    try run.add(["m": second], step: 2)
    try run.add(["m": [1]], step: 3)
    try run.forget("1", "2")
    #expect(try run.prune(grace: 3600).waiting.count == 2)
    for name in try run.holdings().doomed.keys where name.step == 1 {
      run.folder.setTime("run/doom/\(name.text).doom", seconds: 1_000_000_000, nanoseconds: 0)
    }
    let report = try run.prune(grace: 3600)
    #expect(report.removed.isEmpty && report.waiting.count == 2)
    try run.unforget("2")
    #expect(try run.restored("2") == ["m": second])
  }

  @Test func theLastAndTheTaggedStay() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    #expect(kind { try run.forget("1") } == .refused)
    try run.add(["m": [2]], step: 2)
    try run.tag("1", "best")
    #expect(kind { try run.forget("1") } == .refused)
    #expect(kind { try run.forget("latest", "1") } == .refused)
    let report = try run.prune { $0.last = 1 }
    #expect(report.decisions.map(\.isKept) == [true, true] && report.decisions[0].reasons == ["tag best"])
    try run.archive().removeTag("best")
    #expect(try run.prune { $0.last = 1 }.removed.count == 1 && run.listed() == ["2"])
    #expect(kind { try run.archive().removeTag("best") } == .refused)
  }

  /// A tag, and a prune that forgets, at the same moment: which came first does not matter.
  @Test func aTagKeepsWhatIsForgotten() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    try run.add(["m": [2]], step: 2)
    try run.tag("1", "best")
    run.folder.writeDeep("run/gone/\(try run.holdings().containers[0].name.text).gone", [])
    #expect(try run.listed() == ["1", "2"] && run.restored("best") == ["m": [1]])
    #expect(try run.prune { $0.last = 1 }.removed.isEmpty && run.restored("best") == ["m": [1]])
    #expect(try Verification(run.path, .full, threads: 1).findings.isEmpty)
    try run.archive().removeTag("best")
    #expect(try run.listed() == ["2"] && run.prune().removed.count == 1)
  }

  /// What was interrupted is run again.
  @Test func forgettingTwiceIsForgettingOnce() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    try run.add(["m": [2]], step: 2)
    for _ in 0..<2 {
      let holdings = try run.holdings()
      try run.archive().forget([holdings.checkpoint("1", preferringForgotten: false)], in: holdings)
      #expect(try run.listed() == ["2"])
    }
    for _ in 0..<2 {
      let holdings = try run.holdings()
      try run.archive().unforget(holdings.checkpoint("1", preferringForgotten: true), in: holdings)
      #expect(try run.listed() == ["1", "2"])
    }
  }

  /// A copy whose files come in another order, and a union with an older one.
  @Test func copiesAreArchives() throws {
    let (run, weights) = try pair()
    let second = run.changed(weights)
    try run.add(["m": second], step: 2)
    let files = run.folder.files("run")
    let names = files.keys.filter { $0.hasPrefix("ckpt/") }.sorted()
    run.folder.removeLink("run/" + names[0])
    #expect(rule { _ = try run.restored("2") } == .notInArchive)
    #expect(rule { _ = try run.restored("latest") } == .noSuchCheckpoint)
    #expect(kind { _ = try run.prune() } == .base)
    run.folder.write("run/" + names[0], try #require(files[names[0]]))
    #expect(try run.restored("latest") == ["m": second])
    try run.add(["m": [1]], step: 3)
    try run.forget("1", "2")
    #expect(try run.prune().removed.count == 2)
    for name in names { run.folder.write("run/" + name, try #require(files[name])) }
    #expect(try run.listed() == ["3"])
    #expect(try run.prune().removed.count == 2 && run.folder.files("run/ckpt").count == 1)
  }

  @Test func latestPassesOverWhatCannotBeRestored() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    try run.add(["m": [2]], step: 2)
    let name = try run.holdings().containers[1].name.text
    run.folder.write("run/ckpt/" + name, [1, 2, 3])
    let open = try run.archive().open("latest")
    #expect(open.checkpoint.name == "1" && open.passedOver.count == 1 && open.passedOver[0].contains(name))
  }
}
