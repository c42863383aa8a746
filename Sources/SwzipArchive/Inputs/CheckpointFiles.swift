internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// The files of a checkpoint on the disk: a folder, or one file.
package struct CheckpointFiles: Sendable {
  package let path: String
  /// Of the folder, or of the file.
  let status: FileStatus
  let files: FolderFiles

  private init(_ other: CheckpointFiles, _ files: FolderFiles) {
    (path, status) = (other.path, other.status)
    self.files = files
  }

  package init(_ path: String) throws(SwzipError) {
    var path = path
    while path.utf8.count > 1, let shorter = path.withoutSuffix("/") { path = shorter }
    self.path = path
    status = try onSystem(path) { [path] () throws(SystemError) in try FileStatus.of(path) }
    switch status.kind {
    case .directory: files = try FolderFiles(path)
    case .regular:
      guard let (folder, name) = splitPath(path) else { throw SwzipError(.refused, .system, detail: "it is no file") }
      files = try FolderFiles(folder) { found, isFolder in !isFolder && Exact(found) == Exact(name) }
    default:
      throw SwzipError(.refused, .system, file: path, detail: "it is neither a folder nor a regular file")
    }
  }

  package var byteCount: UInt64 { files.byteCount }
  var names: Set<Exact> { Set((files.tree.files.map(\.name) + files.tree.keptLinks.map(\.name)).map { Exact($0) }) }
  var isFolder: Bool { status.kind == .directory }
  package var warnings: [String] { files.tree.warnings }

  /// Whether names, sizes and times are those that they were.
  func isUnchanged(since earlier: CheckpointFiles) -> Bool {
    let (now, before) = (files.tree, earlier.files.tree)
    return now.files.count == before.files.count && now.keptLinks.count == before.keptLinks.count
      && zip(now.files, before.files).allSatisfy {
        Exact($0.name) == Exact($1.name) && $0.status.hasSameContent(as: $1.status)
      }
  }

  /// Since something was written, or a name came or went: by the clock here.
  var secondsSinceChange: Int64 {
    let all = [status] + files.tree.files.flatMap { [$0.status, $0.folder] }
    return all.map(\.secondsSinceChange).min() ?? 0
  }

  /// The time of the last write to a file.
  var modified: FileTime? { files.tree.files.map(\.status.modified).max() }

  /// Whether an archive is among the files.
  func holds(_ archive: Archive) -> Bool {
    let mark = try? FileStatus.of(join(archive.path, Identity.fileName))
    return mark.map(files.contains) ?? false
  }

  /// Some of them.
  func only(_ takes: (_ name: String) -> Bool) -> CheckpointFiles { CheckpointFiles(self, files.only(takes)) }

  /// Where a file of the checkpoint lies.
  func path(of name: String) -> String { join(files.folder, name) }
}
