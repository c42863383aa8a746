import Swzip
import SwzipArchive
import SwzipCore
import SwzipNames
import SwzipSystem
import SwzipTestSupport
import Testing

struct RetentionTests {
  /// Checkpoints whose containers have these times, by step.
  private func run(_ times: [Int]) throws -> Run {
    let run = try Run()
    for (index, time) in times.enumerated() {
      let added = try run.add(["m": [UInt8(index)]], step: UInt64(index + 1)) { $0.standsAlone = true }
      run.folder.setTime("run/ckpt/" + added.container.name.text, seconds: time, nanoseconds: 0)
    }
    return run
  }

  private func kept(_ run: Run, _ change: (inout Retention) -> Void) throws -> [UInt64: [String]] {
    var retention = Retention()
    change(&retention)
    let decisions = retention.decisions(try run.holdings())
    return Dictionary(uniqueKeysWithValues: decisions.filter(\.isKept).map { ($0.checkpoint.step, $0.reasons) })
  }

  /// Monday the fifth of January 1970, at midnight.
  private static let monday = 4 * 86400

  @Test func hoursDaysAndWeeks() throws {
    let (hour, day, monday) = (3600, 86400, Self.monday)
    // Three in one hour, one in the next, two days later one, the Sunday's last, the Monday's first.
    let run = try run([
      monday, monday + 1, monday + hour - 1, monday + hour, monday + 2 * day, monday + 7 * day - 1, monday + 7 * day,
    ])
    #expect(try kept(run) { $0.periods[.hour] = 4 }.keys.sorted() == [4, 5, 6, 7])
    #expect(try kept(run) { $0.periods[.hour] = 100 }.keys.sorted() == [3, 4, 5, 6, 7])
    #expect(try kept(run) { $0.periods[.day] = 3 }.keys.sorted() == [5, 6, 7])
    #expect(try kept(run) { $0.periods[.day] = 9 }.keys.sorted() == [4, 5, 6, 7])
    #expect(
      try kept(run) { $0.periods[.week] = 2 } == [
        6: ["the last of its week, of 2"], 7: ["the newest", "the last of its week, of 2"],
      ])
    #expect(try kept(run) { $0.periods = [.week: 1, .day: 2] }.keys.sorted() == [6, 7])
  }

  /// Whatever the times: of each of the last periods the last, and of no other one.
  @Test func periodsOfAnyTimes() throws {
    let seed = try Run(seed: 3)
    let times = (0..<14).map { _ in Int(seed.next(below: 12)) * 1800 + Self.monday }
    let run = try run(times)
    for count in 1...8 {
      var last: [Int: UInt64] = [:]
      for (index, time) in times.enumerated() { last[time / 3600] = UInt64(index + 1) }
      let wanted = Set(last.keys.sorted().suffix(count).map { last[$0]! } + [14])
      #expect(Set(try kept(run) { $0.periods[.hour] = count }.keys) == wanted)
    }
  }

  /// Two streams: states to resume from for a while, milestones for longer.
  @Test func rulesAddUp() throws {
    let run = try run((1...12).map { $0 * 3600 })
    #expect(
      try kept(run) {
        $0.last = 2
        $0.every = 5
        $0.keepsFirst = true
      }.keys.sorted() == [1, 5, 10, 11, 12])
  }

  @Test func pointersKeepWhatTheyPointTo() throws {
    let run = try run((1...9).map { $0 * 3600 })
    run.folder.writeDeep("out/latest", Array("global_step2\n".utf8))
    run.folder.write("out/latest_checkpointed_iteration.txt", Array("3".utf8))
    run.folder.link("out/best", to: "../gone/step-4.ckpt")
    run.folder.link("out/anything", to: "iter_0000005/")
    run.folder.write("out/best_model.txt", Array("/a/checkpoint-6".utf8))
    // Of the newest alone.
    for (step, best) in [(9, 1), (8, 7)] {
      let state = #"{"best_metric": null, "best_model_checkpoint": "/a/out/checkpoint-\#(best)", "step": 1}"#
      run.folder.writeDeep("out/checkpoint-\(step)/trainer_state.json", Array(state.utf8))
    }
    // None of these is one.
    run.folder.write("out/note.txt", Array("7".utf8))
    run.folder.write("out/latest.log", Array("7\n8\n".utf8))
    run.folder.write("out/last.ckpt", [UInt8](repeating: 0x37, count: 5000))
    run.folder.writeDeep("out/best_8/model", [1])
    run.folder.link("out/latest_release", to: "release")
    let pointers = try Pointers(in: run.folder("out"))
    let found = try kept(run) { $0.pointers.append((run.folder("out"), pointers)) }
    #expect(found.keys.sorted() == [1, 2, 3, 4, 5, 6, 9])
    #expect(found[4] == ["\(run.folder("out"))/best points to it"])
    #expect(kind { _ = try Pointers(in: run.folder("nowhere")) } == .io)
  }
}
