internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// Adds a checkpoint to an archive.
struct AddJob {
  let settings: Settings
  let options: AddOptions
  /// Nil: the name of the checkpoint says it.
  let step: UInt64?

  func run(_ path: String, _ source: String) throws(Failure) {
    let console = settings.console
    let archive = try openArchive(path)
    let files = try attemptLibrary(source) { () throws(SwzipError) in try CheckpointFiles(source) }
    guard let step = step ?? SwzipArchive.step(inName: lastPart(files.path)) else {
      throw .refused(source, "its name does not say its step; say it with --step")
    }
    guard step <= ContainerName.mostStep else { throw .refused(source, "steps have at most twelve digits") }
    let progress = Progress(console, name: source, total: files.byteCount, asked: settings.progress)
    defer { progress.end() }
    let added = try attemptLibrary(source) { () throws(SwzipError) in
      try Adder(archive, options).add(files, step: step, progress: progress.update)
    }
    let seconds = progress.seconds
    progress.end()
    for warning in added.warnings + (added.isExact ? [] : added.container.inexact?.lines ?? []) {
      console.warn(source, warning)
    }
    say(added, source, seconds)
  }

  private func say(_ added: Addition, _ source: String, _ seconds: Double) {
    let (raw, packed) = (added.container.originalByteCount, added.container.byteCount)
    let name = added.checkpoint.name
    let parts = added.checkpoint.partsText.map { ", \($0) are there" } ?? ""
    if added.isNew {
      let bases = added.bases.isEmpty ? "stands alone" : "differences to \(added.bases.joined(separator: ", "))"
      settings.console.note(
        "\(source.printable) => \(name) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(raw)) => \(formatSize(packed)), \(formatRate(raw, seconds: seconds))), \(bases)\(parts)")
    } else {
      settings.console.note("\(source.printable) : there already, as \(name)\(parts)")
    }
    var fields: JSONObject = [
      "path": .string(source), "out": .string(added.container.path), "new": .bool(added.isNew),
    ]
    fields.append(added.checkpoint.json)
    fields.append([
      "in_bytes": .integer(raw), "out_bytes": .integer(packed), "ratio": ratio(packed, of: raw),
      "seconds": .decimal(seconds), "files": .integer(UInt64(added.container.files.count)),
      "tensors": .integer(UInt64(added.container.tensorCount)),
      "bases": .array(added.bases.map { .string($0) }), "exact": .bool(added.isExact),
    ])
    if let inexact = added.container.inexact { fields["moments"] = .object(inexact.json) }
    if !added.warnings.isEmpty { fields["warnings"] = .array(added.warnings.map { .string($0) }) }
    settings.console.emit(fields)
  }
}

extension Checkpoint {
  /// What names it.
  var json: JSONObject {
    var fields: JSONObject = [
      "checkpoint": .string(name), "step": .integer(step), "attempt": .integer(UInt64(attempt)),
      "id": .digest(identity),
    ]
    if partCount > 1 {
      fields.append(["parts": .integer(UInt64(partCount)), "parts_there": .integer(UInt64(parts.count))])
    }
    return fields
  }

  /// "2 of 4 parts", of one that has parts.
  var partsText: String? { partCount > 1 ? "\(parts.count) of \(partCount) parts" : nil }
}
