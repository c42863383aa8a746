package import Swzip
package import SwzipCore
package import SwzipSystem

/// A checkpoint whose containers are open: what is deleted from now on can be read all the same.
package struct OpenCheckpoint: Sendable {
  package let checkpoint: Checkpoint
  package let stored: StoredContainer
  package let source: FileSource
  package let bases: ArchiveBases
  package let container: Container
  /// Of the containers that it is read through, its own too.
  package let needed: [FileStatus]
  /// Newer ones that `latest` would have been, were they whole; a line each.
  package let passedOver: [String]
}

/// A checkpoint to be read as far as that goes.
package struct DamagedCheckpoint: Sendable {
  /// As people call it.
  package let name: String
  package let path: String
  package let source: FileSource
  package let bases: ArchiveBases
  /// What its directory names; nil where that is damaged.
  package let files: [Container.Member]?
  package let needed: [FileStatus]
}

extension Archive {
  /// Opens the checkpoint that a word names, whatever is damaged or missing.
  package func openDamaged(_ word: String) throws(SwzipError) -> DamagedCheckpoint {
    let holdings = try look()
    let resolution = holdings.resolution.takingAll()
    let bases = ArchiveBases(holdings, resolution)
    do throws(SwzipError) {
      let checkpoint = try holdings.checkpoint(word)
      let number = checkpoint.numbers[0]
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

  /// Opens the checkpoint that a word names. Throws `notInArchive` where it lacks a base.
  package func open(_ word: String) throws(SwzipError) -> OpenCheckpoint {
    var attempt = 1
    while true {
      do throws(SwzipError) {
        let holdings = try look()
        do throws(SwzipError) {
          return try open(holdings.checkpoint(word), in: holdings, passedOver: word == "latest" ? holdings.newer : [])
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

  private func open(
    _ checkpoint: Checkpoint, in holdings: Holdings, passedOver: [String]
  ) throws(SwzipError) -> OpenCheckpoint {
    let number = checkpoint.numbers[0]
    let stored = holdings.containers[number]
    let resolution = holdings.resolution
    guard resolution.depths[number] != nil else {
      let content = resolution.missing(number).first ?? stored.bases[0]
      throw SwzipError(
        .base, .notInArchive, file: stored.path, detail: "\(content.byteCount) bytes, SHA-256 \(content.sha256)")
    }
    let bases = ArchiveBases(holdings, resolution)
    try bases.openChain(of: number)
    let source = try bases.source(of: number)
    do throws(SwzipError) {
      return OpenCheckpoint(
        checkpoint: checkpoint, stored: stored, source: source, bases: bases,
        container: try Container(source, bases: bases),
        needed: resolution.chain(of: number).sorted().map { holdings.containers[$0].status }, passedOver: passedOver)
    } catch {
      throw error.of(stored.path)
    }
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
    return lacking.map { "\($0.name) is newer, but lacks a base" }
      + unreadable.filter { $0.name.step >= last?.step ?? 0 }.map {
        "\($0.name.text) may be newer, but cannot be read: \($0.error.text)"
      }
  }
}
