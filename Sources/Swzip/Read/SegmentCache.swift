internal import SwzipCore

/// The segments last used of a container, which stay open: their frames and block tables are read once, and their tables of
/// codes made once. Bounded in bytes, and safe for many threads.
final class SegmentCache: Sendable {
  /// So many stay open whatever they hold: each of four references may lie in two.
  private static let least = 2 * Limits.referencesPerSegment
  private static let mostBytes = 4 << 20

  /// The last used last.
  private let segments = Guarded<[(number: Int, segment: OpenSegment)]>([])

  /// Segment `number`, if it is open.
  func segment(_ number: Int) -> OpenSegment? {
    segments.withLock { segments in
      guard let place = segments.lastIndex(where: { $0.number == number }) else { return nil }
      segments.append(segments.remove(at: place))
      return segments.last?.segment
    }
  }

  func keep(_ segment: OpenSegment, as number: Int) {
    segments.withLock { segments in
      segments.removeAll { $0.number == number }  // another thread may have opened it meanwhile
      segments.append((number, segment))
      var bytes = segments.reduce(0) { $0 + $1.segment.byteCount }
      while segments.count > Self.least, bytes > Self.mostBytes { bytes -= segments.removeFirst().segment.byteCount }
    }
  }
}
