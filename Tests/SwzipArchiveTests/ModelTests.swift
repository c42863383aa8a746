import SwzipArchive
import SwzipCore
import Testing

/// Random operations beside a dictionary that says what must be had.
struct ModelTests {
  @Test(arguments: 1...6) func operationsAgreeWithADictionary(_ seed: UInt64) throws {
    let run = try Run(seed: seed)
    var model = Model()
    var last = ["model": run.weights(), "config.json": Array(#"{"a":1}"#.utf8)]
    for _ in 0..<30 {
      switch run.next(below: 10) {
      case 0...3:
        if run.next(below: 4) > 0 { last["model"] = run.changed(last["model"] ?? []) }
        let step = 10 * (run.next(below: 12) + 1)
        let added = try run.add(last, step: step) { $0.standsAlone = run.next(below: 4) == 0 }
        #expect(added.isNew == !model.listed.values.contains { $0.step == step && $0.files == last })
        if added.isNew {
          model.listed[added.checkpoint.identity] = Model.Entry(step: step, files: last)
        }
      case 4, 5:
        guard let entry = model.listed.keys.sorted(by: Model.order).randomly(run), model.listed.count > 1 else {
          continue
        }
        let words = "id:\(entry)"
        if model.tags.values.contains(entry) {
          #expect(kind { try run.forget(words) } == .refused)
        } else {
          try run.forget(words)
          model.forgotten[entry] = model.listed.removeValue(forKey: entry)
        }
      case 6:
        guard let entry = model.forgotten.keys.sorted(by: Model.order).randomly(run) else { continue }
        try run.unforget("id:\(entry)")
        model.listed[entry] = model.forgotten.removeValue(forKey: entry)
      case 7:
        guard let entry = model.listed.keys.sorted(by: Model.order).randomly(run) else { continue }
        let name = ["best", "b", "milestone-1"][Int(run.next(below: 3))]
        try run.tag("id:\(entry)", name)
        model.tags[name] = entry
      default:
        let keepLast = run.next(below: 3) == 0 ? Int(run.next(below: 4)) + 1 : nil
        let grace: Int64 = run.next(below: 2) == 0 ? 0 : 1000
        let report = try run.prune({ $0.last = keepLast }, grace: grace)
        for decision in report.decisions where !decision.isKept {
          #expect(keepLast != nil && !model.tags.values.contains(decision.checkpoint.identity))
          model.forgotten[decision.checkpoint.identity] = model.listed.removeValue(forKey: decision.checkpoint.identity)
        }
        let left = Set(try run.holdings().checkpoints(forgotten: true).map(\.identity))
        if grace == 0 {
          // What is left of the forgotten is what others need.
          #expect(Set(report.needed.map(\.identity)).isSuperset(of: left))
          #expect(try run.prune().removed.isEmpty)
        }
        model.forgotten = model.forgotten.filter { left.contains($0.key) }
      }
      try model.compare(run)
    }
    #expect(try Verification(run.path, .full, threads: 1).findings.isEmpty)
  }
}

private struct Model {
  struct Entry: Equatable {
    let step: UInt64
    let files: [String: [UInt8]]
  }

  var listed: [Digest: Entry] = [:]
  var forgotten: [Digest: Entry] = [:]
  var tags: [String: Digest] = [:]

  static func order(_ left: Digest, _ right: Digest) -> Bool { left.description < right.description }

  func compare(_ run: Run) throws {
    let holdings = try run.holdings()
    #expect(Set(holdings.checkpoints().map(\.identity)) == Set(listed.keys))
    #expect(Set(holdings.checkpoints(forgotten: true).map(\.identity)) == Set(forgotten.keys))
    #expect(holdings.unreadable.isEmpty && holdings.isSettled)
    #expect(Dictionary(holdings.tags.map { ($0.name, $0.identity) }) { first, _ in first } == tags)
    for (identity, entry) in listed { #expect(try run.restored("id:\(identity)") == entry.files) }
    for (name, identity) in tags { #expect(try run.restored(name) == listed[identity]?.files) }
    #expect(try listed.isEmpty || run.archive().open("latest").checkpoint.step == listed.values.map(\.step).max())
  }
}

extension Array {
  fileprivate func randomly(_ run: Run) -> Element? { isEmpty ? nil : self[Int(run.next(below: UInt64(count)))] }
}
