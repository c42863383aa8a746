internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Saves what can be read of the damaged container of a folder.
struct FolderSalvageJob {
  let console: Console
  let force: Bool

  func run(_ input: Input, _ path: String) throws(Failure) {
    if !force, (try? FileStatus.of(path, followingLinks: false)) != nil {
      throw .refused(path, "it exists; replace its files with -f, or name another output with -o")
    }
    removeStaleFilesOnce(beside: path)
    let folder = try attempt(path) { () throws(SystemError) in try AtomicFolder(target: path) }
    let mask = Process.creationMask()
    let output = FolderOutput(folder, mask: mask, keepsAll: true) { _ in true }
    let (files, lost): ([SalvageReport], [String])
    do throws(SwzipError) {
      (files, lost) = try salvage(from: input.source, to: output)
      try output.settle()
    } catch {
      if let failure = output.failure { throw Failure(failure.error, path: failure.path) }
      throw Failure(error, path: input.name)
    }
    let durability: Durability
    do throws(SystemError) {
      let mode = try folder.mode(0o777 & ~mask, readableAs: [input.status].compactMap { $0 })
      durability = try folder.publish(output.published, folderMode: mode, replacing: force)
    } catch {
      throw Failure(error, path: error.path)
    }
    say(input.name, path, files, lost)
    try requireDurable(durability, path)
    let ranges = files.reduce(0) { $0 + $1.missing.count }
    if !lost.isEmpty || files.isEmpty {
      throw Failure(
        .damaged, path: input.name, text: "\(max(1, lost.count)) files are lost; restore from another copy")
    }
    if ranges > 0 { throw .lost(input.name, ranges) }
  }

  private func say(_ input: String, _ path: String, _ files: [SalvageReport], _ lost: [String]) {
    let recovered = files.reduce(0) { $0 &+ $1.recoveredByteCount }
    let total = files.reduce(0) { $0 &+ $1.byteCount }
    console.note(
      "\(input.printable) : \(formatSize(recovered)) of \(formatSize(total)) in \(files.count) files saved to \(path.printable)"
    )
    for line in files.flatMap(\.lines) { console.note(line) }
    for name in lost { console.note("  lost: \(name.printable)") }
    console.emit([
      "path": .string(input), "out": .string(path), "out_bytes": .integer(total),
      "recovered_bytes": .integer(recovered),
      "files": .array(
        files.map { file in
          var fields: JSONObject = ["name": .string(file.name)]
          fields.append(file.json)
          return .object(fields)
        }), "lost": .array(lost.map { .string($0) }),
    ])
  }
}
