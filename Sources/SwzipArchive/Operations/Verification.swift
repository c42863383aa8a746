internal import Swzip
package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Reads all of an archive, and says what is damaged and which checkpoints that costs (spec/ARCHIVE.md, section 6).
package struct Verification {
  package struct Finding: Sendable {
    package let path: String
    package let error: SwzipError
  }

  package private(set) var findings: [Finding] = []
  /// Checkpoints that cannot be restored, by their names.
  package private(set) var affected: [String] = []
  package private(set) var checkpointCount = 0
  package private(set) var byteCount: UInt64 = 0
  private var damaged: Set<Int> = []

  /// `decodes`: each container, with its bases; else only directories are read, and bases looked for. Throws what keeps it from
  /// looking at all.
  package init(
    _ path: String, decodes: Bool, threads: Int, progress: ((UInt64) -> Void)? = nil
  ) throws(SwzipError) {
    var archive: Archive
    do throws(SwzipError) { archive = try Archive(path) } catch {
      guard error.kind == .corrupt else { throw error }
      findings.append(Finding(path: error.file ?? path, error: error))
      archive = try Archive(unidentified: path)
    }
    let holdings = try archive.look()
    for (name, error) in holdings.unreadable {
      findings.append(Finding(path: archive.path(of: name), error: error))
    }
    checkMarks(archive, holdings)
    if decodes { decodeAll(holdings, threads, progress) }
    findAffected(holdings)
  }

  private mutating func checkMarks(_ archive: Archive, _ holdings: Holdings) {
    for name in holdings.damagedTags {
      add(archive.path(.tags, name + Tag.suffix), "damaged: it does not match its sum; set the tag again")
    }
    for name in holdings.gone.sorted() {
      let path = archive.path(.gone, name.text + Tombstone.suffix)
      guard (try? smallFile(path)).map({ Tombstone.isWhole(name, $0) }) != true else { continue }
      add(path, "damaged: it does not match its sum; the checkpoint of step \(name.step) is forgotten all the same")
    }
  }

  private mutating func add(_ path: String, _ text: String) {
    findings.append(Finding(path: path, error: SwzipError(.corrupt, .system, file: path, detail: text)))
  }

  /// Bases before what needs them, so that damage is found where it is.
  private mutating func decodeAll(_ holdings: Holdings, _ threads: Int, _ progress: ((UInt64) -> Void)?) {
    let resolution = holdings.resolution
    let order = holdings.containers.indices.filter { resolution.depths[$0] != nil }.sorted {
      (resolution.depths[$0]!, holdings.containers[$0].name) < (resolution.depths[$1]!, holdings.containers[$1].name)
    }
    let bases = ArchiveBases(holdings, resolution)
    for number in order where resolution.chain(of: number).isDisjoint(with: damaged) {
      let done = byteCount
      do throws(SwzipError) {
        let report = try verify(bases.source(of: number), bases: bases, threads: threads) { progress?(done + $0) }
        byteCount += report.rawByteCount
      } catch {
        findings.append(Finding(path: error.file ?? holdings.containers[number].path, error: error))
        damaged.insert(number)
      }
    }
  }

  private mutating func findAffected(_ holdings: Holdings) {
    let resolution = holdings.resolution
    let healthy = Resolution(holdings.containers) { [damaged] in damaged.contains($0) }
    for checkpoint in holdings.checkpoints() + holdings.checkpoints(forgotten: true) {
      checkpointCount += 1
      guard !checkpoint.isRead(by: healthy, of: holdings) else { continue }
      affected.append(checkpoint.name)
      // Of damage the finding tells more.
      guard findings.allSatisfy({ $0.error.kind != .corrupt }),
        let lacking = checkpoint.parts.first(where: { resolution.depths[$0] == nil })
      else { continue }
      let path = holdings.containers[lacking].path
      findings.append(Finding(path: path, error: SwzipError(.base, .notInArchive, file: path)))
    }
    // All that is left of these is what the name says.
    affected += holdings.unreadable.map { "\($0.name.step)" }
    checkpointCount += holdings.unreadable.count
  }
}
