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
    var blocks: [(key: Key, block: Block)] = []
    /// The blocks decoded last that were not kept.
    var recent: [Key] = []
    /// Whether one of those was wanted again.
    var keepsAll = false
  }

  /// A decoded block, which nobody changes once it is kept.
  struct Block: @unchecked Sendable {
    let memory: Memory
    let byteCount: Int
    var bytes: UnsafeRawBufferPointer { unsafe memory.prefix(byteCount) }
  }

  private static let mostBytes = 8 << 20
  /// About as many blocks as could have been kept.
  private static let mostRecent = 64

  private let state = Guarded(State())

  func block(_ key: Key) -> Block? {
    state.withLock { state in
      guard let place = state.blocks.lastIndex(where: { $0.key == key }) else { return nil }
      // Most often it is the last.
      if place < state.blocks.count - 1 { state.blocks.append(state.blocks.remove(at: place)) }
      return state.blocks[state.blocks.count - 1].block
    }
  }

  /// Keeps a block of which a part was wanted, decoded and verified.
  func keep(_ block: Block, as key: Key) {
    state.withLock { state in
      if state.recent.contains(key) { state.keepsAll = true }
      guard !state.blocks.contains(where: { $0.key == key }) else { return }
      state.blocks.append((key, block))
      var sum = state.blocks.reduce(0) { $0 + $1.block.byteCount }
      while sum > Self.mostBytes, !state.blocks.isEmpty { sum -= state.blocks.removeFirst().block.byteCount }
    }
  }

  /// All of a block was wanted by what refers to it, which has been decoded and verified elsewhere: a copy is kept where that
  /// pays.
  func note(_ bytes: UnsafeMutableRawBufferPointer, as key: Key) throws(SwzipError) {
    let keepsAll = state.withLock { state in
      if state.recent.contains(key) { state.keepsAll = true }
      guard !state.keepsAll else { return true }
      if state.recent.count == Self.mostRecent { state.recent.removeFirst() }
      state.recent.append(key)
      return false
    }
    guard keepsAll else { return }
    let memory = try Memory(bytes.count)
    unsafe memory.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
    keep(Block(memory: memory, byteCount: bytes.count), as: key)
  }
}
