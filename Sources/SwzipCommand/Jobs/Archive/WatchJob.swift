internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// Keeps an archive up with a folder of checkpoints.
struct WatchJob {
  let console: Console
  let adding: AddOptions
  let watching: Watcher.Options
  /// Seconds from one look to the next.
  let poll: Double

  func run(_ path: String, _ folder: String, isOnce: Bool) throws(Failure) {
    var watcher = Watcher(path, folder, adding, watching)
    let watch = Stopwatch()
    var trouble: String?
    while true {
      var pause = poll
      do throws(Failure) {
        let outcome = try attemptLibrary(folder) { () throws(SwzipError) in try watcher.pass(say) }
        trouble = nil
        if isOnce {
          // Who writes all the while keeps nobody waiting.
          let isOver = outcome.settling.isEmpty || watch.seconds > watching.quietSeconds + poll
          if isOver { return try finish(outcome) }
          pause = min(poll, max(0.01, watching.quietSeconds / 10))
        }
      } catch {
        if isOnce { throw error }
        // A file system may come back.
        if trouble != error.text { console.fail(error) }
        trouble = error.text
      }
      System.pause(milliseconds: Int(pause * 1000))
    }
  }

  private func say(_ path: String, _ event: Watcher.Event) {
    switch event {
    case .added(let addition, let seconds): addition.say(path, seconds, console)
    case .removed: console.sayRemoved(path)
    case .forgotten: say(path, "was forgotten in the archive; swzip archive add adds it again")
    case .waiting(let why): if console.verbose > 0 || console.json { say(path, "not added yet: \(why)") }
    case .failed(let error): console.fail(Failure(error, path: error.file ?? path))
    }
  }

  private func say(_ path: String, _ text: String) {
    console.note("\(path.printable) : \(text)")
    console.emit(["path": .string(path), "waiting": .string(text)])
  }

  /// Throws unless the archive holds all that is there.
  private func finish(_ outcome: Watcher.Outcome) throws(Failure) {
    var failures = outcome.failed.map { Failure($0.error, path: $0.path) }
    failures += outcome.incomplete.map { .refused($0.path, "not added: \($0.why)") }
    failures += outcome.settling.map { .refused($0, "not added: it changed just now") }
    guard let last = failures.popLast() else { return }
    for failure in failures where failure.status == .refused { console.fail(failure) }
    let worst = (failures + [last]).map(\.status).max() ?? last.status
    throw Failure(worst, path: last.path, text: last.text, rule: last.rule)
  }
}
