internal import SwzipCore

/// The decoded blocks last used of a container: those that were wanted in part, as who reads on wants them again, and all once
/// blocks are decoded again and again, as in a chain of bases with values that are predicted from several ranges: without it
/// each step of the chain would decode ever more often. Bounded in bytes, and safe for many threads.
final class BlockCache: Sendable {
  struct Key: Hashable {
    let segment, block: Int
  }

  private struct State {
    /// The last used last.
    var blocks: [(key: Key, bytes: [UInt8])] = []
    /// The blocks decoded last that were not kept.
    var recent: [Key] = []
    /// Whether one of those was wanted again.
    var keepsAll = false
  }

  private static let mostBytes = 8 << 20
  /// About as many blocks as could have been kept.
  private static let mostRecent = 64

  private let state = Guarded(State())

  func block(_ key: Key) -> [UInt8]? {
    state.withLock { state in
      guard let place = state.blocks.lastIndex(where: { $0.key == key }) else { return nil }
      let found = state.blocks.remove(at: place)
      state.blocks.append(found)
      return found.bytes
    }
  }

  /// A block has been decoded and verified, of which all or a part was wanted.
  func add(_ bytes: UnsafeMutableRawBufferPointer, as key: Key, isPart: Bool) {
    let keeps = state.withLock { state in
      if state.recent.contains(key) { state.keepsAll = true }
      guard !isPart, !state.keepsAll else { return true }
      if state.recent.count == Self.mostRecent { state.recent.removeFirst() }
      state.recent.append(key)
      return false
    }
    guard keeps else { return }
    let copy = unsafe [UInt8](bytes)
    state.withLock { state in
      guard !state.blocks.contains(where: { $0.key == key }) else { return }
      state.blocks.append((key, copy))
      var sum = state.blocks.reduce(0) { $0 + $1.bytes.count }
      while sum > Self.mostBytes, !state.blocks.isEmpty { sum -= state.blocks.removeFirst().bytes.count }
    }
  }
}
