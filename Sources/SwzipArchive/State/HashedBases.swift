internal import Swzip
internal import SwzipCore

/// Finds bases as `ArchiveBases` does, and hashes what is read of each: so reading the last container of a chain decodes the
/// whole chain once, and proves the files that it goes through. One thread at a time, but for `open`.
final class HashedBases: BaseResolver {
  private let holdings: Holdings
  private let resolution: Resolution
  private let bases: ArchiveBases
  /// Containers whose files are to be proved.
  private let wanted: Set<Int>
  private let state = Guarded(State())

  private struct State {
    var hashed: [Resolution.Place: HashedBase] = [:]
    var proved: [Int: Set<Int>] = [:]
  }

  init(_ holdings: Holdings, _ resolution: Resolution, _ bases: ArchiveBases, wanted: Set<Int>) {
    (self.holdings, self.resolution, self.bases, self.wanted) = (holdings, resolution, bases, wanted)
  }

  var proves: Bool { true }

  func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource {
    let content = Resolution.Content(sha256: base.sha256, byteCount: base.byteCount)
    guard let place = resolution.place(of: content) else { return try bases.open(base) }
    let isWanted =
      wanted.contains(place.container)
      && state.withLock { $0.hashed[place] == nil && $0.proved[place.container]?.contains(place.file) != true }
    let source = try base.file(
      place.file, of: bases.source(of: place.container), self, isWanted ? .strict : .loader)
    guard isWanted else { return source }
    let hashed = HashedBase(source)
    state.withLock { $0.hashed[place] = hashed }
    return hashed
  }

  /// Proves what was opened since the last call, whose other bytes are read now. Returns how many bytes that were.
  func settle() throws(SwzipError) -> UInt64 {
    let opened = state.withLock { state in
      defer { state.hashed = [:] }
      return state.hashed
    }
    var byteCount: UInt64 = 0
    for (place, hashed) in opened {
      do throws(SwzipError) {
        guard try hashed.digest() == holdings.containers[place.container].files[place.file].sha256 else { continue }
      } catch {
        // Who reads the container for its own sake finds out what is wrong.
        guard error.kind == .memory else { continue }
        throw error
      }
      byteCount += hashed.byteCount
      _ = state.withLock { $0.proved[place.container, default: []].insert(place.file) }
    }
    return byteCount
  }

  /// Files of a container that are proved.
  func proved(of container: Int) -> Set<Int> { state.withLock { $0.proved[container] ?? [] } }
}
