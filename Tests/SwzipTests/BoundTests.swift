import SwzipCore
import SwzipSamples
import Testing

@testable import Swzip

/// What is kept for later has a bound in bytes, whatever comes in whatever order.
struct BoundTests {
  private static let most = 8 << 20

  /// Decoded blocks of all sizes, wanted whole and in part, kept in new room and in that of others.
  @Test(arguments: 0..<6) func decodedBlocks(seed: UInt64) throws {
    var random = Random(seed)
    let cache = BlockCache()
    var peak = 0
    for _ in 0..<1500 {
      let start = UInt64(random.below(40)) << 22
      let place = BlockCache.Place(
        member: random.below(2), range: start..<(start + 1 + UInt64(random.below(1 << (8 + random.below(15))))))
      let content = UInt8(truncatingIfNeeded: place.member * 100 + Int(start >> 22))
      if let block = cache.block(holding: place) {
        unsafe #expect(block.bytes.count >= place.range.count && block.bytes.allSatisfy { $0 == content })
      } else if random.below(3) > 0 {
        let part = random.below(2) == 0 ? place.range : start..<(start + 1)
        let block = try cache.room(for: place, taking: part, reuses: random.below(2) == 0)
        unsafe block.memory.bytes.initializeMemory(as: UInt8.self, repeating: content)
        cache.keep(block)
      } else {
        let memory = try Memory(place.range.count)
        unsafe memory.bytes.initializeMemory(as: UInt8.self, repeating: content)
        try unsafe cache.note(memory.bytes, at: place)
      }
      let (kept, recent) = cache.state.withLock { state in
        (state.blocks.reduce(0) { $0 + $1.memory.byteCount }, state.recent.count)
      }
      #expect(kept <= Self.most && recent <= 64)
      peak = max(peak, kept)
    }
    #expect(peak > Self.most / 2)
  }

  /// Pieces of a base in any order, the first one last: what waits for it is bounded, and all of it is hashed at the end.
  @Test(arguments: 0..<4) func basesAhead(seed: UInt64) throws {
    var random = Random(seed)
    var bytes = random.bytes(24 << 20)
    let digest = try ArraySource(bytes).sha256()
    for isRight in [true, false] {
      if !isRight { bytes[random.below(bytes.count)] ^= 1 }
      let base = HashedBase(ArraySource(bytes))
      var starts = [0]
      while let last = starts.last, last < bytes.count { starts.append(last + 1 + random.below(1 << 21)) }
      let order = starts.dropFirst().dropLast().shuffled(using: &random) + [0]
      var peak = 0
      for start in order {
        let end = min(starts.first { $0 > start } ?? bytes.count, bytes.count)
        #expect(same(try base.bytes(at: UInt64(start), count: end - start), Array(bytes[start..<end])))
        let waiting = base.ahead.withLock { ahead in ahead.values.reduce(0) { $0 + $1.count } }
        #expect(waiting <= Self.most / 2)
        peak = max(peak, waiting)
      }
      #expect(peak > Self.most / 4)
      #expect(try (base.digest() == digest) == isRight)
    }
  }
}
