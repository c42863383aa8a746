internal import Swzip
internal import SwzipArchive
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks a checkpoint of an archive to a folder.
struct RestoreJob {
  let settings: Settings
  /// Which files; none means all.
  let only: [String]
  /// Of those that ranks added; nil: all.
  let part: UInt16?

  func run(_ path: String, _ word: String, _ folder: String) throws(Failure) {
    var open = try openCheckpoint(path, word, part: part, settings.console)
    while true {
      do throws(Failure) { return try restore(open, path, folder) } catch {
        // Nothing has been published. Others may hold what is damaged.
        let isRead = error.status == .failed && open.paths.contains(error.path)
        guard isRead || error.status == .damaged || error.status == .base else { throw error }
        let other = try attemptLibrary(path) { () throws(SwzipError) in
          try Archive(path).reopen(open, part: part, threads: settings.threads)
        }
        guard let other else { throw error }
        for damaged in other.damaged {
          settings.console.warn(damaged, "damaged; another container holds the same, and is read instead: run repair")
        }
        open = other.open
      }
    }
  }

  private func restore(_ open: OpenCheckpoint, _ path: String, _ folder: String) throws(Failure) {
    let opened = try Work(settings, Operand(path), to: .path(folder), .folder, status: open.parts[0].stored.status)
    guard var work = opened else { return }
    let shares = try Share.choose(open, only)
    let names = shares.flatMap { share in share.chosen.map { share.members[$0].name } }
    let inexact = open.parts.compactMap(\.stored.inexact)
    let wanted = Set(names.map { Exact($0) })
    let byteCount = shares.reduce(0) { $0 &+ $1.byteCount }
    work.expected = byteCount
    work.sources += open.needed
    try work.run(
      FolderOutput(folder, names: names, expected: byteCount, settings, keepsAll: false) { name in
        wanted.contains(Exact(name))
      },
      counting: byteCount,
      make: { (output, progress) throws(SwzipError) in
        var report = UnpackReport()
        for share in shares {
          let done = report.rawByteCount
          let part = try share.write(to: output, open.bases, threads: settings.threads) { progress(done + $0) }
          report.rawByteCount += part.rawByteCount
          report.root = part.root
        }
        return report
      },
      accept: { (output, _) throws(Failure) in
        guard Set(output.published.map { Exact($0) }) == wanted else {
          throw Failure(.damaged, path: path, text: "it does not hold all files that its directories name")
        }
      },
      summary: { output, report, seconds in
        let (raw, files) = (report.rawByteCount, output.published.count)
        let name = open.checkpoint.name
        var summary = Work.Summary()
        summary.warnings = inexact.flatMap { $0.lines(of: wanted) }
        summary.lines = [
          "\(name) => \(folder.printable) : \(files) files, \(formatSize(raw)), \(formatRate(raw, seconds: seconds))"
        ]
        summary.fields = open.checkpoint.json
        summary.fields["moments"] = inexact.json
        summary.fields.append([
          "files": .integer(UInt64(files)), "out_bytes": .integer(raw), "seconds": .decimal(seconds),
        ])
        if shares.count == 1 { summary.fields["root"] = .digest(report.root) }
        return summary
      })
  }
}

/// What a container gives of a checkpoint that is restored.
private struct Share {
  let part: OpenPart
  let members: [Container.Member]
  /// The members that no container before it gave.
  let chosen: [Int]
  /// Members of the containers before it.
  let first: Int

  var byteCount: UInt64 { chosen.reduce(0) { $0 &+ members[$1].byteCount } }

  /// Those files that fit `only`: all without, else at least one.
  static func choose(_ open: OpenCheckpoint, _ only: [String]) throws(Failure) -> [Share] {
    let all = open.parts.flatMap(\.container.members)
    let fitting = Set(try FolderUnpackJob.choose(all, only, open.parts[0].stored.path))
    var (first, given, shares): (Int, Set<Exact>, [Share]) = (0, [], [])
    for part in open.parts {
      let members = part.container.members
      let chosen = members.indices.filter {
        fitting.contains(first + $0) && given.insert(Exact(members[$0].name)).inserted
      }
      shares.append(Share(part: part, members: members, chosen: chosen, first: first))
      first += members.count
    }
    return shares.filter { !$0.chosen.isEmpty }
  }

  func write(
    to output: any MemberSinks, _ bases: ArchiveBases, threads: Int, progress: @escaping ProgressHandler
  ) throws(SwzipError) -> UnpackReport {
    let sinks = PartSinks(output, first: first)
    do throws(SwzipError) {
      return try chosen.count == members.count
        ? unpack(from: part.source, to: sinks, bases: bases, threads: threads, progress: progress)
        : unpack(chosen, of: part.container, to: sinks, threads: threads, progress: progress)
    } catch {
      // What could not be written is named by the output.
      throw error.kind == .corrupt && error.file == nil ? error.of(part.stored.path) : error
    }
  }
}

/// The members of a part among those of all.
private final class PartSinks: MemberSinks {
  private let all: any MemberSinks
  private let first: Int

  init(_ all: any MemberSinks, first: Int) { (self.all, self.first) = (all, first) }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    try all.begin(member, number: first + number)
  }

  func end() throws(SwzipError) { try all.end() }

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {
    try all.link(name, to: target, path: path)
  }

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    // The caller's buffer is passed on.
    unsafe try all.readBack(member: first + member, at: position, into: buffer)
  }
}
