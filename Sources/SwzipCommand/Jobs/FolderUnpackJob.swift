internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks the container of a folder.
struct FolderUnpackJob {
  let settings: Settings
  /// Which files; none means all.
  let only: [String]

  func run(_ task: Task, _ input: Input) throws(Failure) {
    let target = try settings.unpackTarget(task)
    guard case .path(let path, let place) = target else { return try writeOne(task.operand, input) }
    guard var work = try Work(settings, task.operand, to: target, .folder, { input }) else { return }
    // The index tells names and sizes in advance; where it cannot be read, unpacking says why.
    let bases = try settings.bases.allowed()
    let index = index(input, bases)
    let chosen = try index.map { index throws(Failure) in try choose(input, index) }
    let members = index?.members ?? []
    let names = chosen.map { chosen in chosen.map { members[$0].name } }
    work.expected = chosen.map { chosen in chosen.reduce(0) { $0 &+ members[$1].byteCount } }
    let wanted = names.map { names in Set(names.map { Exact($0) }) }
    try work.run(
      FolderOutput(
        path, in: place, names: names ?? [], expected: work.expected, settings, keepsAll: index == nil
      ) { [only] name in wanted?.contains(Exact(name)) ?? (only.isEmpty || matchesAny(name, only)) },
      counting: work.expected,
      make: { (output, progress) throws(SwzipError) in
        if let index, let chosen, !only.isEmpty {
          return try unpack(chosen, of: index, to: output, threads: settings.threads, progress: progress)
        }
        return try unpack(
          from: input.source, to: output, bases: bases, threads: settings.threads, progress: progress)
      },
      accept: { (output, _) throws(Failure) in if output.published.isEmpty { throw Self.nothingFits(input.name) } },
      prove: { (output, _) throws(Failure) in
        // What replaced its base cannot be made again.
        if bases != nil, !output.isNew, let index { return try compareChecksums(index, path) }
        let comparison = Comparison(bases: bases, threads: settings.threads)
        try comparison.run(Comparison.reopen(input.name), below: path)
      },
      summary: { output, report, seconds in
        let (raw, files) = (report.rawByteCount, output.published.count)
        var summary = Work.Summary(input.name, report, seconds)
        if let wanted { summary.warnings = index?.inexact?.lines(of: wanted) ?? [] }
        if !only.isEmpty {
          summary.lines = [
            "\(input.name.printable) : \(files) files, \(formatSize(raw)), \(formatRate(raw, seconds: seconds))"
          ]
        }
        if settings.console.verbose > 0 { summary.lines.append("  \(files) files, root SHA-256 \(report.root)") }
        summary.fields["files"] = .integer(UInt64(files))
        summary.fields["root"] = .digest(report.root)
        return summary
      })
  }

  private func index(_ input: Input, _ bases: Bases?) -> Container? {
    try? input.source.random.map { try Container($0, bases: bases) }
  }

  /// The members that `--only` names; at least one.
  private func choose(_ input: Input, _ index: Container) throws(Failure) -> [Int] {
    try Self.choose(index.members, only, input.name)
  }

  /// Those of `members` that fit `only`: all without, else at least one. `path`: of the container.
  static func choose(_ members: [Container.Member], _ only: [String], _ path: String) throws(Failure) -> [Int] {
    guard !only.isEmpty else { return Array(members.indices) }
    var names = Set<Exact>()
    // A link brings what it leads to.
    for member in members where matchesAny(member.name, only) {
      names.insert(Exact(member.name))
      if let link = member.link { names.insert(Exact(link.path)) }
    }
    let chosen = members.indices.filter { FolderOutput.isIn(names, members[$0].name) }
    if chosen.isEmpty { throw nothingFits(path) }
    return chosen
  }

  private static func nothingFits(_ path: String) -> Failure {
    .refused(path, "no file in it fits --only; see the names with swzip list")
  }

  private func compareChecksums(_ index: Container, _ path: String) throws(Failure) {
    for (number, member) in index.members.enumerated() where member.link == nil {
      let file = join(path, member.name)
      if let checksum = member.checksum {
        try Comparison.run(file, checksum: checksum)
      } else {
        try Comparison.run(file, index, member: number)
      }
    }
  }

  /// The one file that `--only` chooses, to stdout.
  private func writeOne(_ operand: Operand, _ input: Input) throws(Failure) {
    guard var work = try Work(settings, operand, to: .standardOutput, .original, { input }) else { return }
    guard let index = try index(input, settings.bases.allowed()) else {
      throw .refused(input.name, "it holds a folder, from a pipe; name one to unpack it into with -o")
    }
    let files = try choose(input, index).filter { index.members[$0].link == nil }
    guard !only.isEmpty, files.count == 1 else {
      throw .refused(
        input.name, "it holds a folder, and stdout takes one file; unpack it into a folder, or choose one with --only")
    }
    work.expected = index.members[files[0]].byteCount
    try work.run(
      Output(work.target, expected: work.expected, settings), counting: nil,
      make: { (output, _) throws(SwzipError) in
        // The pointer is used inside the closure only.
        try unsafe index.read(member: files[0], threads: settings.threads) { (bytes) throws(SwzipError) in
          unsafe try output.sink.write(bytes)
        }
      },
      summary: { _, _, _ in Work.Summary() })
  }
}
