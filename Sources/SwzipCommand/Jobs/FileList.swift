internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// One thing to do.
struct Task {
  let operand: Operand
  /// Below the folder that was named, or the last part of a path; where it goes below `--output-dir`.
  let name: String
  /// What it was, where it was found in a folder.
  var found: TreeScan.File?
  /// Copied as it is, not packed or unpacked: what loaders look for by name beside the shards of a model.
  var isPlainCopy = false
}

/// The files that are named, listed and found.
struct FileList {
  enum Purpose: Equatable {
    case pack(allFiles: Bool)
    case unpack
  }

  private(set) var tasks: [Task] = []
  private(set) var failures: [Failure] = []
  private let settings: Settings
  private let purpose: Purpose
  private var selection: Selection { settings.selection }
  /// Paths without links of the files that were found.
  private var seen: Set<Exact> = []
  private var leavesReadable: Bool { purpose != .pack(allFiles: true) }

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
    else {
      if selection.isRecursive, !seen.insert(Exact(realPath(operand.name) ?? operand.name)).inserted { return }
      return tasks.append(Task(operand: operand, name: name))
    }
    do throws(Failure) {
      let found = try attempt(path) { () throws(SystemError) in
        try TreeScan(path, links: .once(outside: outside)) { name, isFolder in
          settings.selection.takes(name, isFolder: isFolder)
        }
      }
      for warning in found.warnings { settings.console.warn(path, warning.printable) }
      // Who names a folder and one in it means each file once, too.
      let files = found.files.filter { seen.insert(Exact(found.realPath(of: $0))).inserted }
      let names = Set(files.map { Exact($0.name) })
      for file in files { add(file, below: path, among: names) }
      let left =
        purpose == .pack(allFiles: false) && settings.outputFolder == nil ? files.filter(ReadableFiles.has) : []
      if !left.isEmpty {
        settings.console.note(
          "\(path.printable) : JSON, text and vocabulary files stay as they are (\(left.count)); --all-files packs them too"
        )
      }
    } catch {
      failures.append(error)
    }
  }

  /// Nothing is written or removed outside the folder: what lies there is taken only if it goes elsewhere, and a link to
  /// a file gets its output beside itself.
  private var outside: TreeScan.Outside {
    settings.removesSource ? .nothing : settings.outputFolder == nil ? .files : .all
  }

  private mutating func add(_ file: TreeScan.File, below folder: String, among names: Set<Exact>) {
    var task = Task(operand: .path(join(folder, file.name)), name: file.name, found: file)
    if leavesReadable, ReadableFiles.has(file) {
      // What was packed all the same comes back from its container.
      guard settings.outputFolder != nil, purpose != .unpack || !names.contains(Exact(file.name + PackJob.suffix))
      else { return }
      task.isPlainCopy = true
    } else if (file.name.withoutSuffix(PackJob.suffix) != nil) != (purpose == .unpack) {
      return
    }
    tasks.append(task)
  }

  /// The names in `--files-from`.
  private func listed() throws(Failure) -> [String] {
    guard let file = selection.listFile else { return [] }
    let handle = try attempt(file) { () throws(SystemError) in
      file == "-" ? FileHandle.standardInput : try FileHandle.open(file)
    }
    let bytes = try attempt(file) { () throws(SystemError) in try handle.readToEnd() }
    let mark: UInt8 = selection.listEndsInNull ? 0 : 10
    return bytes.split(separator: mark).map { String(nameBytes: $0) }
  }

  /// Whether a path stays below where it starts.
  private func isBelow(_ path: String) -> Bool {
    let parts = path.nameParts
    return parts.first != "" && !parts.contains("..") && !HTTPSource.isURL(path)
  }
}

/// The name of a file or folder without what it lies in; of a URL, the last part of its path.
func lastPart(_ path: String) -> String {
  guard HTTPSource.isURL(path) else { return path.nameParts.last { !$0.isEmpty } ?? path }
  // Scheme, nothing, server, and then the path.
  let parts = path.prefix { $0 != "?" && $0 != "#" }.split(separator: "/", omittingEmptySubsequences: false)
  return parts.count > 3 ? String(parts[parts.count - 1]) : ""
}
