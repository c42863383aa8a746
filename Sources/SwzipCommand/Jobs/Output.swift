internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Where an output shall go.
enum Target: Equatable {
  case standardOutput
  /// `in`: what the folder that it lies in must be; then no link is gone through.
  case path(String, in: FileStatus? = nil)

  var name: String {
    switch self {
    case .standardOutput: FileHandle.standardOutput.path
    case .path(let path, _): path
    }
  }

  /// What is there now.
  var replaced: FileStatus? {
    guard case .path(let path, _) = self else { return nil }
    return try? FileStatus.of(path)
  }

  /// Refuses what would overwrite something, before any work is done.
  func check(against input: FileStatus?, force: Bool) throws(Failure) {
    guard case .path(let path, _) = self else { return }
    guard splitPath(path) != nil else { throw .refused(path, "it names a directory; name a file") }
    guard let existing = try? FileStatus.of(path, followingLinks: false) else { return }
    let behind = (try? FileStatus.of(path)) ?? existing
    if behind.kind == .directory { throw .refused(path, "it is a directory; name a file with -o") }
    if let input, input.kind == .regular, behind.isSameFile(as: input) {
      throw .refused(path, "it is the source itself; name another output with -o")
    }
    if !force { throw .refused(path, "it exists; replace it with -f, or name another output with -o") }
  }
}

extension Settings {
  /// Where the output of a task goes: where the options say, else to `own`. Folders below `--output-dir` are made.
  func target(_ task: Task, named name: String, own: String) throws(Failure) -> Target {
    if writesToStdout { return .standardOutput }
    if let output { return .path(output) }
    guard let outputFolder else { return .path(own, in: task.found?.folder) }
    let path = join(outputFolder, name)
    guard !dryRun else { return .path(path) }
    do throws(SystemError) {
      return .path(path, in: try makeFolders(above: name, below: outputFolder))
    } catch {
      throw Failure(error, path: error.path)
    }
  }
}

/// An output that is being written. If it is not finished, no trace of it stays.
protocol OpenOutput {
  /// Which file could not be written, and why.
  var writeFailure: Failure? { get }

  /// Gives the output its name, and if it is a file the mode, times and owner of `copied`. Throws only while the name is not
  /// there. Nobody may use it who may not use each of `sources`: what it is made of.
  func finish(copying copied: FileStatus?, readableAs sources: [FileStatus], force: Bool) throws(Failure) -> Durability
}

/// A file, a device or stdout that is being written.
final class Output: OpenOutput {
  private let name: String
  let sink: FileSink
  private let file: AtomicFile?

  /// `expected` is the size if it is known: a full disk then shows now. Replacing a device or a pipe means to
  /// write to it.
  init(_ target: Target, expected: UInt64?, _ settings: Settings) throws(Failure) {
    name = target.name
    switch target {
    case .standardOutput:
      sink = FileSink(FileHandle.standardOutput, canReadBack: false)
      file = nil
    case .path(let path, let folder):
      if settings.force, folder == nil, let existing = try? FileStatus.of(path), existing.kind != .regular {
        let handle = try attempt(path) { () throws(SystemError) in try FileHandle.openForWriting(path) }
        sink = FileSink(handle, canReadBack: false)
        file = nil
      } else {
        removeStaleFilesOnce(beside: path)
        let file = try attempt(path) { () throws(SystemError) in try AtomicFile(target: path, in: folder) }
        self.file = file
        sink = FileSink(file.handle, canReadBack: true, makesHoles: settings.holes != .none)
        guard let expected, settings.holes != .only else { return }
        try attempt(path) { () throws(SystemError) in try file.handle.reserve(expected) }
      }
    }
  }

  var writeFailure: Failure? { sink.failure.map { Failure($0, path: name) } }

  func finish(
    copying copied: FileStatus?, readableAs sources: [FileStatus], force: Bool
  ) throws(Failure) -> Durability {
    guard let file else { return .synced }
    do throws(SwzipError) { try sink.finish() } catch { throw writeFailure ?? Failure(error, path: name) }
    return try attempt(name) { () throws(SystemError) in
      if let copied, copied.kind == .regular {
        try file.copyAttributes(of: copied)
      } else {
        try file.setAccess(mask: Process.creationMask(), like: sources.first)
      }
      try file.restrict(to: sources)
      return try file.publish(replacing: force)
    }
  }
}

/// What becomes of blocks of zeros.
enum Holes {
  /// `--no-sparse`: they are written.
  case none
  /// They become holes; room for all is there first, so that a full disk shows at once.
  case made
  /// `--sparse`: room is taken for the rest only.
  case only
}

/// A name that stands but may not survive a power cut is a failure that leaves a complete file. Where the file
/// system cannot sync directories at all there is nothing to report.
func requireDurable(_ durability: Durability, _ path: String) throws(Failure) {
  guard case .unknown(let error) = durability, !error.isUnsupported else { return }
  throw Failure(
    .failed, path: path, text: "it is published and complete, durability unknown: \(error.words); keep the source")
}

/// `path` names the file that is to be written.
func removeStaleFilesOnce(beside path: String) {
  guard let folder = splitPath(path)?.directory else { return }
  if CleanedFolders.shared.insert(folder) { removeStaleFiles(in: folder) }
}
