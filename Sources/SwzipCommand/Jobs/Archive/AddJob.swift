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
  let removesSource: Bool
  /// Although it was kept within a bound only.
  let removesInexact: Bool

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
    let (added, removal) = try attemptLibrary(source) { () throws(SwzipError) in
      let removal = removesSource ? try SourceRemoval(files) : nil
      return (try Adder(archive, options).add(files, step: step, progress: progress.update), removal)
    }
    let seconds = progress.seconds
    progress.end()
    added.say(source, seconds, console)
    guard let removal else { return }
    guard added.isExact || removesInexact else {
      throw .refused(
        source, "it was not kept exactly, and stays; remove it by hand, or insist with --allow-inexact-removal")
    }
    _ = try attemptLibrary(source) { () throws(SwzipError) in try removal.run() }
    console.sayRemoved(source)
  }
}

extension Console {
  func sayRemoved(_ source: String) {
    note("\(source.printable) : removed")
    emit(["path": .string(source), "removed": .bool(true)])
  }
}

extension Addition {
  func say(_ source: String, _ seconds: Double, _ console: Console) {
    for warning in warnings + (isExact ? [] : container.inexact?.lines ?? []) { console.warn(source, warning) }
    let (raw, packed) = (container.originalByteCount, container.byteCount)
    let name = checkpoint.name
    let parts = checkpoint.partsText.map { ", \($0) are there" } ?? ""
    if isNew {
      let kind = bases.isEmpty ? "stands alone" : "differences to \(bases.joined(separator: ", "))"
      console.note(
        "\(source.printable) => \(name) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(raw)) => \(formatSize(packed)), \(formatRate(raw, seconds: seconds))), \(kind)\(parts)")
    } else {
      console.note("\(source.printable) : there already, as \(name)\(parts)")
    }
    var fields: JSONObject = [
      "path": .string(source), "out": .string(container.path), "new": .bool(isNew),
    ]
    fields.append(checkpoint.json)
    fields.append([
      "in_bytes": .integer(raw), "out_bytes": .integer(packed), "ratio": ratio(packed, of: raw),
      "seconds": .decimal(seconds), "files": .integer(UInt64(container.files.count)),
      "tensors": .integer(UInt64(container.tensorCount)),
      "bases": .array(bases.map { .string($0) }), "exact": .bool(isExact),
    ])
    if let inexact = container.inexact { fields["moments"] = .object(inexact.json) }
    if !warnings.isEmpty { fields["warnings"] = .array(warnings.map { .string($0) }) }
    console.emit(fields)
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
