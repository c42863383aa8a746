internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Restores what can be read of a damaged checkpoint. A file of which something is missing, or that nothing proves, becomes
/// NAME.partial, with zeros for what is missing, and NAME.partial.json says what that is.
struct PartialRestoreJob {
  let settings: Settings
  /// Which files; none means all.
  let only: [String]
  /// Of those that ranks added.
  let part: UInt16?

  func run(_ path: String, _ word: String, _ folder: String) throws(Failure) {
    let archive = try openArchive(path)
    let open = try attemptLibrary(path) { () throws(SwzipError) in try archive.openDamaged(word, part: part) }
    let wanted = try open.files.map { files throws(Failure) in
      Set(try FolderUnpackJob.choose(files, only, open.path).map { Exact(files[$0].name) })
    }
    let takes = { @Sendable [only] (name: String) -> Bool in
      wanted?.contains(Exact(name)) ?? (only.isEmpty || matchesAny(name, only))
    }
    guard var work = try Work(settings, Operand(path), to: .path(folder), .folder, status: open.needed.first) else {
      return
    }
    work.sources += open.needed
    try work.run(
      FolderOutput(folder, settings, keepsAll: true, takes: takes), counting: nil,
      make: { (output, _) throws(SwzipError) -> Restored in
        let sums = SummedMembers(output)
        let report = try salvage(from: open.source, to: sums, bases: open.bases)
        var restored = Restored(report, open.files, sums.digests, takes)
        for file in restored.partial { try output.setAside(file) }
        for file in open.files ?? [] where restored.lost.contains(where: { Exact($0) == Exact(file.name) }) {
          try output.noteLoss(of: file)
        }
        for file in open.files ?? [] where takes(file.name) {
          guard let link = file.link else { continue }
          if restored.holds(link.path) {
            try output.link(file.name, to: link.target, path: link.path)
          } else {
            restored.lost.append(file.name)
          }
        }
        return restored
      },
      accept: { (_, restored) throws(Failure) in
        guard restored.isWhole || restored.report.recoveredByteCount > 0 else {
          throw .nothingSaved(open.path, restored.report)
        }
      },
      summary: { _, restored, _ in restored.summary(open, folder) })
  }
}

/// What became of the files of a checkpoint.
private struct Restored {
  let report: SalvageReport
  /// Proved, by the SHA-256 that the directory has.
  var whole: [String] = []
  /// With something missing, or nothing to prove them.
  var partial: [SalvagedFile] = []
  /// Of which there is nothing.
  var lost: [String]

  init(
    _ report: SalvageReport, _ files: [Container.Member]?, _ digests: [Exact: Digest], _ takes: (String) -> Bool
  ) {
    self.report = report
    lost = report.lost.filter(takes)
    let known = Dictionary((files ?? []).map { (Exact($0.name), $0.sha256) }) { first, _ in first }
    for file in report.files where takes(file.name) {
      let digest = known[Exact(file.name)] ?? nil
      if file.missing.isEmpty, let digest, digests[Exact(file.name)] == digest {
        whole.append(file.name)
      } else {
        partial.append(file)
      }
    }
  }

  var isWhole: Bool { report.hasIndex && partial.isEmpty && lost.isEmpty }

  /// Whether a name, or a folder, is among what is whole.
  func holds(_ path: String) -> Bool {
    whole.contains { Exact($0) == Exact(path) || FolderOutput.isIn([Exact(path)], $0) }
  }

  func summary(_ open: DamagedCheckpoint, _ folder: String) -> Work.Summary {
    var summary = Work.Summary()
    summary.lines =
      [
        "\(open.name) => \(folder.printable) : \(countOf(whole.count, "whole file")), \(partial.count) partial, "
          + "\(lost.count) lost, \(formatSize(report.recoveredByteCount))"
      ] + partial.flatMap(\.lines) + lost.map { "  lost: \($0.printable)" }
    summary.fields = [
      "checkpoint": .string(open.name), "whole": .bool(isWhole), "files": .integer(UInt64(whole.count)),
      "recovered_bytes": .integer(report.recoveredByteCount),
      "partial": .array(partial.map { .object($0.namedJSON) }), "lost": .array(lost.map { .string($0) }),
    ]
    if !isWhole {
      summary.failure = Failure(
        .damaged, path: open.path,
        text: "\(countOf(partial.count, "file")) partial, \(lost.count) lost; NAME.partial.json says what is missing")
    }
    return summary
  }
}

extension FolderOutput {
  /// A file under a name that says that it is not all there, with what is missing beside it.
  fileprivate func setAside(_ file: SalvagedFile) throws(SwzipError) {
    try rename(file.name, to: file.name + ".partial")
    try add(file.name + ".partial.json", file.namedJSON.text + "\n")
  }

  /// What is missing of a file of which there is nothing.
  fileprivate func noteLoss(of file: Container.Member) throws(SwzipError) {
    let lost = SalvagedFile(name: file.name).allMissing(to: file.byteCount)
    try add(file.name + ".partial.json", lost.namedJSON.text + "\n")
  }
}

/// Members on their way to others, with the SHA-256 of what is written of each.
private final class SummedMembers: MemberSinks {
  private let members: any MemberSinks
  private let state = Guarded(State())

  private struct State {
    var current: (name: Exact, sink: SummedSink)?
    var digests: [Exact: Digest] = [:]
  }

  init(_ members: any MemberSinks) { self.members = members }

  var digests: [Exact: Digest] { state.withLock { $0.digests } }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    guard let sink = try members.begin(member, number: number) else { return nil }
    let summed = SummedSink(sink)
    state.withLock { $0.current = (Exact(member.name), summed) }
    return summed
  }

  func end() throws(SwzipError) {
    try members.end()
    state.withLock { state in
      if let (name, sink) = state.current { state.digests[name] = sink.digest }
      state.current = nil
    }
  }

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {
    try members.link(name, to: target, path: path)
  }

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    // The caller's buffer is passed on; so below.
    try unsafe members.readBack(member: member, at: position, into: buffer)
  }
}

private final class SummedSink: OutputSink {
  private let sink: any OutputSink
  private let sum = Guarded(SHA256Sum())

  init(_ sink: any OutputSink) { self.sink = sink }

  /// Asked once, at the end.
  var digest: Digest { sum.withLock { Digest($0.finish()) } }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    sum.withLock { unsafe $0.add(bytes) }
    try unsafe sink.write(bytes)
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    try unsafe sink.readBack(at: position, into: buffer)
  }
}
