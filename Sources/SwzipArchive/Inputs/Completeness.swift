internal import Swzip
internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames
internal import SwzipSystem

/// Whether a checkpoint is all there: what its indexes name, what frameworks write last, files that are whole, and nobody
/// who writes. Says what is missing; a guess in favour of the checkpoint would be found out when it is needed.
struct Completeness {
  private let files: CheckpointFiles
  private let names: Set<Exact>
  private let folder: String?

  init(_ files: CheckpointFiles) {
    self.files = files
    names = Set(files.files.tree.files.map { Exact($0.name) } + files.files.tree.keptLinks.map { Exact($0.name) })
    folder = splitPath(files.path)?.name
  }

  /// Throws `incomplete` with what is missing.
  func check() throws(SwzipError) {
    if let folder, folder.hasPrefix("tmp-") || folder.hasPrefix("tmp_") {
      throw missing("its name begins with tmp: it is being written")
    }
    try checkMarks()
    for file in files.files.tree.files {
      if let end = Self.unfinished.first(where: { file.name.withoutSuffix($0) != nil }) {
        throw missing("\(file.name.printable) ends in \(end): it is being written")
      }
      try checkWriters(file.name)
      if file.name.withoutSuffix(".index.json") != nil { try checkIndex(file.name, file.status.byteCount) }
      try checkEnd(file.name, file.status.byteCount)
    }
  }

  private static let unfinished = [".tmp", ".incomplete", ".part", ".partial"]

  /// What comes last: `.metadata` of distributed checkpoints, `trainer_state.json` of the Trainer's.
  private func checkMarks() throws(SwzipError) {
    for file in files.files.tree.files where file.name.withoutSuffix(".distcp") != nil {
      let mark = sibling(".metadata", of: file.name)
      guard names.contains(Exact(mark)) else { throw missing("\(mark.printable), which is written last, is not there") }
    }
    let isTrainers = folder?.hasPrefix("checkpoint-") == true && names.contains("training_args.bin")
    if isTrainers, !names.contains("trainer_state.json") {
      throw missing("trainer_state.json, which is written last, is not there")
    }
  }

  /// Every shard that an index of safetensors or torch names.
  private func checkIndex(_ name: String, _ byteCount: UInt64) throws(SwzipError) {
    let path = files.path(of: name)
    guard byteCount <= UInt64(Limits.frameBytes) else { return }
    guard let shards = ShardIndex.shards(try bytes(path, at: 0, Int(byteCount))) else {
      throw missing("\(name.printable) is cut short, or no JSON")
    }
    for shard in shards where !names.contains(Exact(sibling(shard, of: name))) {
      throw missing("\(shard.printable), which \(name.printable) names, is not there")
    }
  }

  /// A safetensors file that is shorter than its header says, a zip file of torch without its end.
  private func checkEnd(_ name: String, _ byteCount: UInt64) throws(SwzipError) {
    let path = files.path(of: name)
    if name.withoutSuffix(".safetensors") != nil {
      let start = try bytes(path, at: 0, Int(min(byteCount, 9)))
      guard let header = SafetensorsHeader.byteCount(announcedBy: start) else { return }
      guard UInt64(header) <= byteCount else { throw missing("\(name.printable) is cut short") }
      let tensors = SafetensorsHeader(try bytes(path, at: 0, header))?.tensors ?? []
      guard tensors.allSatisfy({ $0.offset + $0.byteCount <= byteCount }) else {
        throw missing("\(name.printable) is cut short")
      }
    } else if [".pt", ".pth", ".bin", ".ckpt", ".distcp"].contains(where: { name.withoutSuffix($0) != nil }) {
      guard try bytes(path, at: 0, Int(min(byteCount, 4))) == [0x50, 0x4B, 3, 4] else { return }
      // The end record, with the longest comment.
      let count = min(byteCount, 22 + 65535)
      let end = try bytes(path, at: byteCount - count, Int(count))
      let hasEnd = end.indices.contains { end[$0...].starts(with: [0x50, 0x4B, 5, 6]) }
      guard hasEnd else { throw missing("\(name.printable) is cut short") }
    }
  }

  /// Where the system can tell: nobody has the file open for writing.
  private func checkWriters(_ name: String) throws(SwzipError) {
    let path = files.path(of: name)
    let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path) }
    let isFree = handle.hold()
    handle.release()
    if isFree == false { throw missing("somebody has \(name.printable) open for writing") }
  }

  private func bytes(_ path: String, at position: UInt64, _ count: Int) throws(SwzipError) -> [UInt8] {
    do throws(SwzipError) {
      return try FileSource(path: path).bytes(at: position, count: count)
    } catch {
      throw error.of(path)
    }
  }

  /// A name in the folder of another one.
  private func sibling(_ name: String, of other: String) -> String {
    (other.nameParts.dropLast() + [name]).joined(separator: "/")
  }

  private func missing(_ what: String) -> SwzipError {
    SwzipError(.refused, .incomplete, file: files.path, detail: what)
  }
}
