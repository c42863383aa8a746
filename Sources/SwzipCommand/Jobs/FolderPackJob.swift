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
    let tree = try scan(folder, target)
    work.sources += tree.files.map(\.status)
    let total = tree.files.reduce(0) { $0 &+ $1.status.byteCount }
    work.byteCount = total
    var members = tree.files.map { member($0, below: folder) }
    let links = tree.keptLinks.sorted { Exact($0.name) < Exact($1.name) }
    members += links.map { PackMember(name: $0.name, linkTo: $0.path) }
    let bases = try settings.bases.bases(ofMembers: tree.files.map(\.name)) ?? []
    for (index, base) in bases.enumerated() {
      try base?.check(against: tree.files[index].status)
      members[index].bases = base.map { [$0.packBase] } ?? []
    }
    try work.predict { () throws(SwzipError) in try predictedByteCount(members: members, options: options) }
    try work.run(
      Output(target, expected: nil, settings), counting: total,
      make: { (output, progress) throws(SwzipError) in
        try pack(members: members, to: output.sink, options: options, progress: progress)
      },
      accept: { (_, _) throws(Failure) in
        for file in tree.files { try checkUnchanged(file, below: folder) }
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
        (summary.earlier, summary.warnings) = (tree.warnings, report.warnings)
        return summary
      })
  }

  private func scan(_ folder: String, _ target: Target) throws(Failure) -> TreeScan {
    let tree: TreeScan
    do throws(SystemError) {
      tree = try TreeScan(folder, links: .kept, mostFiles: Limits.members) { name, isFolder in
        settings.selection.takes(name, isFolder: isFolder)
      }
    } catch {
      throw Failure(error, path: error.path.isEmpty ? folder : error.path)
    }
    if tree.files.isEmpty { throw .refused(folder, "it holds no files to pack") }
    for warning in tree.warnings { settings.console.warn(folder, warning.printable) }
    if let old = target.replaced, tree.files.contains(where: { $0.status.isSameFile(as: old) }) {
      throw .refused(target.name, "it lies in the folder that is packed; name another output with -o")
    }
    // Before anything is written.
    var names = MemberNames()
    for name in tree.files.map(\.name) + tree.keptLinks.map(\.name) {
      try attemptLibrary(folder) { () throws(SwzipError) in try names.add(name, .refused) }
    }
    return tree
  }

  private func member(_ file: TreeScan.File, below folder: String) -> PackMember {
    PackMember(
      name: file.name, mode: UInt16(file.status.permissions), time: storesTimes ? file.status.modified : nil
    ) { () throws(SwzipError) in try FoundSource(join(folder, file.name), expecting: file.status) }
  }

  private func checkUnchanged(_ file: TreeScan.File, below folder: String) throws(Failure) {
    let path = join(folder, file.name)
    let now = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
    guard now.hasSameContent(as: file.status) else { throw Failure(Input.changed, path: path) }
  }
}

/// A file that is the one that was found, and whose errors name it.
private final class FoundSource: RandomSource {
  private let file: FileSource
  private let path: String

  init(_ path: String, expecting status: FileStatus) throws(SwzipError) {
    self.path = path
    let (handle, now): (FileHandle, FileStatus)
    do throws(SystemError) {
      handle = try FileHandle.open(path)
      now = try handle.status()
    } catch {
      throw SwzipError(error).of(path)
    }
    file = try FileSource(handle)
    guard now.hasSameContent(as: status) else { throw Input.changed.of(path) }
  }

  var byteCount: UInt64 { file.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    do throws(SwzipError) { return unsafe try file.read(at: position, into: buffer) } catch { throw error.of(path) }
  }
}
