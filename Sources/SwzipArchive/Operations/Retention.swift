internal import SwzipCore

/// Which checkpoints are kept. What no rule keeps is forgotten.
package struct Retention: Sendable {
  package var last: Int?
  /// Steps that are multiples of it.
  package var every: UInt64?
  package var keepsFirst = false
  package var keepsTags = false

  package init() {}

  /// Without a rule nothing is forgotten.
  package var isEmpty: Bool { last == nil && every == nil && !keepsFirst && !keepsTags }

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
      if keepsFirst, checkpoint.identity == whole.first?.identity { reasons.append("the first") }
      return Decision(checkpoint: checkpoint, reasons: reasons)
    }
  }
}
