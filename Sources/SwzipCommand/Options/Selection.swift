internal import ArgumentParser
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Which of the files that are named or found are worked on.
struct Selection {
  var isRecursive = false
  var include: [String] = []
  var exclude: [String] = []
  var listFile: String?
  var listEndsInNull = false
  /// The I-th of N, from 0.
  var shard: (index: UInt64, count: UInt64)?
  var skipsExisting = false

  init() {}

  init(_ options: SelectionOptions) throws {
    isRecursive = options.recursive
    include = options.include
    exclude = options.exclude
    listFile = options.filesFrom
    listEndsInNull = options.null
    skipsExisting = options.skipExisting
    shard = try options.shard.map(Selection.parseShard)
    if options.null, listFile == nil { throw ValidationError("-0 says how --files-from is written: name one") }
  }

  /// "2/8".
  static func parseShard(_ text: String) throws -> (index: UInt64, count: UInt64) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let index = UInt64(parts[0]), let count = UInt64(parts[1]), index >= 1, index <= count
    else { throw ValidationError("a shard is I/N with I from 1 to N, not '\(text)'") }
    return (index - 1, count)
  }

  /// By a hash of the name: the same on every machine, whatever other files come and go.
  func isInShard(_ name: String) -> Bool {
    guard let shard else { return true }
    return xxh3(name.nameBytes) % shard.count == shard.index
  }

  /// Whether a file or folder below a named folder is taken. What runs of swzip are writing never is.
  func takes(_ name: String, isFolder: Bool) -> Bool {
    if isTemporary(name) || matchesAny(name, exclude) { return false }
    return isFolder || include.isEmpty || matchesAny(name, include)
  }
}
