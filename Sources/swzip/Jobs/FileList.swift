internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// One thing to do.
struct Task {
  let operand: Operand
  /// Below the folder that was named, or the last part of a path; where it goes below `--output-dir`.
  let name: String
  /// Copied as it is, not packed or unpacked: what loaders look for by name beside the shards of a model.
  var isPlainCopy = false
}

/// The files that are named, listed and found.
struct FileList {
  enum Purpose { case pack, unpack }

  private(set) var tasks: [Task] = []
  private(set) var failures: [Failure] = []
  private let settings: Settings
  private let purpose: Purpose
  private var selection: Selection { settings.selection }
  /// `model.safetensors.index.json` and its like say which shard holds what.
  private static let indexSuffix = ".index.json"

  init(_ settings: Settings, _ purpose: Purpose) {
    self.settings = settings
    self.purpose = purpose
    for operand in settings.operands { add(operand, name: lastPart(operand.name)) }
    do throws(Failure) {
      for path in try listed() { add(.path(path), name: isBelow(path) ? path : lastPart(path)) }
    } catch {
      failures.append(error)
    }
    tasks.removeAll { task in !settings.selection.isInShard(task.name) }
  }

  private mutating func add(_ operand: Operand, name: String) {
    guard selection.isRecursive, case .path(let path) = operand, let status = try? FileStatus.of(path),
      status.kind == .directory
    else { return tasks.append(Task(operand: operand, name: name)) }
    do throws(Failure) {
      let found = try attempt(path) { () throws(SystemError) in
        try TreeScan(path, mostFiles: .max) { name, isFolder in settings.selection.takes(name, isFolder: isFolder) }
      }
      for warning in found.warnings { settings.console.warn(path, warning.printable) }
      for file in found.files { add(file.name, below: path) }
    } catch {
      failures.append(error)
    }
  }

  private mutating func add(_ name: String, below folder: String) {
    let operand = Operand.path(swzip.below(folder, name))
    if name.hasSuffix(FileList.indexSuffix) {
      if settings.outputFolder != nil { tasks.append(Task(operand: operand, name: name, isPlainCopy: true)) }
    } else if name.hasSuffix(PackJob.suffix) == (purpose == .unpack) {
      tasks.append(Task(operand: operand, name: name))
    }
  }

  /// The names in `--files-from`.
  private func listed() throws(Failure) -> [String] {
    guard let file = selection.listFile else { return [] }
    let handle = try attempt(file) { () throws(SystemError) in
      file == "-" ? FileHandle.standardInput : try FileHandle.open(file)
    }
    let bytes = try attempt(file) { () throws(SystemError) in try handle.readToEnd() }
    let mark: UInt8 = selection.listEndsInNull ? 0 : 10
    return bytes.split(separator: mark).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether a path stays below where it starts.
  private func isBelow(_ path: String) -> Bool {
    !path.hasPrefix("/") && !path.split(separator: "/", omittingEmptySubsequences: false).contains("..")
  }

}

/// The name of a file or folder without what it lies in.
func lastPart(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }

/// The path of a name in a folder.
func below(_ folder: String, _ name: String) -> String {
  folder.hasSuffix("/") ? folder + name : folder + "/" + name
}
