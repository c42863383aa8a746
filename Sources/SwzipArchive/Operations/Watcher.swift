internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Adds the checkpoints that a job leaves in a folder, and removes their originals (spec/ARCHIVE.md, section 8). Nothing that it
/// remembers is needed: the next one finds out by what is there.
package struct Watcher {
  package struct Options: Sendable {
    /// Of a shell, for names; nil: any that says a step.
    package var pattern: String?
    /// Removes originals, but for so many of the newest.
    package var removes = false
    package var kept = 1
    /// A file in a checkpoint that says that it is complete.
    package var readyName: String?
    /// A checkpoint without such a mark is complete when nothing changed for so long.
    package var quietSeconds: Double = 30

    package init() {}
  }

  package enum Event {
    case added(Addition, seconds: Double)
    case removed
    /// It is not complete, or not known to be, and why.
    case waiting(String)
    /// Somebody forgot it in the archive, so it is not added again.
    case forgotten
    case failed(SwzipError)
  }

  /// The checkpoints in the folder that are neither archived nor forgotten.
  package struct Outcome: Sendable {
    /// Not unchanged for long enough yet.
    package fileprivate(set) var settling: [String] = []
    package fileprivate(set) var incomplete: [(path: String, why: String)] = []
    package fileprivate(set) var failed: [(path: String, error: SwzipError)] = []
  }

  /// What is known of a checkpoint as long as its files stay as they are.
  private struct State {
    enum Standing { case open, archived, forgotten }

    /// Nil where they cannot be looked at.
    let files: CheckpointFiles?
    let watch = Stopwatch()
    var standing = Standing.open
    /// Why it is not known to be complete.
    var lack: String?
    /// What kept it from being added, or removed.
    private(set) var failure: SwzipError?
    /// What the archive has looks the same by names, sizes and times, but is not.
    var isOther = false
    private var nextTry = 0.0
    private var delay = 10.0

    init(_ files: CheckpointFiles?, lack: String? = nil) { (self.files, self.lack) = (files, lack) }

    var isDue: Bool { watch.seconds >= nextTry }

    mutating func fail(_ error: SwzipError) {
      failure = error
      nextTry = watch.seconds + delay
      delay = min(2 * delay, 600)
    }

    mutating func isArchived() { (standing, lack, failure) = (.archived, nil, nil) }
  }

  private let archive: String
  private let folder: String
  private let adding: AddOptions
  private let options: Options
  private var states: [Exact: State] = [:]
  /// What was said last of a checkpoint: it is said once.
  private var said: [Exact: String] = [:]

  /// What trainers write first.
  private static let words = [".json", ".jinja", ".txt"]
  /// The clocks of two machines may differ by so many seconds.
  private static let clockSkew = 600.0

  package init(_ archive: String, _ folder: String, _ adding: AddOptions, _ options: Options) {
    (self.archive, self.folder, self.adding, self.options) = (archive, folder, adding, options)
  }

  /// Looks once at all that is there. Throws where archive or folder cannot be looked at; what is wrong with one checkpoint keeps
  /// nobody from the others.
  package mutating func pass(_ tell: (String, Event) -> Void) throws(SwzipError) -> Outcome {
    // Anew each time: its file system may have gone, and nothing must be written below where it was.
    let adder = Adder(try Archive(archive), adding)
    if options.removes { try finishRemovals(adder, tell) }
    let candidates = try Candidate.all(in: folder, options.pattern)
    let there = Set(candidates.map { Exact($0.path) })
    states = states.filter { there.contains($0.key) }
    let pointers = try Pointers(in: folder)
    var holdings: Holdings?
    for candidate in candidates { try visit(candidate, adder, pointers, &holdings, tell) }
    if options.removes {
      let archived = candidates.filter { states[Exact($0.path)]?.standing == .archived }
      for candidate in archived.dropLast(options.kept) where pointers.names(of: candidate.step).isEmpty {
        remove(candidate, adder, tell)
      }
    }
    return outcome(candidates)
  }

  private func outcome(_ candidates: [Candidate]) -> Outcome {
    var outcome = Outcome()
    for candidate in candidates {
      guard let state = states[Exact(candidate.path)] else { continue }
      if let failure = state.failure {
        outcome.failed.append((candidate.path, failure))
      } else if let lack = state.lack {
        outcome.incomplete.append((candidate.path, lack))
      } else if state.standing == .open {
        outcome.settling.append(candidate.path)
      }
    }
    return outcome
  }

  private mutating func visit(
    _ candidate: Candidate, _ adder: Adder, _ pointers: Pointers, _ holdings: inout Holdings?,
    _ tell: (String, Event) -> Void
  ) throws(SwzipError) {
    let key = Exact(candidate.path)
    let files: CheckpointFiles
    do throws(SwzipError) { files = try CheckpointFiles(candidate.path) } catch {
      // What vanished is nobody's business; what is empty may become a checkpoint.
      states[key] = error.isMissingFile ? nil : State(nil, lack: error.text)
      if !error.isMissingFile { say(key, .waiting(error.text), tell) }
      return
    }
    var state = states[key].flatMap { $0.files.map(files.isUnchanged) == true ? $0 : nil } ?? State(files)
    defer { states[key] = state }
    guard state.standing == .open, state.isDue else { return }
    let known: Holdings
    if let holdings { known = holdings } else { known = try adder.archive.look() }
    holdings = known
    do throws(SwzipError) {
      guard try isReady(files, for: state.watch.seconds, pointers.isCommitted(candidate.step)) else { return }
      if !state.isOther, known.seemsToHold(files, step: candidate.step) { return state.isArchived() }
      let watch = Stopwatch()
      var added = try adder.present(files, step: candidate.step)
      if added == nil {
        if let modified = files.modified, try adder.archive.hasForgotten(step: candidate.step, since: modified) {
          state.standing = .forgotten
          return say(key, .forgotten, tell)
        }
        try checkComplete(files, candidate.step, known)
        added = try adder.add(files, step: candidate.step)
      }
      state.isArchived()
      said[key] = nil
      // The next one is compared with it.
      holdings = nil
      if let added { tell(candidate.path, .added(added, seconds: watch.seconds)) }
    } catch {
      guard error.rule != .incomplete, !error.isSourceChange, !error.isMissing(below: candidate.path) else {
        let lack = error.rule == .incomplete ? error.detail : error.text
        state.lack = lack
        return say(key, .waiting(lack), tell)
      }
      state.fail(error)
      say(key, .failed(error), tell)
    }
  }

  /// Whether a mark says that it is complete, or nothing changes any more.
  private func isReady(
    _ files: CheckpointFiles, for seconds: Double, _ isCommitted: Bool
  ) throws(SwzipError) -> Bool {
    if let mark = options.readyName {
      guard files.names.contains(Exact(mark)) else {
        throw SwzipError(.refused, .incomplete, file: files.path, detail: "it has no \(mark) yet")
      }
      return true
    }
    return isCommitted || files.names.contains("STABLE") || seconds >= options.quietSeconds
      || Double(files.secondsSinceChange) >= options.quietSeconds + Self.clockSkew
  }

  /// By its own files, and by those of the checkpoint before: who is killed while it saves leaves files that are whole.
  private func checkComplete(
    _ files: CheckpointFiles, _ step: UInt64, _ holdings: Holdings
  ) throws(SwzipError) {
    try Completeness(files).check()
    let own = Self.whatIsMeant(files.names.map(\.wrappedValue))
    guard !own.allSatisfy({ name in Self.words.contains { name.withoutSuffix($0) != nil } }) else {
      throw SwzipError(.refused, .incomplete, file: files.path, detail: "it has no weights yet")
    }
    let listed = holdings.checkpoints().filter { $0.step != step }
    guard let other = listed.last(where: { $0.step < step }) ?? listed.first else { return }
    let roles = Set(own.map(FilePairs.role))
    let names = Self.whatIsMeant(other.parts.flatMap { holdings.containers[$0].files.map(\.name) })
    // A file beside folders, say, is another kind of checkpoint.
    guard names.contains(where: { roles.contains(FilePairs.role($0)) }),
      let missing = names.first(where: { !roles.contains(FilePairs.role($0)) })
    else { return }
    throw SwzipError(
      .refused, .incomplete, file: files.path, detail: "it has nothing like \(missing), which \(other.name) has")
  }

  /// Without what a library leaves that is killed while it writes: a hidden name as a rule, of a file that nobody asks for.
  private static func whatIsMeant(_ names: [String]) -> [String] {
    names.filter { name in
      let last = lastPart(name)
      return !last.hasPrefix(".") || last == ".metadata"
    }
  }

  private mutating func remove(_ candidate: Candidate, _ adder: Adder, _ tell: (String, Event) -> Void) {
    let key = Exact(candidate.path)
    guard var state = states[key], state.isDue else { return }
    do throws(SwzipError) {
      let files = try CheckpointFiles(candidate.path)
      let removal = try SourceRemoval(files)
      if let there = try adder.present(files, step: candidate.step) {
        // Fewer files: somebody may be writing the others, as long as it is young.
        let isAll = there.container.files.count == files.names.count
        guard isAll || Double(files.secondsSinceChange) >= Self.clockSkew else { return }
        guard try removal.run() else { return }
        (states[key], said[key]) = (nil, nil)
        return tell(candidate.path, .removed)
      }
      (state.standing, state.isOther) = (.open, true)
    } catch {
      // A job that began again writes it anew, or somebody removed it.
      guard !error.isSourceChange, !error.isMissing(below: candidate.path) else {
        states[key] = nil
        return
      }
      state.fail(error)
      say(key, .failed(error), tell)
    }
    states[key] = state
  }

  /// Removes what killed runs had proved and begun to remove.
  private mutating func finishRemovals(_ adder: Adder, _ tell: (String, Event) -> Void) throws(SwzipError) {
    for name in try onSystem(folder, { () throws(SystemError) in try fileNames(in: folder) }) {
      guard SourceRemoval.name(of: name) != nil else { continue }
      let path = join(folder, name)
      do throws(SwzipError) {
        if try SourceRemoval.finish(path, adder) { tell(path, .removed) }
      } catch {
        if !error.isMissing(below: path) { say(Exact(path), .failed(error), tell) }
      }
    }
  }

  private mutating func say(_ key: Exact, _ event: Event, _ tell: (String, Event) -> Void) {
    let text =
      switch event {
      case .waiting(let why): why
      case .failed(let error): error.text
      default: "\(event)"
      }
    guard said.updateValue(text, forKey: key) != text else { return }
    tell(key.wrappedValue, event)
  }
}

extension SwzipError {
  /// Somebody removed a file of a checkpoint, or all of it.
  fileprivate func isMissing(below path: String) -> Bool {
    guard isMissingFile, let file else { return false }
    return Exact(file) == Exact(path) || file.utf8.starts(with: (path + "/").utf8)
  }
}
