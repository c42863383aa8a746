internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// Adds the next version of a file to an archive, whose steps are the versions.
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
    let archive = try attemptLibrary(folder) { () throws(SwzipError) in try Archive.ofVersions(folder) }
    let number = try attemptLibrary(folder) { () throws(SwzipError) in
      try archive.look().containers.map(\.record.step).max().map { $0 + 1 } ?? 0
    }
    guard number <= ContainerName.mostStep else {
      throw .refused(folder, "its numbers have run out; publish to another folder")
    }
    var adding = AddOptions(options)
    adding.standsAlone = number % anchorEvery == 0
    adding.mostDepth = Int(clamping: anchorEvery)
    _ = try attemptLibrary(file) { [adding] () throws(SwzipError) in
      try Adder(archive, adding).add(CheckpointFiles(file), step: number)
    }
    var retention = Retention()
    retention.last = Int(clamping: keep)
    // A follower opens all that it reads before it reads: nobody has to be waited for.
    _ = try attemptLibrary(folder) { [retention] () throws(SwzipError) in
      try Pruner(archive, retention, grace: 0).run()
    }
    return number
  }
}
