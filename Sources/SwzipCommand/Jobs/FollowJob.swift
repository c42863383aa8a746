internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Brings a file up to the newest version in a folder that can be reached. The folder may be a copy in which versions
/// are missing or come late. The file is replaced in one step, or keeps its content.
struct FollowJob {
  let settings: Settings

  /// Returns the number of the version that the file then is.
  func run(_ folder: String, _ file: String) throws(Failure) -> UInt64 {
    let digest = try digest(file)
    var settings = settings
    settings.output = file
    settings.force = true
    // Where the file is an earlier version, only the steps since are read.
    settings.bases = NamedBases(digest == nil ? [folder] : [file, folder])
    let job = UnpackJob(settings: settings, only: [])
    var reason: Failure?
    for version in try Versions(in: folder).all.reversed() {
      do throws(Failure) {
        if try self.digest(version) == digest, digest != nil { return version.number }
        try job.run(Task(operand: .path(version.path), name: lastPart(version.path)))
        return version.number
      } catch {
        // A step is not there yet, was removed just now, or is being copied. An older version may do.
        guard [.base, .damaged, .failed].contains(error.status), error.path != file else { throw error }
        reason = reason ?? error
      }
    }
    let why = reason.map { "; \(lastPart($0.path).printable): \($0.text)" } ?? ""
    throw Failure(.base, path: folder, text: "no version in it can be reached" + why)
  }

  /// The SHA-256 of the file; nil if there is none.
  private func digest(_ file: String) throws(Failure) -> Digest? {
    do throws(SystemError) {
      _ = try FileStatus.of(file)
    } catch  where error.isMissing {
      return nil
    } catch {
      throw Failure(error, path: file)
    }
    let input = try Input(.path(file), force: false)
    return try attemptLibrary(file) { () throws(SwzipError) in try input.source.atRandom().sha256() }
  }

  /// The SHA-256 of what a version holds.
  private func digest(_ version: Versions.Version) throws(Failure) -> Digest? {
    let input = try Input(.path(version.path), force: false)
    let container = try attemptLibrary(version.path) { () throws(SwzipError) in try Container(input.source.atRandom()) }
    guard !container.isFolder else {
      throw .refused(version.path, "it holds a folder, and what follows is a file; remove it")
    }
    return container.members.first?.sha256
  }
}
