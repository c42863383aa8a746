internal import SwzipCore
internal import SwzipInputs

/// Finds what of a file is smaller as differences to its bases: tensors of the same name, type and size, or of another name and
/// like values. What a segment takes either way is measured on a block of it; names are hints only.
struct DeltaFinder {
  /// Segments that take less share a segment with their neighbours.
  private static let leastPackedBytes: UInt64 = 8192
  /// A base that saves less, one in so many bytes, is not worth being needed.
  private static let leastShare: UInt64 = 32
  private static let sampleParts = 32
  private static let sampleValues = 512

  let member: OpenMember

  /// Marks segments as differences to bases, or as equal to ranges of them; neighbours of few differences are joined.
  func mark(_ layout: inout Layout) throws(SwzipError) {
    var numbers = member.bases.indices.map { UInt64($0) }
    while !numbers.isEmpty {
      let (segments, alone, saved) = try marked(layout.segments, given: numbers)
      let needed = numbers.filter { number in
        saved[number, default: 0] * Self.leastShare > alone || layout.segments.contains { $0.needsBase(number) }
      }
      guard needed != numbers else {
        layout.segments = segments
        return
      }
      numbers = needed
    }
  }

  /// The segments marked, what they take alone, and what that saves of each base.
  private func marked(
    _ all: [SegmentRange], given numbers: [UInt64]
  ) throws(SwzipError) -> (segments: [SegmentRange], alone: UInt64, saved: [UInt64: UInt64]) {
    var segments: [SegmentRange] = []
    var packed: [UInt64] = []
    var (alone, saved): (UInt64, [UInt64: UInt64]) = (0, [:])
    for segment in all {
      let found = try find(segment, given: numbers)
      alone += found.alone
      if let size = found.size, let number = found.segment.references[0].baseNumber {
        saved[number, default: 0] += found.alone - size
      }
      if let size = found.size, let last = segments.last, let before = packed.last,
        min(before, size) < Self.leastPackedBytes,
        let joined = Self.joined(last, found.segment, areSmall: max(before, size) < Self.leastPackedBytes)
      {
        segments[segments.count - 1] = joined
        packed[packed.count - 1] = before + size
        continue
      }
      segments.append(found.segment)
      packed.append(found.size ?? .max)
    }
    return (segments, alone, saved)
  }

  /// One segment for two that follow each other here and in the base. The rows of the first go on through the second;
  /// those of the second count for less than sharing only if both are small.
  private static func joined(_ a: SegmentRange, _ b: SegmentRange, areSmall: Bool) -> SegmentRange? {
    guard case .delta(.same, let first) = a.derivation, case .delta(.same, let second) = b.derivation,
      first[0].advanced(by: UInt64(a.byteCount)) == second[0],
      a.elementType == b.elementType, a.end == b.offset,
      a.byteCount + b.byteCount <= Limits.segmentBytes, areSmall || a.byteCount > b.byteCount
    else { return nil }
    var joined = a
    joined.byteCount += b.byteCount
    return joined
  }

  /// A segment marked where that pays, and what it takes alone and so.
  private func find(
    _ segment: SegmentRange, given numbers: [UInt64]
  ) throws(SwzipError) -> (segment: SegmentRange, alone: UInt64, size: UInt64?) {
    // Casts to a narrower type store next to nothing.
    guard segment.derivation == .plain || segment.isWidened else { return (segment, 0, nil) }
    let alone = try member.byteCountAlone(of: segment)
    var places: [Reference] = []
    for number in numbers { places += try member.places[Int(number)].find(segment) }
    guard DeltaKind(segment.elementType) != nil, segment.byteCount % segment.elementType.width == 0 else {
      for place in places where try isEqual(segment, to: place) { return (segment.derived(.copy(place)), alone, 0) }
      return (segment, alone, nil)
    }
    var best: (segment: SegmentRange, size: UInt64, place: Reference)?
    func consider(_ prediction: Prediction, _ place: Reference) throws(SwzipError) {
      let candidate = segment.derived(.delta(prediction, [place]))
      let size = try member.byteCount(of: candidate)
      if size < best?.size ?? .max { best = (candidate, size, place) }
    }
    for place in places { try consider(.same, place) }
    if let place = best?.place, Prediction.scaled(by: 1).predicts(segment.elementType) {
      for factor in try factors(segment, place) { try consider(.scaled(by: factor), place) }
    }
    guard let best, best.size < alone else { return (segment, alone, nil) }
    return (best.segment, alone, best.size)
  }

  /// What many values of a segment are multiples by of those that it differs from: weights and moments without a gradient
  /// only decay. Second moments lie above what is left of them: a low one of their ratios too.
  private func factors(_ segment: SegmentRange, _ place: Reference) throws(SwzipError) -> [Double] {
    let count = min(segment.byteCount / 4, Self.sampleValues)
    let last = segment.byteCount / 4 - count
    var (values, old): ([Float], [Float]) = ([], [])
    for part in 0..<Self.sampleParts {
      let skipped = UInt64(last * part / (Self.sampleParts - 1) * 4)
      values += try member.source.floats(at: segment.offset + skipped, count: count)
      old += try member.base(of: place).floats(at: place.offset + skipped, count: count)
    }
    let ratios = zip(values, old).map { Double($0) / Double($1) }.filter { 0.01 < $0 && $0 < 100 }.sorted()
    let share = max(ratios.count / 64, 8)
    guard ratios.count >= 4 * share else { return [] }
    let narrowest = (0..<(ratios.count - share)).min {
      ratios[$0 + share] - ratios[$0] < ratios[$1 + share] - ratios[$1]
    }!
    return [ratios[narrowest + share / 2], ratios[share]].filter { $0 != 1 }
  }

  private func isEqual(_ segment: SegmentRange, to place: Reference) throws(SwzipError) -> Bool {
    let (left, right) = (try Memory(segment.byteCount), try Memory(segment.byteCount))
    guard try unsafe member.source.read(at: segment.offset, into: left.bytes) == left.byteCount,
      try unsafe member.base(of: place).read(at: place.offset, into: right.bytes) == right.byteCount
    else { return false }
    return unsafe equalBytes(UnsafeRawBufferPointer(left.bytes), UnsafeRawBufferPointer(right.bytes))
  }
}
