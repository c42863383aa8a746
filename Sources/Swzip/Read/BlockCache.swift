internal import SwzipCore

/// The decoded blocks last used of a container: those that were wanted in part, as who reads on wants them again, and all once
/// blocks are decoded again and again, as in a chain of bases with values that are predicted from several ranges: without it
/// each step of the chain would decode ever more often. Bounded in bytes, and safe for many threads.
final class BlockCache: Sendable {
  /// Where a block lies: a range of a member.
  struct Place: Equatable {
    let member: Int
    let range: Range<UInt64>

    fileprivate func holds(_ other: Place) -> Bool {
      member == other.member && range.lowerBound <= other.range.lowerBound && other.range.upperBound <= range.upperBound
    }
  }

  struct State {
    /// The last used last.
    var blocks: [Block] = []
    /// The blocks decoded last that were not kept.
    var recent: [Place] = []
    /// Whether one of those was wanted again.
    var keepsAll = false
  }

  /// A decoded block, which nobody changes once it is kept.
  struct Block: @unchecked Sendable {
    let place: Place
    let memory: Memory
    /// Up to where it has been taken, from its beginning on.
    fileprivate var takenEnd: UInt64

    var bytes: UnsafeRawBufferPointer { unsafe memory.prefix(place.range.count) }
  }

  private static let mostBytes = 8 << 20
  /// About as many blocks as could have been kept.
  private static let mostRecent = 64

  let state = Guarded(State())

  /// The block that holds all of a range, if it is kept.
  func block(holding wanted: Place) -> Block? {
    state.withLock { state in
      guard let number = state.blocks.lastIndex(where: { $0.place.holds(wanted) }) else { return nil }
      // Most often it is the last.
      let last = state.blocks.count - 1
      if number < last { state.blocks.append(state.blocks.remove(at: number)) }
      let takenEnd = state.blocks[last].takenEnd
      if wanted.range.contains(takenEnd) { state.blocks[last].takenEnd = wanted.range.upperBound }
      return state.blocks[last]
    }
  }

  /// Room for a block of which `part` is wanted. `reuses`: whether a block that has been read from its beginning to its end may
  /// give its own, which is in the processor's cache.
  func room(for place: Place, taking part: Range<UInt64>, reuses: Bool) throws(SwzipError) -> Block {
    let used = state.withLock { state -> Memory? in
      let done = state.blocks.firstIndex {
        $0.takenEnd >= $0.place.range.upperBound && $0.memory.byteCount >= place.range.count
      }
      guard reuses, let done else { return nil }
      var memory = state.blocks.remove(at: done).memory
      // Another thread may still copy from it.
      return isKnownUniquelyReferenced(&memory) ? memory : nil
    }
    let takenEnd = part.lowerBound <= place.range.lowerBound ? part.upperBound : place.range.lowerBound
    if let used { return Block(place: place, memory: used, takenEnd: takenEnd) }
    return Block(place: place, memory: try Memory(place.range.count), takenEnd: takenEnd)
  }

  /// Keeps a block of which a part was wanted, decoded and verified.
  func keep(_ block: Block) {
    state.withLock { state in
      if state.recent.contains(block.place) { state.keepsAll = true }
      guard !state.blocks.contains(where: { $0.place == block.place }) else { return }
      state.blocks.append(block)
      // Room that was reused may be larger than the block in it.
      var sum = state.blocks.reduce(0) { $0 + $1.memory.byteCount }
      while sum > Self.mostBytes, !state.blocks.isEmpty { sum -= state.blocks.removeFirst().memory.byteCount }
    }
  }

  /// All of a block was wanted by what refers to it, which has been decoded and verified elsewhere: a copy is kept where that
  /// pays.
  func note(_ bytes: UnsafeMutableRawBufferPointer, at place: Place) throws(SwzipError) {
    let keepsAll = state.withLock { state in
      if state.recent.contains(place) { state.keepsAll = true }
      guard !state.keepsAll else { return true }
      if state.recent.count == Self.mostRecent { state.recent.removeFirst() }
      state.recent.append(place)
      return false
    }
    guard keepsAll else { return }
    let memory = try Memory(bytes.count)
    unsafe memory.bytes.copyMemory(from: UnsafeRawBufferPointer(bytes))
    keep(Block(place: place, memory: memory, takenEnd: place.range.lowerBound))
  }
}
