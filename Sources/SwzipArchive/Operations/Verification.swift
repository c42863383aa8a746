internal import Swzip
package import SwzipCore
internal import SwzipNames
package import SwzipSystem

/// Reads an archive, and says what is damaged and which checkpoints that costs (spec/ARCHIVE.md, section 6).
package struct Verification {
  /// How much is read.
  package enum Depth: CaseIterable, Sendable {
    /// Directories of containers, and whether their bases are there.
    case quick
    /// The hash of all that is stored too: any changed byte is found.
    case stored
    /// All is decoded, and the SHA-256 of each file compared.
    case full
  }

  package struct Finding: Sendable {
    package let path: String
    package let error: SwzipError
    /// What it hits; nil where that is no part of a file.
    package var part: Part?
  }

  /// A part of a file of a checkpoint.
  package struct Part: Sendable {
    package let checkpoint: String
    package let file: String
    /// Those that have bytes in the range.
    package let tensors: [String]
    /// Empty: what stands before the file's bytes.
    package let range: Range<UInt64>
  }

  package private(set) var findings: [Finding] = []
  /// Checkpoints that cannot be restored as a whole, by their names.
  package private(set) var affected: [String] = []
  package private(set) var checkpointCount = 0
  /// Containers of which more than the directory was read, and the bytes that these have, or decode to.
  package private(set) var readCount = 0
  package private(set) var byteCount: UInt64 = 0
  /// What lies in quarantine/.
  package let quarantine: [FileStatus]

  package let holdings: Holdings
  /// Checkpoints whose moments are not what was added, by their names.
  package var inexact: [String] {
    holdings.checkpoints().filter { !holdings.inexact($0).isEmpty }.map(\.name)
  }
  /// Containers that are damaged themselves, by their numbers in the holdings.
  private(set) var damaged: Set<Int> = []
  /// Of each container, by its files, ranges that cannot be decoded, for want of other containers too.
  private(set) var lost: [Int: [Int: RangeList]] = [:]

  /// `sample`: of all containers only the directories are read, of some the rest. Throws what keeps it from looking at all.
  package init(
    _ path: String, _ depth: Depth, sample: Sample? = nil, threads: Int, progress: ((UInt64) -> Void)? = nil
  ) throws(SwzipError) {
    var archive: Archive
    do throws(SwzipError) { archive = try Archive(path) } catch {
      guard error.kind == .corrupt || error.rule == .noArchive else { throw error }
      archive = try Archive(unidentified: path)
      findings.append(Finding(path: error.file ?? path, error: error))
    }
    holdings = try archive.look()
    quarantine = try archive.quarantine()
    for (name, error) in holdings.unreadable {
      findings.append(Finding(path: archive.path(of: name), error: error))
    }
    checkMarks(archive)
    if depth != .quick {
      let chosen = holdings.containers.indices.filter { sample?.holds(holdings.containers[$0].name) ?? true }
      readCount = chosen.count
      try check(chosen, decodes: depth == .full, threads, progress)
    }
    findAffected()
  }

  private mutating func checkMarks(_ archive: Archive) {
    for name in holdings.damagedTags {
      add(archive.path(.tags, name + Tag.suffix), "damaged: it does not match its sum; set the tag again")
    }
    let identities = Set(holdings.containers.map(\.identity))
    for tag in holdings.tags where !identities.contains(tag.identity) {
      let path = archive.path(.tags, tag.name + Tag.suffix)
      add(path, "the checkpoint that it names, of step \(tag.step), is not in the archive", .base)
    }
    for name in holdings.gone.sorted() where !archive.isWhole(tombstone: name) {
      add(
        archive.path(.gone, name.text + Tombstone.suffix),
        "damaged: it does not match its sum; the checkpoint of step \(name.step) is forgotten all the same")
    }
  }

  private mutating func add(_ path: String, _ text: String, _ kind: SwzipError.Kind = .corrupt) {
    findings.append(Finding(path: path, error: SwzipError(kind, .system, file: path, detail: text)))
  }

  /// Bases before what needs them, so that damage is found where it is. What decodes from its last bytes to its first need not
  /// be looked at any closer.
  private mutating func check(
    _ chosen: [Int], decodes: Bool, _ threads: Int, _ progress: ((UInt64) -> Void)?
  ) throws(SwzipError) {
    let resolution = holdings.resolution
    let bases = ArchiveBases(holdings, resolution)
    var doubtful = Set(chosen)
    if decodes { doubtful.subtract(try prove(chosen, resolution, bases, threads, progress)) }
    guard !doubtful.isEmpty else { return }
    for number in resolution.inOrder(holdings.containers.indices) {
      let isChosen = doubtful.contains(number)
      guard isChosen || resolution.providers(of: number).contains(where: { lost[$0] != nil }) else { continue }
      let stored = holdings.containers[number]
      let done = byteCount
      do throws(SwzipError) {
        let container = try Container(bases.source(of: number), bases: bases)
        let damage = isChosen ? try container.damage(threads: threads) { progress?(done + $0) } : []
        if !decodes, isChosen { byteCount += stored.byteCount }
        if !damage.isEmpty {
          damaged.insert(number)
          findings += Self.findings(damage, container, stored)
        }
        let lost = try container.lost(damage) { [lost] base in
          let place = resolution.place(of: Resolution.Content(sha256: base.sha256, byteCount: base.byteCount))
          return place.flatMap { lost[$0.container]?[$0.file] } ?? RangeList()
        }
        if !lost.isEmpty { self.lost[number] = lost }
        guard decodes, isChosen, damage.isEmpty, lost.isEmpty, resolution.depths[number] != nil else { continue }
        byteCount += try verify(bases.source(of: number), bases: bases, threads: threads).rawByteCount
      } catch {
        guard error.kind != .memory else { throw error }
        findings.append(Finding(path: error.file ?? stored.path, error: error))
        // Of others, such as those that a newer version made, nobody says that.
        if error.kind == .corrupt || error.kind == .io { damaged.insert(number) }
        lost[number] = Dictionary(
          uniqueKeysWithValues: stored.files.enumerated().map { ($0, RangeList([0..<$1.byteCount])) })
      }
    }
  }

  /// Decodes from the ends of chains, so that a chain is decoded once, not once for each of its containers. Returns what is whole.
  private mutating func prove(
    _ chosen: [Int], _ resolution: Resolution, _ sources: ArchiveBases, _ threads: Int,
    _ progress: ((UInt64) -> Void)?
  ) throws(SwzipError) -> Set<Int> {
    let bases = HashedBases(holdings, resolution, sources, wanted: Set(chosen))
    var proved = Set<Int>()
    for number in resolution.inOrder(chosen).reversed() where resolution.depths[number] != nil {
      let (done, known) = (byteCount, bases.proved(of: number))
      let update = { (count: UInt64) -> Void in progress?(done + count) }
      do throws(SwzipError) {
        let source = try sources.source(of: number)
        if known.isEmpty {
          byteCount += try verify(source, bases: bases, threads: threads, progress: update).rawByteCount
        } else {
          let container = try Container(source, bases: bases)
          try container.checkMemberFrames()
          let rest = container.members.indices.filter { !known.contains($0) }
          byteCount += try unpack(rest, of: container, to: Nowhere(), threads: threads, progress: update).rawByteCount
        }
        proved.insert(number)
      } catch {
        guard error.kind != .memory else { throw error }
      }
      byteCount += try bases.settle()
    }
    return proved
  }

  /// Ranges of one file that meet are one finding.
  private static func findings(
    _ damage: [Damage], _ container: Container, _ stored: StoredContainer
  ) -> [Finding] {
    var joined: [Damage] = []
    for part in damage {
      if let last = joined.last, last.file == part.file, !part.range.isEmpty,
        last.range.upperBound == part.range.lowerBound
      {
        joined.removeLast()
        joined.append(Damage(file: part.file, range: last.range.lowerBound..<part.range.upperBound, error: last.error))
      } else {
        joined.append(part)
      }
    }
    return joined.map { part in
      let tensors = container.tensors.filter {
        $0.member == part.file && ($0.offset..<($0.offset + $0.byteCount)).overlaps(part.range)
      }
      return Finding(
        path: stored.path, error: part.error.of(stored.path),
        part: Part(
          checkpoint: stored.record.name, file: stored.files[part.file].name, tensors: tensors.map(\.name),
          range: part.range))
    }
  }

  private mutating func findAffected() {
    let resolution = holdings.resolution
    for checkpoint in holdings.checkpoints() + holdings.checkpoints(forgotten: true) {
      checkpointCount += 1
      // It is read from these.
      let bad = checkpoint.parts.filter { resolution.depths[$0] == nil || damaged.contains($0) || lost[$0] != nil }
      guard !bad.isEmpty else { continue }
      affected.append(checkpoint.name)
      // Of damage the finding tells more.
      guard holdings.unreadable.isEmpty, let lacking = bad.first(where: { resolution.depths[$0] == nil })
      else { continue }
      let path = holdings.containers[lacking].path
      findings.append(Finding(path: path, error: SwzipError(.base, .notInArchive, file: path)))
    }
    // All that is left of these is what the name says.
    affected += holdings.unreadable.map { "\($0.name.step)" }
    checkpointCount += holdings.unreadable.count
  }
}

extension Verification {
  /// A part of an archive's containers: each is in one of several parts, by a hash of its name, whatever comes and goes beside it.
  package struct Sample: Sendable {
    package let part, parts: UInt64

    /// So many hundredths of the containers, about: another part each day, and all in turn.
    package init(percent: Double, day: UInt64) {
      parts = UInt64(max(1, (100 / percent).rounded(.up)))
      part = day % parts
    }

    func holds(_ name: ContainerName) -> Bool { xxh3(Array(name.text.utf8)) % parts == part }
  }
}

/// Where files go that are only to be verified.
private final class Nowhere: MemberSinks, OutputSink {
  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? { self }
  func end() throws(SwzipError) {}
  func link(_ name: String, to target: String, path: String) throws(SwzipError) {}
  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {}
  func readBack(member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }
}
