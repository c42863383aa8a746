internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What `diff` says of two folders: file by file, and of those that changed tensor by tensor.
final class FolderComparison {
  typealias Files = [Exact: () throws(Failure) -> any RandomSource]

  private let old, new: Files
  private let level: Int
  private let all: Bool
  private let style = Style()
  private let console: Console
  private var counts: [TensorDifference.Change: Int] = [:]

  init(_ old: Files, _ new: Files, level: Int, all: Bool, console: Console) {
    (self.old, self.new) = (old, new)
    self.level = level
    self.all = all
    self.console = console
  }

  /// Goes on after a file that cannot be read, and says so in the end.
  func run() throws(Finished) {
    let names = Set(old.keys).union(new.keys).sorted().map(\.wrappedValue)
    defer { sum() }
    try forEach(names, console) { name throws(Failure) in try look(at: name) }
  }

  private func look(at name: String) throws(Failure) {
    let key = Exact(name)
    guard let before = try old[key]?(), let after = try new[key]?() else {
      let change = old[key] == nil ? TensorDifference.Change.added : .removed
      let source = try (new[key] ?? old[key])?()
      return say(name, change, source?.byteCount, [])
    }
    let isSame = try attemptLibrary(name) { () throws(SwzipError) in try haveSameBytes(before, after) }
    if isSame, !all { return say(name, .equal, after.byteCount, []) }
    let tensors = try attemptLibrary(name) { () throws(SwzipError) in
      try compare(before, after, level: level)
    }
    say(name, isSame ? .equal : .changed, after.byteCount, tensors)
  }

  private func say(_ name: String, _ change: TensorDifference.Change, _ size: UInt64?, _ tensors: [TensorDifference]) {
    counts[change, default: 0] += 1
    let comparison = ComparisonText(tensors)
    if console.json {
      return console.emit([
        "name": .string(name), "change": .string(change.rawValue), "bytes": .integer(size ?? 0),
        "tensors": comparison.json,
      ])
    }
    guard all || change != .equal else { return }
    writeOut("\(style.bold(name.printable)): \(change.rawValue), \(formatSize(size ?? 0))\n")
    if !tensors.isEmpty { writeOut(comparison.text(style, all: all) + "\n") }
  }

  private func sum() {
    guard !console.json else { return }
    var text = "\(counts[.equal] ?? 0) files equal, \(counts[.changed] ?? 0) changed"
    for change in [TensorDifference.Change.added, .removed] {
      if let count = counts[change] { text += ", \(count) \(change.rawValue)" }
    }
    writeOut(text + "\n")
  }
}
