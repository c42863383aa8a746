internal import SwzipCore
internal import SwzipInputs

/// Reads a member in batches of segments, in order.
final class MemberReader {
  let input: ForwardInput
  private var ranges: ArraySlice<SegmentRange>
  /// Where plain bytes go on behind the layout, for an input whose length is unknown.
  private var plainCursor: UInt64?

  init(_ input: ForwardInput, _ layout: Layout) {
    self.input = input
    ranges = layout.segments[...]
    plainCursor = input.byteCount == nil ? layout.segments.last.map { $0.offset + UInt64($0.byteCount) } ?? 0 : nil
  }

  /// The next segments, about `Limits.segmentBytes`; nil at the end. `memory` gives room for them.
  func next(memory: (Int) throws(SwzipError) -> Memory) throws(SwzipError) -> PackBatch? {
    var taken: [SegmentRange] = []
    var byteCount = 0
    while let range = ranges.first, taken.isEmpty || byteCount + range.byteCount <= Limits.segmentBytes {
      taken.append(range)
      byteCount += range.byteCount
      ranges.removeFirst()
    }
    if taken.isEmpty, let cursor = plainCursor {
      taken = [SegmentRange(offset: cursor, byteCount: Limits.segmentBytes, elementType: .bytes)]
      byteCount = Limits.segmentBytes
      plainCursor = cursor + UInt64(byteCount)
    }
    guard !taken.isEmpty else { return nil }
    let memory = input.isMemory ? nil : try memory(Limits.segmentBytes + Limits.slack)
    let bytes = try unsafe input.next(byteCount, buffer: memory)
    if bytes.count < byteCount { taken = Self.clip(taken, to: bytes.count) }  // the input ended early
    guard !taken.isEmpty else { return nil }
    return unsafe PackBatch(taken, bytes, input: memory)
  }

  private static func clip(_ ranges: [SegmentRange], to byteCount: Int) -> [SegmentRange] {
    var left = byteCount
    return ranges.compactMap { range in
      var range = range
      range.byteCount = min(range.byteCount, left)
      left -= range.byteCount
      return range.byteCount > 0 ? range : nil
    }
  }
}
