internal import SwzipCore

/// The segments last used of a container, which stay open: a segment that others refer to is read for each of their blocks.
final class OpenSegments: Sendable {
  /// So many stay open whatever they hold: each of four references may lie in two.
  private static let least = 2 * Limits.referencesPerSegment
  private static let mostDecoderBytes = 4 << 20

  /// The last used last.
  private let segments = Guarded<[(number: Int, segment: OpenSegment)]>([])

  /// Segment `number`, opened by `open` unless it is there.
  func segment(
    _ number: Int, open: () throws(SwzipError) -> OpenSegment
  ) throws(SwzipError) -> OpenSegment {
    let known = segments.withLock { segments -> OpenSegment? in
      guard let place = segments.lastIndex(where: { $0.number == number }) else { return nil }
      segments.append(segments.remove(at: place))
      return segments.last?.segment
    }
    if let known { return known }
    let segment = try open()
    segments.withLock { segments in
      segments.removeAll { $0.number == number }  // another thread may have opened it meanwhile
      segments.append((number, segment))
      var bytes = segments.reduce(0) { $0 + $1.segment.decoder.header.decoderByteCount }
      while segments.count > Self.least, bytes > Self.mostDecoderBytes {
        bytes -= segments.removeFirst().segment.decoder.header.decoderByteCount
      }
    }
    return segment
  }
}
