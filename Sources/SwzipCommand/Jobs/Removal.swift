internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// The end of `--rm`: removes a source after its output is proven to be on the disk. Each step that does not hold
/// keeps the source. The first steps are elsewhere: the source was opened without following links and has one name
/// (`Input`), the output is synced and published without replacing (`Output`).
///
/// Times tell who wrote to the source; who has it mapped writes without a call of the system, and moves its times only
/// with the first store to a page that is on the disk. So the source is synced before each look at its times. Where
/// even that tells nothing (files in memory), the system says whether somebody has the source open for writing.
struct Removal {
  private let source: Input
  private let handle: FileHandle
  private let output: String
  private let durability: Durability

  /// `handle`: of the source.
  init(_ source: Input, _ handle: FileHandle, _ output: String, _ durability: Durability) {
    self.source = source
    self.handle = handle
    self.output = output
    self.durability = durability
  }

  /// Before any work and before the first look at the source: refuses what could not be removed in the end.
  static func prepare(_ path: String, _ handle: FileHandle) throws(Failure) {
    do throws(SystemError) {
      try checkRemovable(path)
    } catch {
      throw Failure(.failed, path: path, text: "--rm could not remove it: \(error.words); drop --rm")
    }
    if handle.hold() == false {
      throw .refused(path, "somebody has it open for writing, so --rm would not be safe; drop --rm, or wait")
    }
    handle.release()
    try attempt(path) { () throws(SystemError) in try handle.sync() }
  }

  /// `verifying` reads what was published from the disk again, compares it with the source and throws if they differ.
  func run(verifying: () throws(Failure) -> Void) throws(Failure) {
    try requireDurable(durability, output)
    if case .unknown(let error) = durability {
      throw keep("durability of \(output.printable) unknown: \(error.words)")
    }
    let isHeld = handle.hold()
    defer { handle.release() }
    switch isHeld {
    case false?: throw keep("somebody has it open for writing")
    case nil: source.status?.waitForClock()
    case true?: break
    }
    try checkUnchanged()
    do throws(Failure) {
      try verifying()
    } catch {
      try checkUnchanged()
      throw Failure(error.status, path: error.path, text: error.text + "; the source is kept", rule: error.rule)
    }
    try checkUnchanged()
    if isHeld == true, !handle.isHeld { throw keep("somebody opens it for writing") }
    // The point of no return.
    let removed = try attempt(source.name) { () throws(SystemError) in try removeFile(source.name, in: source.folder) }
    try requireRemoved(removed)
  }

  /// By handle and by name: the same file, and nothing changed since it was opened.
  private func checkUnchanged() throws(Failure) {
    let (byHandle, byName) = try attempt(source.name) { () throws(SystemError) in
      try handle.sync()
      return try (handle.status(), FileStatus.of(source.name, followingLinks: false))
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
