internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Adds a checkpoint to an archive (spec/ARCHIVE.md, section 4). Takes no lock: publishes, then checks.
package struct Adder {
  package typealias Progress = (UInt64) -> Void

  let archive: Archive
  let options: AddOptions

  package init(_ archive: Archive, _ options: AddOptions) {
    self.archive = archive
    var options = options
    options.packing.sha256 = true
    options.packing.verify = true
    self.options = options
  }

  /// Returns when the checkpoint is on the disk and has been read again. After a throw it may be there, but is not promised.
  package func add(
    _ files: CheckpointFiles, step: UInt64, progress: Progress? = nil
  ) throws(SwzipError) -> Addition {
    guard !files.holds(archive) else {
      throw SwzipError(.refused, .system, file: files.path, detail: "the archive lies in it; name the checkpoint alone")
    }
    if !options.takesIncomplete { try Completeness(files, isPart: options.part?.group != nil).check() }
    var (files, record) = (files, CheckpointRecord(archive: archive.identity.id.bytes, step: step, attempt: 1))
    if let part = options.part {
      (record.part, record.parts) = (part.number, part.count)
      (files, record.group) = try part.share(files, archive: archive.identity, step: step)
    }
    try archive.make(.ckpt)
    removeStaleFiles(in: join(archive.path, Archive.Folder.ckpt.rawValue))
    let holdings = try archive.look()
    record.attempt = holdings.attempt(record)
    var packing = options.packing
    let rounding = try MomentRounding(files, options.moments)
    packing.checkpoint = record
    packing.inexact = rounding.record
    let work = Encoding(
      archive: archive, files: files, members: rounding.members, record: record, packing: packing, progress: progress)
    var warnings = files.warnings + rounding.warnings
    var encoded = try best(work, holdings, &warnings)
    let now = try archive.look()
    do throws(SwzipError) { try now.requireRoom(for: encoded.container) } catch {
      encoded.file.discard()
      throw error
    }
    var damaged: ContainerName?
    if let twin = now.twin(of: encoded.container) {
      do throws(SwzipError) {
        // It may have been damaged since it was added, or its adder killed before it was checked.
        try prove(twin, now)
        encoded.file.discard()
        try withdraw(whatLacksBasesLike: twin, now)
        var found = try addition(twin, now, isNew: false, warnings)
        found.isExact = found.isExact || rounding.record == nil
        return found
      } catch {
        warnings.append("it is there, but damaged: \(error.text); added once more")
        // Another attempt has a place of its own.
        if record.parts > 1 { damaged = now.containers[twin].name }
      }
    }
    if !now.lastingHolds(basesOf: encoded.container) {
      encoded.file.discard()
      encoded = try again(work, &warnings)
    }
    try encoded.publish(archive)
    do throws(SwzipError) {
      return try check(encoded, warnings, replacing: damaged)
    } catch {
      guard encoded.hasBase, isOfContainers(error) else { throw try takenBack(encoded, error) }
    }
    do throws(SwzipError) {
      let second = try again(work, &warnings)
      try second.publish(archive)
      // Not removed: somebody may have made it a base meanwhile, which only a prune finds out.
      try archive.bury(encoded.container.name, isWithdrawn: true)
      encoded = second
    } catch {
      try archive.bury(encoded.container.name, isWithdrawn: true)
      throw error
    }
    do throws(SwzipError) { return try check(encoded, warnings, replacing: damaged) } catch {
      throw try takenBack(encoded, error)
    }
  }

  private func again(_ work: Encoding, _ warnings: inout [String]) throws(SwzipError) -> Encoding.Encoded {
    warnings.append(Self.baseIsGone)
    return try work.run(work.planned(work.members), basesOf: [])
  }

  private static let baseIsGone = "its base cannot be relied on any more; packed again without one"

  /// Encodes against the candidate that is predicted to be smallest; against none where no base can be read.
  private func best(
    _ work: Encoding, _ holdings: Holdings, _ warnings: inout [String]
  ) throws(SwzipError) -> Encoding.Encoded {
    let choice = BaseChoice(holdings)
    let alone = work.members
    var (members, others): ([PackMember], [Int]) = (alone, [])
    do throws(SwzipError) { (members, others) = try choice.members(alone, besides: work, options) } catch {
      warnings.append(try warning(error))
    }
    let candidates = choice.candidates(work.record, byteCount: work.files.byteCount, options)
    var plans: [(number: Int, planned: PlannedFolder, byteCount: UInt64)] = []
    for number in candidates {
      do throws(SwzipError) {
        let planned = try work.planned(choice.members(members, against: number))
        plans.append((number, planned, candidates.count == 1 ? 0 : try planned.predictedByteCount()))
      } catch {
        warnings.append(try warning(error))
      }
    }
    let plan = plans.min { $0.byteCount < $1.byteCount }
    let bases = Set(others + [plan?.number].compactMap { $0 }).sorted().map { holdings.containers[$0].status }
    if !bases.isEmpty {
      do throws(SwzipError) {
        let planned: PlannedFolder
        if let plan { planned = plan.planned } else { planned = try work.planned(members) }
        return try work.run(planned, basesOf: bases)
      } catch {
        warnings.append(try warning(error))
      }
    }
    return try work.run(work.planned(alone), basesOf: [])
  }

  /// What is wrong with a base costs bytes only; anything else is thrown again.
  private func warning(_ error: SwzipError) throws(SwzipError) -> String {
    guard isOfContainers(error) else { throw error }
    if error.isMissingFile { return Self.baseIsGone }
    let place = error.file.map { $0.printable + ": " } ?? ""
    return "\(place)\(error.text); packed without it: run verify"
  }

  /// The check after commit: what was published is read through what will stay, and decodes to what was read.
  private func check(
    _ encoded: Encoding.Encoded, _ warnings: [String], replacing damaged: ContainerName?
  ) throws(SwzipError) -> Addition {
    for _ in 1..<Archive.mostTries {
      do throws(SwzipError) { return try checkOnce(encoded, warnings, replacing: damaged) } catch {
        // Removed or renamed since it was listed.
        guard error.isMissingFile else { throw error }
      }
    }
    return try checkOnce(encoded, warnings, replacing: damaged)
  }

  private func checkOnce(
    _ encoded: Encoding.Encoded, _ warnings: [String], replacing damaged: ContainerName?
  ) throws(SwzipError) -> Addition {
    let holdings = try archive.look()
    let resolution = holdings.lasting
    let number = holdings.containers.firstIndex { $0.name == encoded.container.name }
    if number == nil, holdings.gone.contains(encoded.container.name) {
      throw SwzipError(
        .refused, .system, file: encoded.container.path,
        detail: "it was added, and pruned at once by rules that do not keep it")
    }
    guard let number, resolution.depths[number] != nil else {
      throw SwzipError(.base, .notInArchive, file: encoded.container.path)
    }
    guard holdings.containers[number].identity == encoded.container.identity,
      holdings.containers[number].hasSameFiles(as: encoded.container)
    else {
      throw SwzipError(.corrupt, .root, file: encoded.container.path)
    }
    do throws(SwzipError) { try holdings.requireRoom(for: encoded.container) } catch {
      try archive.bury(encoded.container.name, isWithdrawn: true)
      throw error
    }
    try prove(number, holdings)
    if let damaged { try archive.bury(damaged) }
    try withdraw(whatLacksBasesLike: number, holdings)
    return try addition(number, holdings, isNew: true, warnings + encoded.warnings)
  }

  /// Takes back what an adder left that was killed before it found that its base had been pruned: all of it is there now, and no
  /// prune need wait for the base.
  private func withdraw(whatLacksBasesLike number: Int, _ holdings: Holdings) throws(SwzipError) {
    let (resolution, whole) = (holdings.resolution, holdings.containers[number])
    for (other, container) in holdings.containers.enumerated()
    where resolution.depths[other] == nil && holdings.isListed(container) && whole.isSave(of: container) {
      try archive.bury(container.name, isWithdrawn: true)
    }
  }

  /// Reads a container from the disk, through what will stay, decodes all of it and compares every hash: those of its files are of
  /// what was read of the source.
  func prove(_ number: Int, _ holdings: Holdings) throws(SwzipError) {
    let path = holdings.containers[number].path
    // Others may have brought what it is read through, or itself, and not have synced it.
    for needed in holdings.lasting.chain(of: number) { try syncFile(holdings.containers[needed].path) }
    try archive.syncAll()
    let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
    handle.forgetPages()
    do throws(SwzipError) {
      _ = try verify(
        FileSource(handle, fromStart: true), bases: ArchiveBases(holdings, holdings.lasting),
        threads: options.packing.threads, control: options.packing.control)
    } catch {
      throw error.file == nil ? error.of(path) : error
    }
  }

  func addition(
    _ number: Int, _ holdings: Holdings, isNew: Bool, _ warnings: [String]
  ) throws(SwzipError) -> Addition {
    let container = holdings.containers[number]
    let resolution = holdings.resolution
    // A prune whose rules do not keep it may have forgotten it already.
    let checkpoints = holdings.checkpoints() + holdings.checkpoints(forgotten: true)
    guard let checkpoint = checkpoints.first(where: { $0.identity == container.identity }) else {
      throw SwzipError(.io, .system, file: container.path, detail: "it vanished")
    }
    let bases = resolution.providers(of: number).map { "\(holdings.containers[$0].record.step)" }
    return Addition(
      checkpoint: checkpoint, container: container, bases: bases, isNew: isNew,
      isExact: container.inexact == nil, warnings: warnings)
  }

  /// Something is wrong with what is packed, or it was just removed; not with the source or the system.
  private func isOfContainers(_ error: SwzipError) -> Bool {
    let isOfArchive = error.file.flatMap(splitPath)?.directory == join(archive.path, Archive.Folder.ckpt.rawValue)
    return error.kind == .corrupt || error.kind == .base || error.isMissingFile && isOfArchive
  }

  /// What cannot be read back must not be taken for a checkpoint: the source is still there.
  private func takenBack(_ encoded: Encoding.Encoded, _ error: SwzipError) throws(SwzipError) -> SwzipError {
    guard isOfContainers(error) else { return error }
    try archive.bury(encoded.container.name, isWithdrawn: true)
    return SwzipError(
      .io, .system, file: error.file,
      detail: "what was written is not what is read back (\(error.text)); keep the source, the disk may be failing")
  }
}

extension Holdings {
  /// The next attempt at a step; that of the parts which are there.
  fileprivate func attempt(_ record: CheckpointRecord) -> UInt32 {
    let all = containers.map(\.record).filter { $0.step == record.step }
    let same = all.filter { record.parts > 1 && $0.parts == record.parts && $0.group == record.group }
    return same.map(\.attempt).max() ?? min(all.map(\.attempt).max() ?? 0, .max - 1) + 1
  }

  /// Throws if the same part of the checkpoint is there with other files.
  fileprivate func requireRoom(for container: StoredContainer) throws(SwzipError) {
    let other = containers.first { isListed($0) && $0.isSamePart(as: container) && !$0.hasAll(of: container) }
    guard let other, container.record.parts > 1 else { return }
    throw SwzipError(
      .refused, .system, file: container.path,
      detail:
        "part \(container.record.part) of this group is there with other files (\(other.name.text)); a new save needs a "
        + "--group of its own")
  }

  /// A listed checkpoint of the same step that holds the same files, and can be restored.
  fileprivate func twin(of container: StoredContainer) -> Int? {
    let resolution = lasting
    return containers.indices.first { number in
      isListed(containers[number]) && resolution.depths[number] != nil && containers[number].isSave(of: container)
    }
  }

  fileprivate func lastingHolds(basesOf container: StoredContainer) -> Bool {
    let resolution = lasting
    return container.bases.allSatisfy { resolution.place(of: $0) != nil }
  }
}

extension StoredContainer {
  /// Whether it is of the same step, or the same part of the same save, and holds all that the other does.
  fileprivate func isSave(of other: StoredContainer) -> Bool {
    let isSame =
      other.record.parts > 1
      ? isSamePart(as: other) : record.step == other.record.step && record.parts == 1
    return isSame && hasAll(of: other)
  }
}
