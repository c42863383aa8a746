internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks a checkpoint of an archive to a folder.
struct RestoreJob {
  let settings: Settings
  /// Which files; none means all.
  let only: [String]

  func run(_ path: String, _ word: String, _ folder: String) throws(Failure) {
    let open = try openCheckpoint(path, word, settings.console)
    let opened = try Work(settings, Operand(path), to: .path(folder), .folder, status: open.stored.status)
    guard var work = opened else { return }
    let members = open.container.members
    let inexact = open.stored.inexact
    let chosen = try FolderUnpackJob.choose(members, only, open.stored.path)
    let names = chosen.map { members[$0].name }
    let wanted = Set(names.map { Exact($0) })
    let byteCount = chosen.reduce(0) { $0 &+ members[$1].byteCount }
    work.expected = byteCount
    work.sources += open.needed
    try work.run(
      FolderOutput(folder, names: names, expected: byteCount, settings, keepsAll: false) { name in
        wanted.contains(Exact(name))
      },
      counting: byteCount,
      make: { (output, progress) throws(SwzipError) in
        do throws(SwzipError) {
          return try only.isEmpty
            ? unpack(from: open.source, to: output, bases: open.bases, threads: settings.threads, progress: progress)
            : unpack(chosen, of: open.container, to: output, threads: settings.threads, progress: progress)
        } catch {
          // What could not be written is named by the output.
          throw error.kind == .corrupt && error.file == nil ? error.of(open.stored.path) : error
        }
      },
      accept: { (output, _) throws(Failure) in
        guard Set(output.published.map { Exact($0) }) == wanted else {
          throw Failure(.damaged, path: open.stored.path, text: "it does not hold all files that its directory names")
        }
      },
      summary: { output, report, seconds in
        let (raw, files) = (report.rawByteCount, output.published.count)
        let name = open.checkpoint.name
        var summary = Work.Summary()
        summary.warnings = inexact?.lines(of: wanted) ?? []
        summary.lines = [
          "\(name) => \(folder.printable) : \(files) files, \(formatSize(raw)), \(formatRate(raw, seconds: seconds))"
        ]
        summary.fields = open.checkpoint.json
        if let inexact { summary.fields["moments"] = .object(inexact.json) }
        summary.fields.append([
          "files": .integer(UInt64(files)), "out_bytes": .integer(raw), "seconds": .decimal(seconds),
          "root": .digest(report.root),
        ])
        return summary
      })
  }
}
