internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// The end of `--rm`: removes a source after its output is proven to be on the disk. Each step that does not hold
/// keeps the source. The first steps are elsewhere: the source was opened without following links and has one name
/// (`Input`), the output is synced and published without replacing (`Output`).
struct Removal {
  private let source: Input
  private let output: String
  private let durability: Durability

  init(_ source: Input, _ output: String, _ durability: Durability) {
    self.source = source
    self.output = output
    self.durability = durability
  }

  /// `verifying` reads what was published from the disk again and throws if it is not what it must be.
  func run(verifying: () throws(Failure) -> Void) throws(Failure) {
    try requireDurable(durability, output)
    if case .unknown(let error) = durability {
      throw keep("durability of \(output.printable) unknown: \(error.words)")
    }
    do throws(Failure) {
      try verifying()
    } catch {
      throw Failure(error.status, path: error.path, text: error.text + "; the source is kept", rule: error.rule)
    }
    try checkUnchanged()
    // The point of no return.
    let removed = try attempt(source.name) { () throws(SystemError) in try removeFile(source.name, in: source.folder) }
    try requireRemoved(removed)
  }

  /// By handle and by name: the same file, and nothing changed since it was opened.
  private func checkUnchanged() throws(Failure) {
    let (byHandle, byName) = try attempt(source.name) { () throws(SystemError) in
      try (source.source.handle.status(), FileStatus.of(source.name, followingLinks: false))
    }
    guard let first = source.status, byHandle.isUnchanged(since: first), byName.isUnchanged(since: first),
      byHandle.linkCount == 1
    else { throw keep("it changed since it was read") }
  }

  private func requireRemoved(_ removed: Durability) throws(Failure) {
    guard case .unknown(let error) = removed, !error.isUnsupported else { return }
    throw Failure(
      .failed, path: source.name, text: "it is removed, but may come back after a power cut: \(error.words)")
  }

  private func keep(_ reason: String) -> Failure { .refused(source.name, "\(reason); the source is kept") }
}
