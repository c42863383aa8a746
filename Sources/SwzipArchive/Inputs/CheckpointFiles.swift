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
  package var warnings: [String] { files.tree.warnings }

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
