package import Swzip
package import SwzipCore
internal import SwzipSystem

/// Finds the bases of an archive's containers in its other containers, by content.
package final class ArchiveBases: BaseResolver {
  private let containers: [StoredContainer]
  private let resolution: Resolution
  private let opened: Guarded<[Int: any RandomSource]>

  package convenience init(_ holdings: Holdings) { self.init(holdings, holdings.resolution) }

  init(_ holdings: Holdings, _ resolution: Resolution, opened: [Int: any RandomSource] = [:]) {
    containers = holdings.containers
    self.resolution = resolution
    self.opened = Guarded(opened)
  }

  /// What a container says of its files is bound by its root, and each block of them is compared: what does not decode is no
  /// fault of a base.
  package var proves: Bool { true }

  package func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource {
    guard let place = resolution.place(of: StoredContainer.Content(sha256: base.sha256, byteCount: base.byteCount))
    else {
      throw SwzipError(
        .base, .notInArchive, detail: "\(base.hint), \(base.byteCount) bytes, SHA-256 \(base.sha256)")
    }
    do throws(SwzipError) {
      return try base.file(place.file, of: source(of: place.container), self)
    } catch {
      throw error.file == nil ? error.of(containers[place.container].path) : error
    }
  }

  /// Opens a container; the handle survives its removal.
  package func source(of number: Int) throws(SwzipError) -> any RandomSource {
    if let source = opened.withLock({ $0[number] }) { return source }
    let source = try openFile(containers[number].path).source
    opened.withLock { $0[number] = source }
    return source
  }

  /// Opens all that a container is read through, before any of it is read.
  package func openChain(of number: Int) throws(SwzipError) -> [Int: any RandomSource] {
    var sources: [Int: any RandomSource] = [:]
    for needed in resolution.chain(of: number) { sources[needed] = try source(of: needed) }
    return sources
  }
}
