internal import SwzipCore

/// The decoded blocks last used of a container: those that were wanted in part, and in a chain of bases with values that are
/// predicted from several ranges all. Each would else be decoded for each range that needs it, at each step of the chain ever
/// more often.
final class BlockCache: Sendable {
  struct Key: Hashable {
    let segment, block: Int
  }

  private static let mostBytes = 8 << 20

  /// The last used last.
  private let blocks = Guarded<[(key: Key, bytes: [UInt8])]>([])

  func block(_ key: Key) -> [UInt8]? {
    blocks.withLock { blocks in
      guard let place = blocks.lastIndex(where: { $0.key == key }) else { return nil }
      let found = blocks.remove(at: place)
      blocks.append(found)
      return found.bytes
    }
  }

  /// Keeps a block that has been verified.
  func keep(_ bytes: UnsafeMutableRawBufferPointer, as key: Key) {
    let copy = unsafe [UInt8](bytes)
    blocks.withLock { blocks in
      guard !blocks.contains(where: { $0.key == key }) else { return }
      blocks.append((key, copy))
      var sum = blocks.reduce(0) { $0 + $1.bytes.count }
      while sum > Self.mostBytes, !blocks.isEmpty { sum -= blocks.removeFirst().bytes.count }
    }
  }
}
