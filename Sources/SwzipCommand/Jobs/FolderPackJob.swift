internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Packs a folder into one container of all its files.
struct FolderPackJob {
  let settings: Settings
  let options: PackOptions
  let storesTimes: Bool

  func run(_ task: Task, _ path: String, _ status: FileStatus) throws(Failure) {
    if settings.removesSource {
      throw .refused(path, "--rm removes files, not folders; drop --rm, or pack each file with -r")
    }
    var folder = path
    while folder.utf8.count > 1, let shorter = folder.withoutSuffix("/") { folder = shorter }
    if splitPath(folder) == nil, settings.output == nil, !settings.writesToStdout {
      throw .refused(path, "it has no name of its own; name the output with -o")
    }
    let target = try settings.target(
      task, named: task.name + PackJob.suffix, own: folder + PackJob.suffix)
    guard var work = try Work(settings, task.operand, to: target, .container, status: status) else { return }
    let files = try find(folder, target)
    work.sources += files.tree.files.map(\.status)
    work.byteCount = files.byteCount
    var members = files.members(storesTimes: storesTimes)
    let bases = try settings.bases.bases(ofMembers: files.tree.files.map(\.name)) ?? []
    for (index, base) in bases.enumerated() {
      try base?.check(against: files.tree.files[index].status)
      members[index].bases = base.map { [$0.packBase] } ?? []
    }
    try work.predict { () throws(SwzipError) in try predictedByteCount(members: members, options: options) }
    try work.run(
      Output(target, expected: nil, settings), counting: files.byteCount,
      make: { (output, progress) throws(SwzipError) in
        try pack(members: members, to: output.sink, options: options, progress: progress)
      },
      accept: { (_, _) throws(Failure) in
        try attemptLibrary(folder, files.checkUnchanged)
        for base in bases { try base?.checkUnchanged() }
      },
      summary: { _, report, seconds in
        var summary = Work.Summary(
          path, report.format, raw: report.rawByteCount, packed: report.packedByteCount, seconds)
        if settings.console.verbose > 0 {
          summary.lines.append(
            "  \(report.memberCount) files, \(report.tensorCount) tensors, root SHA-256 \(report.root)")
        }
        summary.fields["files"] = .integer(UInt64(report.memberCount))
        summary.fields["tensors"] = .integer(UInt64(report.tensorCount))
        summary.fields["root"] = .digest(report.root)
        (summary.earlier, summary.warnings) = (files.tree.warnings, report.warnings)
        return summary
      })
  }

  private func find(_ folder: String, _ target: Target) throws(Failure) -> FolderFiles {
    let files = try attemptLibrary(folder) { () throws(SwzipError) in
      try FolderFiles(folder) { name, isFolder in settings.selection.takes(name, isFolder: isFolder) }
    }
    for warning in files.tree.warnings { settings.console.warn(folder, warning.printable) }
    if let old = target.replaced, files.contains(old) {
      throw .refused(target.name, "it lies in the folder that is packed; name another output with -o")
    }
    return files
  }
}
