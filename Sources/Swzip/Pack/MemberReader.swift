internal import SwzipCore
internal import SwzipInputs

/// Reads a member in batches of segments, in order.
final class MemberReader {
  let input: ForwardInput
  private var ranges: ArraySlice<SegmentRange>
  /// Where plain bytes go on behind the layout, for an input whose length is unknown.
  private var plainCursor: UInt64?
  private let looksForFloats: Bool

  init(_ input: ForwardInput, _ layout: Layout) {
    self.input = input
    looksForFloats = layout.guessesTail
    ranges = layout.segments[...]
    plainCursor = input.byteCount == nil ? layout.segments.last.map { $0.offset + UInt64($0.byteCount) } ?? 0 : nil
  }

  /// The next segments, about `Limits.segmentBytes`; nil at the end. `pool` gives room for them.
  func next(_ pool: MemoryPool) throws(SwzipError) -> PackBatch? {
    var taken: [SegmentRange] = []
    var byteCount = 0
    while let range = ranges.first, taken.isEmpty || byteCount + range.byteCount <= Limits.segmentBytes {
      taken.append(range)
      byteCount += range.byteCount
      ranges.removeFirst()
    }
    let isUnknown = taken.isEmpty
    if isUnknown, let cursor = plainCursor {
      taken = [SegmentRange(offset: cursor, byteCount: Limits.segmentBytes, elementType: .bytes)]
      byteCount = Limits.segmentBytes
      plainCursor = cursor + UInt64(byteCount)
    }
    guard !taken.isEmpty else { return nil }
    let memory = input.isMemory ? nil : try pool.take(Limits.segmentBytes + Limits.slack)
    let bytes = try unsafe input.next(byteCount, buffer: memory)
    if bytes.count < byteCount { taken = Self.clip(taken, to: bytes.count) }  // the input ended early
    guard !taken.isEmpty else { return nil }
    if isUnknown, looksForFloats { taken = try unsafe Self.cut(bytes, at: taken[0].offset) }
    return unsafe PackBatch(taken, bytes, input: memory)
  }

  /// Bytes that nobody has looked at, with what floats are among them.
  private static func cut(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SwzipError) -> [SegmentRange] {
    var map = FileMap()
    map.payloads = try unsafe RawGuess.payloads(of: MemoryBytes(bytes), in: 0..<UInt64(bytes.count))
    return Planner.layout(of: map, format: "", fileByteCount: UInt64(bytes.count)).segments.map {
      var range = $0
      range.offset += offset
      return range
    }
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

/// Bytes in memory as an input.
@safe private struct MemoryBytes: InputBytes {
  private let memory: UnsafeRawBufferPointer

  init(_ memory: UnsafeRawBufferPointer) { unsafe self.memory = memory }

  var byteCount: UInt64? { unsafe UInt64(memory.count) }
  func peek(_ count: Int) -> [UInt8] { bytes(at: 0, count: count) }
  func bytes(at offset: UInt64, count: Int) -> [UInt8] {
    unsafe Array(memory.dropFirst(Int(min(offset, UInt64(memory.count)))).prefix(count))
  }
}
