internal import SwzipCore
internal import SwzipInputs

/// Finds what of a file is smaller as differences to a base: tensors of the same name, type and size, or of another name and
/// like values. What a segment takes either way is measured on a block of it; names are hints only.
struct DeltaFinder {
  /// Segments that take less share a segment with their neighbours.
  private static let leastPackedBytes: UInt64 = 8192
  /// A base that saves less, one in so many bytes, is not worth being needed.
  private static let leastShare: UInt64 = 32
  private static let sampleParts = 32
  private static let sampleValues = 512

  private let source: any RandomSource
  private let base: any RandomSource
  private let trial: SegmentTrial
  private let places: BasePlaces

  /// `places`: of the base's tensors.
  init(_ source: any RandomSource, base: any RandomSource, _ places: BasePlaces, effort: Effort) throws(SwzipError) {
    self.source = source
    self.base = base
    self.places = places
    trial = try SegmentTrial(effort)
  }

  /// Marks segments as differences to base 0, or as equal to a range of it; neighbours of few differences are joined.
  func mark(_ layout: inout Layout) throws(SwzipError) {
    var segments: [SegmentRange] = []
    var packed: [UInt64] = []
    var (alone, saved): (UInt64, UInt64) = (0, 0)
    for segment in layout.segments {
      var segment = segment
      let found = try find(&segment)
      alone += found.alone
      saved += found.size.map { found.alone - $0 } ?? 0
      let size = found.size
      if let size, let last = segments.last, let before = packed.last, min(before, size) < Self.leastPackedBytes,
        let joined = Self.joined(last, segment, areSmall: max(before, size) < Self.leastPackedBytes)
      {
        segments[segments.count - 1] = joined
        packed[packed.count - 1] = before + size
        continue
      }
      segments.append(segment)
      packed.append(size ?? .max)
    }
    if saved * Self.leastShare > alone || layout.segments.contains(where: \.needsBase) { layout.segments = segments }
  }

  /// One segment for two that follow each other here and in the base. The rows of the first go on through the second;
  /// those of the second count for less than sharing only if both are small.
  private static func joined(_ a: SegmentRange, _ b: SegmentRange, areSmall: Bool) -> SegmentRange? {
    guard let first = a.deltaOf, let second = b.deltaOf, first.prediction == .same, second.prediction == .same,
      case .base(let number, let start) = first.references[0], case .base(number, let next) = second.references[0],
      a.elementType == b.elementType, a.end == b.offset, start + UInt64(a.byteCount) == next,
      a.byteCount + b.byteCount <= Limits.segmentBytes, areSmall || a.byteCount > b.byteCount
    else { return nil }
    var joined = a
    joined.byteCount += b.byteCount
    return joined
  }

  /// Marks a segment where that pays; returns what it takes alone, and marked.
  private func find(_ segment: inout SegmentRange) throws(SwzipError) -> (alone: UInt64, size: UInt64?) {
    // Casts to a narrower type store next to nothing.
    guard !segment.refers || segment.isWidened else { return (0, nil) }
    let alone = try trial.sizeAlone(segment, in: source)
    guard DeltaKind(segment.elementType) != nil, segment.byteCount % segment.elementType.width == 0 else {
      for offset in try places.find(segment) where try isEqual(segment, at: offset) {
        segment.copyOf = .base(number: 0, offset: offset)
        return (alone, 0)
      }
      return (alone, nil)
    }
    var best: (size: UInt64, segment: SegmentRange)?
    for offset in try places.find(segment) {
      var candidate = segment
      candidate.castOf = nil
      candidate.deltaOf = SegmentRange.Delta(of: .base(number: 0, offset: offset))
      let size = try trial.byteCount(of: candidate, in: source, base: base).byteCount
      if size < best?.size ?? .max { best = (size, candidate) }
    }
    if var candidate = best?.segment, Prediction.scaled(by: 1).predicts(segment.elementType) {
      for factor in try factors(candidate) {
        candidate.deltaOf?.prediction = .scaled(by: factor)
        let size = try trial.byteCount(of: candidate, in: source, base: base).byteCount
        if size < best!.size { best = (size, candidate) }
      }
    }
    guard let best, best.size < alone else { return (alone, nil) }
    segment = best.segment
    return (alone, best.size)
  }

  /// What many values of a segment are multiples by of those that it differs from: weights and moments without a gradient
  /// only decay. Second moments lie above what is left of them: a low one of their ratios too.
  private func factors(_ segment: SegmentRange) throws(SwzipError) -> [Double] {
    guard case .base(_, let offset)? = segment.deltaOf?.references[0] else { return [] }
    let count = min(segment.byteCount / 4, Self.sampleValues)
    let last = segment.byteCount / 4 - count
    var (values, old): ([Float], [Float]) = ([], [])
    for part in 0..<Self.sampleParts {
      let skipped = UInt64(last * part / (Self.sampleParts - 1) * 4)
      values += try source.floats(at: segment.offset + skipped, count: count)
      old += try base.floats(at: offset + skipped, count: count)
    }
    let ratios = zip(values, old).map { Double($0) / Double($1) }.filter { 0.01 < $0 && $0 < 100 }.sorted()
    let share = max(ratios.count / 64, 8)
    guard ratios.count >= 4 * share else { return [] }
    let narrowest = (0..<(ratios.count - share)).min {
      ratios[$0 + share] - ratios[$0] < ratios[$1 + share] - ratios[$1]
    }!
    return [ratios[narrowest + share / 2], ratios[share]].filter { $0 != 1 }
  }

  private func isEqual(_ segment: SegmentRange, at offset: UInt64) throws(SwzipError) -> Bool {
    let (left, right) = (try Memory(segment.byteCount), try Memory(segment.byteCount))
    guard try unsafe source.read(at: segment.offset, into: left.bytes) == left.byteCount,
      try unsafe base.read(at: offset, into: right.bytes) == right.byteCount
    else { return false }
    return unsafe equalBytes(UnsafeRawBufferPointer(left.bytes), UnsafeRawBufferPointer(right.bytes))
  }
}
