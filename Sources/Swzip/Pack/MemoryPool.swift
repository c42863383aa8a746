internal import SwzipCore

/// Memory for what batches read and write, kept from one to the next: pages that are fresh cost as much as copying to them.
final class MemoryPool: Sendable {
  private static let mostBytes = 12 << 20
  /// Less is not worth keeping.
  private static let leastBytes = 1 << 20

  private let spare = Guarded<[Memory]>([])

  /// At least `byteCount` bytes.
  func take(_ byteCount: Int) throws(SwzipError) -> Memory {
    guard byteCount >= Self.leastBytes else { return try Memory(byteCount) }
    // Rounded up, so that what one batch leaves fits the next: pages that nobody writes to take no memory.
    let rounded = (byteCount + Self.leastBytes - 1) / Self.leastBytes * Self.leastBytes
    let known = spare.withLock { spare in
      spare.firstIndex { rounded...(2 * rounded) ~= $0.byteCount }.map { spare.remove(at: $0) }
    }
    if let known { return known }
    return try Memory(rounded)
  }

  /// What nobody uses any more; what has waited longest goes where that is too much.
  func give(_ memory: Memory?) {
    guard let memory, memory.byteCount >= Self.leastBytes else { return }
    spare.withLock { spare in
      spare.append(memory)
      while spare.reduce(0, { $0 + $1.byteCount }) > Self.mostBytes { spare.removeFirst() }
    }
  }
}
