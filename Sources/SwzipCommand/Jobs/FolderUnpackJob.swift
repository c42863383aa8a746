internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Unpacks the container of a folder.
struct FolderUnpackJob {
  let settings: Settings
  /// Which files; none means all.
  let only: [String]
  private var console: Console { settings.console }
  private static let folderMode: UInt32 = 0o777

  func run(_ task: Task, _ input: Input) throws(Failure) {
    // The index tells names and sizes in advance; where it cannot be read, unpacking says why.
    let bases = try settings.bases.allowed()
    let index = try? input.source.random.map { try SwzFile($0, bases: bases) }
    let chosen = try index.map { index throws(Failure) in try choose(input, index) }
    let target = try settings.unpackTarget(task)
    guard case .path(let path, let place) = target else { return try writeOne(input, index, chosen) }
    if settings.skips(task, target) { return }
    if let status = try? FileStatus.of(path), status.kind != .directory {
      throw .refused(path, "it exists and is no folder; name another output with -o")
    }
    let members = index?.members ?? []
    let expected = chosen.map { chosen in chosen.reduce(0) { $0 &+ members[$1].byteCount } }
    guard !settings.dryRun else {
      return settings.announce(input.name, byteCount: input.source.byteCount, target, expected: expected)
    }
    try write(input, index, bases, chosen, to: path, in: place, expected: expected)
  }

  /// The members that `--only` names; at least one.
  private func choose(_ input: Input, _ index: SwzFile) throws(Failure) -> [Int] {
    let members = index.members
    guard !only.isEmpty else { return Array(members.indices) }
    var names = Set<Exact>()
    // A link brings what it leads to.
    for member in members where matchesAny(member.name, only) {
      names.insert(Exact(member.name))
      if let link = member.link { names.insert(Exact(link.path)) }
    }
    let chosen = members.indices.filter { FolderOutput.isIn(names, members[$0].name) }
    if chosen.isEmpty { throw .refused(input.name, "no file in it fits --only; see the names with swzip list") }
    return chosen
  }

  private func write(
    _ input: Input, _ index: SwzFile?, _ bases: Bases?, _ chosen: [Int]?, to path: String, in place: FileStatus?,
    expected: UInt64?
  ) throws(Failure) {
    removeStaleFilesOnce(beside: path)
    let folder = try attempt(path) { () throws(SystemError) in try AtomicFolder(target: path, in: place) }
    let members = index?.members ?? []
    if let chosen {
      for number in chosen { try check(members[number].name, in: folder) }
    }
    if settings.holes != .only, let expected, let free = folder.freeByteCount, expected > free {
      throw Failure(
        .failed, path: path,
        text:
          "it takes \(formatSize(expected)), \(formatSize(free)) are free; free some space, or write elsewhere with -o"
      )
    }
    let mask = Process.creationMask()
    let wanted = chosen.map { chosen in Set(chosen.map { Exact(members[$0].name) }) }
    let output = FolderOutput(folder, mask: mask, keepsAll: index == nil, holes: settings.holes) { [only] name in
      wanted?.contains(Exact(name)) ?? (only.isEmpty || matchesAny(name, only))
    }
    let progress = Progress(console, name: input.name, total: expected, asked: settings.progress)
    let report: UnpackReport
    do throws(SwzipError) {
      if let index, let chosen, !only.isEmpty {
        report = try unpack(
          chosen, of: index, to: output, threads: settings.threads, progress: progress.update)
      } else {
        report = try unpack(
          from: input.source, to: output, bases: bases, threads: settings.threads, progress: progress.update)
      }
      try output.settle()
    } catch {
      progress.end()
      if let failure = output.failure { throw Failure(failure.error, path: failure.path) }
      throw Failure(error, path: input.name)
    }
    let names = output.published
    if names.isEmpty { throw .refused(input.name, "no file in it fits --only; see the names with swzip list") }
    let sources = try [input.status].compactMap { $0 } + settings.bases.named()
    let durability: Durability
    do throws(SystemError) {
      let mode = try folder.mode(Self.folderMode & ~mask, readableAs: sources)
      durability = try folder.publish(names, folderMode: mode, replacing: settings.force)
    } catch {
      progress.end()
      throw Failure(error, path: error.path)
    }
    let seconds = progress.seconds
    progress.end()
    let removal = settings.removesSource ? Removal(input, path, durability) : nil
    if let removal {
      try removal.run { () throws(Failure) in
        // What replaced its base cannot be made again.
        if bases != nil, !folder.isNew, let index { return try compareChecksums(index, path) }
        let comparison = Comparison(bases: bases, threads: settings.threads)
        try comparison.run(Comparison.reopen(input.name), below: path)
      }
    }
    say(input, path, report, seconds, files: names.count, removed: removal != nil)
    if removal == nil { try requireDurable(durability, path) }
  }

  private func check(_ name: String, in folder: AtomicFolder) throws(Failure) {
    do throws(SystemError) {
      try folder.check(name, replacing: settings.force)
    } catch {
      throw Failure(error, path: error.path)
    }
  }

  /// The one file that `--only` chooses, to stdout.
  private func writeOne(_ input: Input, _ index: SwzFile?, _ chosen: [Int]?) throws(Failure) {
    guard let index, let chosen else {
      throw .refused(input.name, "it holds a folder, from a pipe; name one to unpack it into with -o")
    }
    let files = chosen.filter { index.members[$0].link == nil }
    guard !only.isEmpty, files.count == 1 else {
      throw .refused(
        input.name, "it holds a folder, and stdout takes one file; unpack it into a folder, or choose one with --only")
    }
    guard !settings.dryRun else {
      return settings.announce(
        input.name, byteCount: input.source.byteCount, .standardOutput, expected: index.members[files[0]].byteCount)
    }
    let sink = FileSink(FileHandle.standardOutput, canReadBack: false)
    do throws(SwzipError) {
      // The pointer is used inside the closure only.
      try unsafe index.read(member: files[0], threads: settings.threads) { (bytes) throws(SwzipError) in
        unsafe try sink.write(bytes)
      }
    } catch {
      throw Failure(error, reading: input.name, writing: FileHandle.standardOutput.path, sink)
    }
  }

  private func compareChecksums(_ index: SwzFile, _ path: String) throws(Failure) {
    for (number, member) in index.members.enumerated() where member.link == nil {
      let file = join(path, member.name)
      if let checksum = member.checksum {
        try Comparison.run(file, checksum: checksum)
      } else {
        try Comparison.run(file, index, member: number)
      }
    }
  }

  private func say(
    _ input: Input, _ path: String, _ report: UnpackReport, _ seconds: Double, files: Int, removed: Bool
  ) {
    let (raw, packed) = (report.rawByteCount, report.packedByteCount)
    if only.isEmpty {
      console.note(
        "\(input.name.printable) : \(formatRatio(packed, of: raw)) "
          + "(\(formatSize(packed)) => \(formatSize(raw)), \(formatRate(raw, seconds: seconds)))")
    } else {
      console.note("\(input.name.printable) : \(files) files, \(formatSize(raw)), \(formatRate(raw, seconds: seconds))")
    }
    if console.verbose > 0 { console.note("  \(files) files, root SHA-256 \(report.root)") }
    var fields: JSONObject = [
      "path": .string(input.name), "out": .string(path), "format": .string("swz"), "in_bytes": .integer(packed),
      "out_bytes": .integer(raw), "ratio": ratio(packed, of: raw), "seconds": .decimal(seconds),
      "files": .integer(UInt64(files)), "root": .string(report.root),
    ]
    if removed { fields["removed"] = .bool(true) }
    console.emit(fields)
  }
}
