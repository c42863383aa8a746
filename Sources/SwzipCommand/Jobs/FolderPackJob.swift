internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem
internal import Synchronization

/// Packs a folder into one container of all its files.
struct FolderPackJob {
  let settings: Settings
  let options: PackOptions
  let storesTimes: Bool
  private var console: Console { settings.console }

  func run(_ task: Task, _ path: String, _ status: FileStatus) throws(Failure) {
    if settings.removesSource {
      throw .refused(path, "--rm removes files, not folders; drop --rm, or pack each file with -r")
    }
    var folder = path
    while folder.utf8.count > 1, let shorter = folder.withoutSuffix("/") { folder = shorter }
    let isNamed = splitPath(folder) != nil
    if !isNamed, settings.output == nil, !settings.writesToStdout {
      throw .refused(path, "it has no name of its own; name the output with -o")
    }
    let name = task.name + PackJob.suffix
    let target = try settings.target(task, named: name, own: folder + PackJob.suffix)
    if settings.skips(task, target) { return }
    try target.check(against: status, force: settings.force)
    try settings.bases.check(target)
    if target == .standardOutput, FileHandle.standardOutput.isTerminal, !settings.force {
      throw .refused(
        target.name, "compressed data is not written to a terminal; name a file with -o, or insist with -f")
    }
    let tree = try scan(folder, target)
    let total = tree.files.reduce(0) { $0 &+ $1.status.byteCount }
    guard !settings.dryRun else { return settings.announce(path, byteCount: total, target) }

    let reading = LastRead()
    let bases = try settings.bases.bases(ofMembers: tree.files.map(\.name))
    var members = tree.files.map { member($0, below: folder, reading) }
    let links = tree.keptLinks.sorted { Exact($0.name) < Exact($1.name) }
    members += links.map { PackMember(name: $0.name, linkTo: $0.path) }
    for (index, base) in (bases ?? []).enumerated() {
      try base?.check(against: tree.files[index].status)
      members[index].base = base?.packBase
    }
    let output = try Output(target, expected: nil, force: settings.force)
    let progress = Progress(console, name: path, total: total, asked: settings.progress)
    let report: PackReport
    do throws(SwzipError) {
      report = try pack(members: members, to: output.sink, options: options, progress: progress.update)
    } catch {
      progress.end()
      throw Failure(error, reading: reading.failed ?? path, writing: output.name, output.sink)
    }
    for file in tree.files { try checkUnchanged(file, below: folder) }
    for base in bases ?? [] { try base?.checkUnchanged() }
    let durability = try output.finish(
      copying: nil, readableAs: [status] + tree.files.map(\.status) + settings.bases.named(), force: settings.force)
    let seconds = progress.seconds
    progress.end()
    for warning in report.warnings { console.warn(path, warning) }
    say(path, output, report, seconds, warnings: tree.warnings + report.warnings)
    try requireDurable(durability, output.name)
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
    for warning in tree.warnings { console.warn(folder, warning.printable) }
    if case .path(let path, _) = target, let old = try? FileStatus.of(path),
      tree.files.contains(where: { $0.status.isSameFile(as: old) })
    {
      throw .refused(path, "it lies in the folder that is packed; name another output with -o")
    }
    // Before anything is written.
    var names = MemberNames()
    for name in tree.files.map(\.name) + tree.keptLinks.map(\.name) {
      try attemptLibrary(folder) { () throws(SwzipError) in try names.add(name, .refused) }
    }
    return tree
  }

  private func member(_ file: TreeScan.File, below folder: String, _ reading: LastRead) -> PackMember {
    let path = join(folder, file.name)
    return PackMember(
      name: file.name, mode: UInt16(file.status.permissions), time: storesTimes ? file.status.modified : nil
    ) { () throws(SwzipError) in
      do throws(SwzipError) {
        return try WatchedSource(path, expecting: file.status, reading)
      } catch {
        reading.fails(path)
        throw error
      }
    }
  }

  private func checkUnchanged(_ file: TreeScan.File, below folder: String) throws(Failure) {
    let path = join(folder, file.name)
    let now = try attempt(path) { () throws(SystemError) in try FileStatus.of(path) }
    guard now.hasSameContent(as: file.status) else { throw Failure(Input.changed, path: path) }
  }

  private func say(_ path: String, _ output: Output, _ report: PackReport, _ seconds: Double, warnings: [String]) {
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    if !settings.writesToStdout || console.verbose > 0 {
      console.note(
        "\(path.printable) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(raw)) => \(formatSize(packed)), \(formatRate(raw, seconds: seconds)))")
    }
    if console.verbose > 0 {
      console.note("  \(report.memberCount) files, \(report.tensorCount) tensors, root SHA-256 \(report.root)")
    }
    var fields: JSONObject = [
      "path": .string(path), "out": .string(output.name), "format": .string(report.format),
      "in_bytes": .integer(raw), "out_bytes": .integer(packed), "ratio": ratio(packed, of: raw),
      "seconds": .decimal(seconds), "files": .integer(UInt64(report.memberCount)),
      "tensors": .integer(UInt64(report.tensorCount)), "root": .string(report.root),
    ]
    if !warnings.isEmpty { fields["warnings"] = .array(warnings.map { .string($0) }) }
    console.emit(fields)
  }
}

/// Which file could not be read.
final class LastRead: Sendable {
  private let path = Mutex<String?>(nil)
  var failed: String? { path.withLock { $0 } }
  func fails(_ name: String) { path.withLock { $0 = name } }
}

/// A file that says so when it cannot be read, and is the one that was found.
final class WatchedSource: RandomSource {
  private let file: FileSource
  private let path: String
  private let reading: LastRead

  init(_ path: String, expecting status: FileStatus, _ reading: LastRead) throws(SwzipError) {
    self.path = path
    self.reading = reading
    let (handle, now): (FileHandle, FileStatus)
    do throws(SystemError) {
      handle = try FileHandle.open(path)
      now = try handle.status()
    } catch {
      throw SwzipError(error)
    }
    file = try FileSource(handle)
    guard now.hasSameContent(as: status) else { throw Input.changed }
  }

  var byteCount: UInt64 { file.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    do throws(SwzipError) { return unsafe try file.read(at: position, into: buffer) } catch {
      reading.fails(path)
      throw error
    }
  }
}
