internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipSystem

/// Brings a file up to the newest version in an archive that can be reached. That may be a copy in which versions are missing or
/// come late. The file is replaced in one step, or keeps its content.
struct FollowJob {
  let settings: Settings

  /// Returns the number of the version that the file then is.
  func run(_ folder: String, _ file: String) throws(Failure) -> UInt64 {
    // Says which verbs read URLs.
    if HTTPSource.isURL(folder) { _ = try attempt(folder) { () throws(SystemError) in try FileStatus.of(folder) } }
    let digest = try digest(file)
    let holdings = try attemptLibrary(folder) { () throws(SwzipError) in try Archive(folder).look() }
    var settings = settings
    settings.output = file
    settings.force = true
    // Where the file is an earlier version, only the steps since are read.
    settings.bases = NamedBases((digest == nil ? [] : [file]) + [Archive.containers(in: folder)])
    var reason: Failure?
    for checkpoint in holdings.checkpoints().reversed() {
      let stored = holdings.containers[checkpoint.parts[0]]
      do throws(Failure) {
        guard checkpoint.partCount == 1, stored.files.count == 1, stored.files[0].link == nil else {
          throw .refused(stored.path, "it holds a folder, and what follows is a file")
        }
        if stored.files[0].sha256 != digest { try bring(stored, to: file, settings) }
        return checkpoint.step
      } catch {
        // A step is not there yet, was removed just now, or is being copied. An older version may do.
        guard [.base, .damaged, .failed].contains(error.status), error.path != file else { throw error }
        reason = reason ?? error
      }
    }
    let why = reason.map { "; \(lastPart($0.path).printable): \($0.text)" } ?? ""
    throw Failure(.base, path: folder, text: "no version in it can be reached" + why)
  }

  private func bring(_ stored: StoredContainer, to file: String, _ settings: Settings) throws(Failure) {
    let operand = Operand(stored.path)
    guard
      var work = try Work(
        settings, operand, to: .path(file), .original,
        { () throws(Failure) in
          try Input(operand, force: false)
        }), let input = work.input
    else { return }
    work.expected = stored.originalByteCount
    let bases = try settings.bases.allowed()
    try work.run(
      Output(work.target, expected: work.expected, settings), counting: work.expected, copying: input.status,
      make: { (output, progress) throws(SwzipError) in
        try unpack(from: input.source, to: output.sink, bases: bases, threads: settings.threads, progress: progress)
      },
      summary: { _, _, _ in Work.Summary() })
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
}
