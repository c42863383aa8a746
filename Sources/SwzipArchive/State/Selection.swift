package import SwzipCore

extension Holdings {
  /// The checkpoint that a word names: `latest`, a step (its last attempt), `STEP@ATTEMPT`, `id:` with the first digits of an
  /// identity, or a tag. `forgotten`: among those that are.
  package func checkpoint(_ word: String, forgotten: Bool = false) throws(SwzipError) -> Checkpoint {
    let all = checkpoints(forgotten: forgotten)
    func only(_ found: [Checkpoint]) throws(SwzipError) -> Checkpoint {
      guard let first = found.first else { throw SwzipError(.refused, .noSuchCheckpoint, detail: word) }
      guard found.count == 1 else {
        let words = found.map { "id:" + String($0.identity.description.prefix(12)) }.joined(separator: ", ")
        throw SwzipError(.refused, .system, detail: "\(word.printable) may be any of \(words); name one of these")
      }
      return first
    }
    if word == "latest" {
      guard !forgotten, let latest else { throw SwzipError(.refused, .noSuchCheckpoint, detail: word) }
      return latest
    }
    if let digits = word.withoutPrefix("id:") {
      guard digits.utf8.count >= 4 else { throw SwzipError(.refused, .noSuchCheckpoint, detail: word) }
      return try only(all.filter { $0.identity.description.hasPrefix(digits) })
    }
    if let tag = tags.first(where: { $0.name == word }) { return try only(all.filter { $0.identity == tag.identity }) }
    let parts = word.split(separator: "@", omittingEmptySubsequences: false).map { UInt64($0) }
    guard (1...2).contains(parts.count), let step = parts[0] else {
      throw SwzipError(.refused, .noSuchCheckpoint, detail: word)
    }
    let found = all.filter { $0.step == step }
    guard parts.count == 1 else {
      return try only(found.filter { UInt64($0.attempt) == parts[1] })
    }
    return try only(found.filter { $0.attempt == found.last?.attempt })
  }

  /// The same; where there is none, one that is forgotten, or is not: so what was interrupted can be run again.
  package func checkpoint(_ word: String, preferringForgotten forgotten: Bool) throws(SwzipError) -> Checkpoint {
    do throws(SwzipError) { return try checkpoint(word, forgotten: forgotten) } catch {
      guard error.rule == .noSuchCheckpoint else { throw error }
      return try checkpoint(word, forgotten: !forgotten)
    }
  }
}

extension String {
  fileprivate func withoutPrefix(_ start: String) -> String? {
    hasPrefix(start) ? String(dropFirst(start.count)) : nil
  }
}
