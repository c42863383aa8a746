internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Adds the next version of a file to a folder. One publisher at a time: of two, one is refused.
struct PublishJob {
  let settings: Settings
  let options: PackOptions
  /// Every so many versions stands alone.
  let anchorEvery: UInt64
  /// So many can be reached.
  let keep: UInt64

  /// Returns the number of the version.
  func run(_ folder: String, _ file: String) throws(Failure) -> UInt64 {
    if let status = try? FileStatus.of(file), status.kind == .directory {
      throw .refused(file, "it is a directory; versions are of a file")
    }
    try attempt(folder) { () throws(SystemError) in try makeFolders(folder) }
    let last = try Versions(in: folder).all.last
    let number = last.map { $0.number + 1 } ?? 0
    let base = number % anchorEvery == 0 ? nil : last
    let path = try Versions.path(in: folder, number, base == nil ? .anchor : .step)
    var settings = settings
    settings.output = path
    settings.bases = NamedBases(base.map { [$0.path, folder] } ?? [])
    // Refuses to replace what another publisher has put there.
    try PackJob(settings, options, storesTimes: false).run(Task(operand: .path(file), name: lastPart(file)))
    for version in try Versions(in: folder).superseded(last: number, keep: keep) {
      _ = try attempt(version.path) { () throws(SystemError) in try removeFile(version.path) }
    }
    return number
  }
}
