internal import SwzipCore
internal import SwzipSystem

/// Which checkpoints are kept (spec/ARCHIVE.md, section 9). What no rule keeps is forgotten.
package struct Retention: Sendable {
  package var last: Int?
  /// Steps that are multiples of it.
  package var every: UInt64?
  /// Of each of the last so many hours, days or weeks that have any, the last.
  package var periods: [Period: Int] = [:]
  package var keepsFirst = false
  package var keepsTags = false
  /// Folders of originals, whose pointers keep what they point to.
  package var pointers: [(folder: String, pointers: Pointers)] = []

  package init() {}

  /// Without a rule nothing is forgotten.
  package var isEmpty: Bool {
    last == nil && every == nil && periods.isEmpty && !keepsFirst && !keepsTags && pointers.isEmpty
  }

  /// A stretch of time, in UTC; weeks begin on Mondays.
  package enum Period: String, CaseIterable, Sendable {
    case hour, day, week

    /// The number of the one that a time is in.
    func number(at seconds: Int64) -> Int64 {
      func parts(_ seconds: Int64, _ length: Int64) -> Int64 {
        let (part, rest) = seconds.quotientAndRemainder(dividingBy: length)
        return rest < 0 ? part - 1 : part
      }
      return switch self {
      case .hour: parts(seconds, 3600)
      case .day: parts(seconds, 86400)
      // The first of January 1970 was a Thursday.
      case .week: parts(seconds.addingReportingOverflow(3 * 86400).partialValue, 7 * 86400)
      }
    }
  }

  package struct Decision: Sendable {
    package let checkpoint: Checkpoint
    /// Why it is kept; empty where it is forgotten.
    package let reasons: [String]
    package var isKept: Bool { !reasons.isEmpty }
  }

  /// Seconds for which missing parts may still come, from the last one on.
  static let patience: Int64 = 7 * 24 * 3600

  /// Of each listed checkpoint, in order. Whatever the rules say, the newest that can be restored and all with tags are kept, and what
  /// lacks a base, or for a week parts: that may still come.
  package func decisions(_ holdings: Holdings) -> [Decision] {
    let all = holdings.checkpoints()
    let whole = all.filter { $0.depth != nil }
    let newest = whole.last?.identity
    let lasts = Set(whole.suffix(last ?? 0).map(\.identity))
    let ofPeriods = Period.allCases.compactMap { period in
      periods[period].map { (period, count: $0, kept: Self.lasts(of: period, $0, whole)) }
    }
    return all.map { checkpoint in
      var reasons: [String] = []
      if checkpoint.identity == newest { reasons.append("the newest") }
      reasons += checkpoint.tags.map { "tag \($0)" }
      switch checkpoint.lack {
      case nil: break
      case .parts(let count, let all):
        guard holdings.time - checkpoint.time < Self.patience else { break }
        reasons.append("\(count) of \(all) parts, more may come")
      case .base: reasons.append("lacks a base, which may come")
      case .twice(let part): reasons.append("part \(part) is there twice, not the same")
      }
      if isEmpty { reasons.append("no rule") }
      if lasts.contains(checkpoint.identity) { reasons.append("one of the last \(last ?? 0)") }
      if let every, every > 0, checkpoint.step % every == 0 { reasons.append("a multiple of \(every)") }
      for (period, count, kept) in ofPeriods where kept.contains(checkpoint.identity) {
        reasons.append("the last of its \(period), of \(count)")
      }
      if keepsFirst, checkpoint.identity == whole.first?.identity { reasons.append("the first") }
      for (folder, pointers) in pointers {
        reasons += pointers.names(of: checkpoint.step).map { "\(join(folder, $0).printable) points to it" }
      }
      return Decision(checkpoint: checkpoint, reasons: reasons)
    }
  }

  /// The last checkpoint of each of the last so many periods that have one.
  private static func lasts(of period: Period, _ count: Int, _ checkpoints: [Checkpoint]) -> Set<Digest> {
    var lasts: [Int64: Digest] = [:]
    for checkpoint in checkpoints { lasts[period.number(at: checkpoint.time)] = checkpoint.identity }
    return Set(lasts.keys.sorted().suffix(count).compactMap { lasts[$0] })
  }
}
