package import Swzip
package import SwzipCore
internal import SwzipNames
package import SwzipSystem

/// A checkpoint whose containers are open: what is deleted from now on can be read all the same.
package struct OpenCheckpoint: Sendable {
  package let checkpoint: Checkpoint
  /// In their order; one for most checkpoints.
  package let parts: [OpenPart]
  package let bases: ArchiveBases
  /// The containers that it is read through, its own too, by their numbers.
  let chain: [(number: Int, stored: StoredContainer)]
  package var needed: [FileStatus] { chain.map(\.stored.status) }
  package var paths: [String] { chain.map(\.stored.path) }
  /// Newer ones that `latest` would have been, were they whole; a line each.
  package let passedOver: [String]
  /// Containers that were found damaged.
  fileprivate let avoided: Set<ContainerName>

  /// Refuses parts that hold other files of one name: together they are no folder.
  package func checkNames() throws(SwzipError) {
    var seen: [Exact: (part: OpenPart, file: Container.Member)] = [:]
    var names = MemberNames()
    for part in parts {
      for file in part.stored.files {
        if let (other, same) = seen[Exact(file.name)] {
          guard same.hasSameContent(as: file) else {
            throw SwzipError(
              .refused, .system,
              detail:
                "parts \(other.stored.record.part) and \(part.stored.record.part) hold different files of the name "
                + "\(file.name.printable); restore each with --part")
          }
        } else {
          seen[Exact(file.name)] = (part, file)
          try names.add(file.name, .refused)
        }
      }
    }
  }
}

/// A container of an open checkpoint.
package struct OpenPart: Sendable {
  package let stored: StoredContainer
  package let source: any RandomSource
  package let container: Container
  /// The same, of the same open files, with nothing that another thread may have had in hand: for a forked child.
  package let again: @Sendable () throws(SwzipError) -> Container
}

/// A checkpoint to be read as far as that goes.
package struct DamagedCheckpoint: Sendable {
  /// As people call it.
  package let name: String
  package let path: String
  package let source: any RandomSource
  package let bases: ArchiveBases
  /// What its directory names; nil where that is damaged.
  package let files: [Container.Member]?
  package let needed: [FileStatus]
}

extension Archive {
  /// Opens the checkpoint that a word names, or a part of it, whatever is damaged or missing.
  package func openDamaged(_ word: String, part: UInt16? = nil) throws(SwzipError) -> DamagedCheckpoint {
    let holdings = try look()
    let resolution = holdings.resolution.takingAll()
    let bases = ArchiveBases(holdings, resolution)
    do throws(SwzipError) {
      let checkpoint = try holdings.checkpoint(word)
      let numbers = checkpoint.parts.filter { part == nil || holdings.containers[$0].record.part == part }
      guard let number = numbers.first, part != nil || checkpoint.partCount == 1 else {
        throw SwzipError(
          .refused, .missingParts, detail: "\(checkpoint.name) has \(checkpoint.partCount) parts; name one with --part")
      }
      return DamagedCheckpoint(
        name: checkpoint.name, path: holdings.containers[number].path, source: try bases.source(of: number),
        bases: bases, files: holdings.containers[number].files,
        needed: resolution.chain(of: number).sorted().map { holdings.containers[$0].status })
    } catch {
      // Its name says which step it was.
      guard error.rule == .noSuchCheckpoint, let bad = holdings.unreadable(word) else { throw error }
      let path = path(of: bad.name)
      let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
      let status = try onSystem(path) { () throws(SystemError) in try handle.status() }
      return DamagedCheckpoint(
        name: word, path: path, source: try FileSource(handle, fromStart: true), bases: bases, files: nil,
        needed: [status] + holdings.containers.map(\.status))
    }
  }

  /// Opens the checkpoint that a word names; `part`: only that, be others missing. Throws `notInArchive` where it lacks a base, and
  /// `missingParts` where it lacks those.
  package func open(_ word: String, part: UInt16? = nil) throws(SwzipError) -> OpenCheckpoint {
    var attempt = 1
    while true {
      do throws(SwzipError) {
        let holdings = try look()
        do throws(SwzipError) {
          return try open(
            holdings.checkpoint(word), part, in: holdings, passedOver: word == "latest" ? holdings.newer : [])
        } catch {
          guard error.rule == .noSuchCheckpoint, let bad = holdings.unreadable(word) else { throw error }
          throw bad.error
        }
      } catch {
        // It may have another name by now.
        guard error.isMissingFile, attempt < Self.mostTries else { throw error.file == nil ? error.of(path) : error }
        attempt += 1
      }
    }
  }

  /// The same checkpoint, of which something did not decode, through other containers than those that are damaged; and the paths
  /// of these. Nil where nothing is damaged, or no others hold the same. Cost: reading all that it is read through.
  package func reopen(
    _ open: OpenCheckpoint, part: UInt16? = nil, threads: Int
  ) throws(SwzipError) -> (open: OpenCheckpoint, damaged: [String])? {
    let damaged = open.chain.filter { number, _ in
      guard let damage = try? Container(open.bases.source(of: number)).damage(threads: threads) else { return true }
      return !damage.isEmpty
    }
    guard !damaged.isEmpty else { return nil }
    let avoided = open.avoided.union(damaged.map(\.stored.name))
    var holdings = try look()
    holdings.containers.removeAll { avoided.contains($0.name) }
    // Under its identity: `latest` would be another one without them.
    let same = holdings.checkpoints().first { $0.identity == open.checkpoint.identity }
    guard let same, let other = try? self.open(same, part, in: holdings, passedOver: [], avoided: avoided) else {
      return nil
    }
    return (other, damaged.map(\.stored.path))
  }

  private func open(
    _ checkpoint: Checkpoint, _ part: UInt16?, in holdings: Holdings, passedOver: [String],
    avoided: Set<ContainerName> = []
  ) throws(SwzipError) -> OpenCheckpoint {
    let numbers = checkpoint.parts.filter { part == nil || holdings.containers[$0].record.part == part }
    let resolution = holdings.resolution
    if let number = numbers.first(where: { resolution.depths[$0] == nil }) {
      let stored = holdings.containers[number]
      let content = resolution.missing(number).first ?? stored.bases[0]
      throw SwzipError(
        .base, .notInArchive, file: stored.path, detail: "\(content.byteCount) bytes, SHA-256 \(content.sha256)")
    }
    switch checkpoint.lack {
    case .twice(let twice) where part == nil || part == twice:
      throw SwzipError(
        .refused, .missingParts, detail: "part \(twice) of \(checkpoint.name) is there twice, not the same")
    case .parts(let count, let all) where part == nil:
      throw SwzipError(.refused, .missingParts, detail: "\(count) of \(all) parts of \(checkpoint.name)")
    default: break
    }
    guard !numbers.isEmpty else {
      throw SwzipError(
        .refused, .missingParts, detail: "part \(part ?? 0) of the \(checkpoint.partCount) of \(checkpoint.name)")
    }
    let bases = ArchiveBases(holdings, resolution)
    var sources: [Int: any RandomSource] = [:]
    for number in numbers { sources.merge(try bases.openChain(of: number)) { $1 } }
    let parts = try numbers.map { number throws(SwzipError) in
      let stored = holdings.containers[number]
      let source = try bases.source(of: number)
      do throws(SwzipError) {
        return OpenPart(
          stored: stored, source: source, container: try Container(source, bases: bases),
          again: { [sources] () throws(SwzipError) in
            // Connections are those of one process.
            let own = sources.mapValues { ($0 as? HTTPSource)?.inThisProcess() ?? $0 }
            return try Container(own[number] ?? source, bases: ArchiveBases(holdings, resolution, opened: own))
          })
      } catch {
        throw error.of(stored.path)
      }
    }
    return OpenCheckpoint(
      checkpoint: checkpoint, parts: parts, bases: bases,
      chain: resolution.closure(of: numbers).sorted().map { ($0, holdings.containers[$0]) }, passedOver: passedOver,
      avoided: avoided)
  }
}

extension Holdings {
  /// A container of a step that cannot be read, and is all that its name says.
  fileprivate func unreadable(_ word: String) -> (name: ContainerName, error: SwzipError)? {
    UInt64(word).flatMap { step in unreadable.first { $0.name.step == step } }
  }

  /// What is newer than `latest` and cannot be restored.
  fileprivate var newer: [String] {
    let last = latest
    let lacking = checkpoints().filter { checkpoint in
      checkpoint.depth == nil && last.map { $0.order < checkpoint.order } ?? true
    }
    return lacking.map { "\($0.name) is newer, but \($0.lack?.text ?? "")" }
      + unreadable.filter { $0.name.step >= last?.step ?? 0 }.map {
        "\($0.name.text) may be newer, but cannot be read: \($0.error.text)"
      }
  }
}

extension Checkpoint.Lack {
  fileprivate var text: String {
    switch self {
    case .parts(let count, let all): "has \(count) of \(all) parts"
    case .twice(let part): "has a part \(part) twice, not the same"
    case .base: "lacks a base"
    }
  }
}
