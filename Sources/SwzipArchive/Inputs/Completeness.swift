internal import Swzip
package import SwzipCore
internal import SwzipInputs
internal import SwzipNames
internal import SwzipSystem

/// Whether a checkpoint is all there: what its indexes name, a file of each rank, what frameworks write last, files that are whole,
/// and nobody who writes. Says what is missing; a guess in favour of the checkpoint would be found out when it is needed.
package struct Completeness {
  private let files: CheckpointFiles
  /// Whether other files of the checkpoint are elsewhere.
  private let isPart: Bool

  package init(_ files: CheckpointFiles, isPart: Bool = false) {
    self.files = files
    self.isPart = isPart || files.status.kind == .regular
  }

  /// Throws `incomplete` with what is missing.
  package func check() throws(SwzipError) {
    if let name = splitPath(files.path)?.name, name.hasPrefix("tmp-") || name.hasPrefix("tmp_") {
      throw files.missing("its name begins with tmp: it is being written")
    }
    if !isPart { try FrameworkFiles(files).check() }
    for file in files.files.tree.files {
      if let end = Self.unfinished.first(where: { file.name.withoutSuffix($0) != nil }) {
        throw files.missing("\(file.name.printable) ends in \(end): it is being written")
      }
      try checkWriters(file.name)
      guard try WholeFile(files, file.name).isWhole() else {
        throw files.missing("\(file.name.printable) is cut short")
      }
    }
  }

  private static let unfinished = [".tmp", ".incomplete", ".part", ".partial"]

  /// Where the system can tell: nobody has the file open for writing.
  private func checkWriters(_ name: String) throws(SwzipError) {
    let path = files.path(of: name)
    let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path) }
    let isFree = handle.hold()
    handle.release()
    if isFree == false { throw files.missing("somebody has \(name.printable) open for writing") }
  }
}

extension CheckpointFiles {
  func missing(_ what: String) -> SwzipError { SwzipError(.refused, .incomplete, file: path, detail: what) }

  /// A file of the checkpoint, to look into.
  func open(_ name: String) throws(SwzipError) -> FileBytes {
    let path = path(of: name)
    do throws(SwzipError) { return FileBytes(try FileSource(path: path)) } catch { throw error.of(path) }
  }
}

/// A file as what the parsers of model formats read.
struct FileBytes: InputBytes {
  private let source: FileSource

  fileprivate init(_ source: FileSource) { self.source = source }

  var byteCount: UInt64? { source.byteCount }

  func peek(_ count: Int) throws(SwzipError) -> [UInt8] { try bytes(at: 0, count: count) }

  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard offset < source.byteCount else { return [] }
    return try source.bytes(at: offset, count: Int(min(UInt64(count), source.byteCount - offset)))
  }
}
