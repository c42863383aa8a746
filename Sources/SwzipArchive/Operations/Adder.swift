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
    if !options.takesIncomplete { try Completeness(files).check() }
    try archive.make(.ckpt)
    removeStaleFiles(in: join(archive.path, Archive.Folder.ckpt.rawValue))
    let holdings = try archive.look()
    var packing = options.packing
    let attempts = holdings.containers.filter { $0.record.step == step }.map(\.record.attempt)
    packing.checkpoint = CheckpointRecord(
      archive: archive.identity.id.bytes, step: step, attempt: (attempts.max() ?? 0) + 1)
    let work = Encoding(archive: archive, files: files, packing: packing, progress: progress)
    var warnings = files.warnings
    var encoded = try best(work, holdings, &warnings)
    let now = try archive.look()
    if let twin = now.twin(of: encoded.container) {
      do throws(SwzipError) {
        // It may have been damaged since it was added, or its adder killed before it was checked.
        try prove(twin, now)
        encoded.file.discard()
        return try addition(twin, now, isNew: false, warnings)
      } catch {
        warnings.append("it is there, but damaged: \(error.text); added once more")
      }
    }
    if !now.lastingHolds(basesOf: encoded.container) {
      encoded.file.discard()
      encoded = try again(work, &warnings)
    }
    try encoded.publish(archive)
    do throws(SwzipError) {
      return try check(encoded, warnings)
    } catch {
      guard encoded.hasBase, error.isOfContainers else { throw try takenBack(encoded, error) }
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
    do throws(SwzipError) { return try check(encoded, warnings) } catch { throw try takenBack(encoded, error) }
  }

  private func again(_ work: Encoding, _ warnings: inout [String]) throws(SwzipError) -> Encoding.Encoded {
    warnings.append("its base cannot be relied on any more; packed again without one")
    return try work.run(work.files.files.members(storesTimes: true), basesOf: [])
  }

  /// Encodes against the candidate that is predicted to be smallest; against none where no base can be read.
  private func best(
    _ work: Encoding, _ holdings: Holdings, _ warnings: inout [String]
  ) throws(SwzipError) -> Encoding.Encoded {
    let choice = BaseChoice(holdings)
    let alone = work.files.files.members(storesTimes: true)
    let step = work.packing.checkpoint?.step ?? 0
    let candidates = choice.candidates(step: step, byteCount: work.files.byteCount, options)
    var plans: [(number: Int, members: [PackMember], byteCount: UInt64)] = []
    for number in candidates {
      do throws(SwzipError) {
        let members = try choice.members(alone, against: number)
        let byteCount =
          candidates.count == 1 ? 0 : try predictedByteCount(members: members, options: work.packing)
        plans.append((number, members, byteCount))
      } catch {
        warnings.append(try Self.warning(error))
      }
    }
    if let plan = plans.min(by: { $0.byteCount < $1.byteCount }) {
      do throws(SwzipError) {
        return try work.run(plan.members, basesOf: [holdings.containers[plan.number].status])
      } catch {
        warnings.append(try Self.warning(error))
      }
    }
    return try work.run(alone, basesOf: [])
  }

  /// What is wrong with a base costs bytes only; anything else is thrown again.
  private static func warning(_ error: SwzipError) throws(SwzipError) -> String {
    guard error.isOfContainers else { throw error }
    let place = error.file.map { $0.printable + ": " } ?? ""
    return "\(place)\(error.text); packed without it: run verify"
  }

  /// The check after commit: what was published is read through what will stay, and decodes to what was read.
  private func check(_ encoded: Encoding.Encoded, _ warnings: [String]) throws(SwzipError) -> Addition {
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
    guard holdings.containers[number].identity == encoded.container.identity else {
      throw SwzipError(.corrupt, .root, file: encoded.container.path)
    }
    try prove(number, holdings)
    return try addition(number, holdings, isNew: true, warnings + encoded.warnings)
  }

  /// Reads a container from the disk, through what will stay, decodes all of it and compares every hash: those of its files are of
  /// what was read of the source.
  func prove(_ number: Int, _ holdings: Holdings) throws(SwzipError) {
    let path = holdings.containers[number].path
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
    return Addition(checkpoint: checkpoint, container: container, bases: bases, isNew: isNew, warnings: warnings)
  }

  /// What cannot be read back must not be taken for a checkpoint: the source is still there.
  private func takenBack(_ encoded: Encoding.Encoded, _ error: SwzipError) throws(SwzipError) -> SwzipError {
    guard error.isOfContainers else { return error }
    try archive.bury(encoded.container.name, isWithdrawn: true)
    return SwzipError(
      .io, .system, file: error.file,
      detail: "what was written is not what is read back (\(error.text)); keep the source, the disk may be failing")
  }
}

extension Holdings {
  /// A listed checkpoint of the same step that holds the same files, and can be restored.
  fileprivate func twin(of container: StoredContainer) -> Int? {
    let resolution = lasting
    return containers.indices.first { number in
      let other = containers[number]
      return other.record.step == container.record.step && isListed(other) && resolution.depths[number] != nil
        && other.hasSameFiles(as: container)
    }
  }

  fileprivate func lastingHolds(basesOf container: StoredContainer) -> Bool {
    let resolution = lasting
    return container.bases.allSatisfy { resolution.place(of: $0) != nil }
  }
}

extension SwzipError {
  /// Something is wrong with what is packed, not with the source or the system.
  fileprivate var isOfContainers: Bool { kind == .corrupt || kind == .base }
}
