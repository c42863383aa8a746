internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Which part of a checkpoint is added, of how many.
package struct PartOption: Sendable {
  /// From 0.
  let number: UInt16
  let count: UInt16
  /// What the parts have in common, where each is a folder of its own. Nil: all are in one folder.
  let group: String?

  package init?(number: UInt16, count: UInt16, group: String?) {
    guard number < count, (2...ContainerName.mostParts).contains(count) else { return nil }
    (self.number, self.count, self.group) = (number, count, group)
  }

  /// Takes the files of this part; and what the parts of the checkpoint have in common and no other checkpoint has.
  func share(
    _ files: CheckpointFiles, archive: Identity, step: UInt64
  ) throws(SwzipError) -> (CheckpointFiles, [UInt8]) {
    var head = ByteWriter()
    head.array(Array("swzip group\n".utf8) + archive.id.bytes)
    head.integer(step)
    head.integer(count)
    head.integer(UInt8(group == nil ? 0 : 1))
    if let group { head.name(group) }
    var sum = SHA256Sum()
    sum.add(head.bytes)
    if group == nil { try add(files, to: &sum) }
    return (group == nil ? try own(files) : files, Array(sum.finish().prefix(16)))
  }

  /// All of a folder that tells it from that of another save: of the bytes a few samples, as times may be coarse.
  private func add(_ files: CheckpointFiles, to sum: inout SHA256Sum) throws(SwzipError) {
    let tree = files.files.tree
    for file in tree.files {
      var words = ByteWriter()
      words.name(file.name)
      words.integer(file.status.byteCount)
      words.integer(UInt64(bitPattern: file.status.modified.seconds))
      words.integer(file.status.modified.nanoseconds)
      sum.add(words.bytes)
      let bytes = try files.open(file.name)
      let last = file.status.byteCount - min(file.status.byteCount, UInt64(Self.sampleBytes))
      for third in 0...3 as ClosedRange<UInt64> {
        sum.add(try bytes.bytes(at: last / 3 * third + last % 3 * third / 3, count: Self.sampleBytes))
      }
    }
    for link in tree.keptLinks.sorted(by: { Exact($0.name) < Exact($1.name) }) {
      var words = ByteWriter()
      words.name(link.name)
      words.name(link.path)
      sum.add(words.bytes)
    }
  }

  private static let sampleBytes = 4096

  /// The files whose names say that ranks of this part wrote them; in part 0 also what no name says that of.
  private func own(_ files: CheckpointFiles) throws(SwzipError) -> CheckpointFiles {
    guard files.status.kind == .directory else {
      throw SwzipError(
        .refused, .system, file: files.path,
        detail: "a part that is one file needs --group, which says what the parts have in common")
    }
    let names = files.files.tree.files.map(\.name)
    let writers = Writers(names)
    guard writers.count >= Int(count) else {
      throw SwzipError(
        .refused, .system, file: files.path,
        detail:
          "by their names its files are of \(writers.count) rank\(writers.count == 1 ? "" : "s"), not of \(count) or "
          + "more; name fewer parts, or add folders that hold one part each with --group")
    }
    return files.only { name in writers.place(of: name) * Int(count) / writers.count == Int(number) }
  }
}

/// Which rank wrote a file, by its name. Ranks have neighbours on one machine: these come together in one part.
private struct Writers {
  /// Of each that wrote anything, in their order.
  private let places: [[Int]: Int]
  private let ranks: [Exact: [Int]]

  init(_ names: [String]) {
    let ranked = names.compactMap { name in RankName(name).map { (Exact(name), Self.rank($0)) } }
    ranks = Dictionary(ranked) { first, _ in first }
    let sorted = Set(ranks.values).sorted { $0.lexicographicallyPrecedes($1) }
    places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
  }

  /// Ranks of the same data are neighbours.
  private static func rank(_ name: RankName) -> [Int] {
    let inner: [[RankName.Word]] = [[.pipeline], [.experts], [.model, .layerPart]]
    func number(_ words: [RankName.Word]) -> Int { name.axes.first { words.contains($0.word) }?.number ?? 0 }
    let outer = name.axes.first { axis in !inner.contains { $0.contains(axis.word) } }?.number ?? 0
    return [outer] + inner.map(number)
  }

  var count: Int { places.count }

  /// The first has what no name says the rank of.
  func place(of name: String) -> Int { ranks[Exact(name)].flatMap { places[$0] } ?? 0 }
}

extension ByteWriter {
  fileprivate mutating func name(_ text: String) {
    integer(UInt32(text.nameBytes.count))
    array(text.nameBytes)
  }
}
