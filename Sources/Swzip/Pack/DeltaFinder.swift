internal import SwzipCore
internal import SwzipInputs

/// Finds what of a file is smaller as differences to a base: tensors of the same name, type and size, or of another name and
/// like values. What a segment takes either way is measured on a block of it; names are hints only.
struct DeltaFinder {
  /// Segments that take less share a segment with their neighbours.
  private static let leastPackedBytes: UInt64 = 8192
  /// A base that saves less, one in so many bytes, is not worth being needed.
  private static let leastShare: UInt64 = 32
  /// Tensors of other names that are tried for one.
  private static let mostCandidates = 8

  private let source: any InputSource
  private let base: any InputSource
  private let trial: SegmentTrial
  /// Tensors of the base by name, by type, size and the hash of a sample, and by type and size.
  private let named: [String: TensorRecord]
  private let sampled: [Key: TensorRecord]
  private let alike: [Key: [TensorRecord]]
  private static let sampleBytes: UInt64 = 1024

  private struct Key: Hashable {
    let elementType: ElementType
    let byteCount: UInt64
    var sample: UInt64?

    init(_ tensor: TensorRecord) {
      elementType = tensor.elementType
      byteCount = tensor.byteCount
    }

    /// With a sample from the middle.
    init(_ tensor: TensorRecord, in source: any InputSource) throws(SwzipError) {
      self.init(tensor)
      let count = min(byteCount, DeltaFinder.sampleBytes)
      sample = xxh3(try source.bytes(at: tensor.offset + (byteCount - count) / 2, count: Int(count)))
    }
  }

  /// `tensors`: those of the base.
  init(
    _ source: any InputSource, base: any InputSource, tensors: [TensorRecord], effort: Effort
  ) throws(SwzipError) {
    self.source = source
    self.base = base
    trial = try SegmentTrial(effort)
    named = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
    alike = Dictionary(grouping: tensors) { Key($0) }
    var sampled: [Key: TensorRecord] = [:]
    for tensor in tensors { sampled[try Key(tensor, in: base)] = tensor }
    self.sampled = sampled
  }

  /// Marks segments as differences to base 0, or as equal to a range of it; neighbours of few differences are joined.
  func mark(_ layout: inout Layout) throws(SwzipError) {
    let tensors = layout.tensors.sorted { $0.offset < $1.offset }
    var segments: [SegmentRange] = []
    var packed: [UInt64] = []
    var (alone, saved): (UInt64, UInt64) = (0, 0)
    for segment in layout.segments {
      var segment = segment
      let found = try find(&segment, tensors)
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
    if saved * Self.leastShare > alone { layout.segments = segments }
  }

  /// One segment for two that follow each other here and in the base. The rows of the first go on through the second;
  /// those of the second count for less than sharing only if both are small.
  private static func joined(_ a: SegmentRange, _ b: SegmentRange, areSmall: Bool) -> SegmentRange? {
    guard case .base(let number, let start)? = a.deltaOf, case .base(number, let next)? = b.deltaOf,
      a.elementType == b.elementType, a.end == b.offset, start + UInt64(a.byteCount) == next,
      a.byteCount + b.byteCount <= Limits.segmentBytes, areSmall || a.byteCount > b.byteCount
    else { return nil }
    var joined = a
    joined.byteCount += b.byteCount
    return joined
  }

  /// Marks a segment where that pays; returns what it takes alone, and marked.
  private func find(
    _ segment: inout SegmentRange, _ tensors: [TensorRecord]
  ) throws(SwzipError) -> (alone: UInt64, size: UInt64?) {
    let alone: UInt64
    if let cast = segment.castOf {
      // Casts to a wider type store the lower halves; others next to nothing.
      guard cast.elementType.width < segment.elementType.width else { return (0, nil) }
      alone = UInt64(segment.byteCount / 2)
    } else {
      guard !segment.refers else { return (0, nil) }
      alone = try trial.byteCount(of: segment, in: source).byteCount
    }
    guard DeltaKind(segment.elementType) != nil, segment.byteCount % segment.elementType.width == 0 else {
      for offset in try places(segment, tensors) where try isEqual(segment, at: offset) {
        segment.copyOf = .base(number: 0, offset: offset)
        return (alone, 0)
      }
      return (alone, nil)
    }
    var best: (size: UInt64, segment: SegmentRange)?
    for offset in try places(segment, tensors) {
      var candidate = segment
      candidate.castOf = nil
      candidate.deltaOf = .base(number: 0, offset: offset)
      let size = try trial.byteCount(of: candidate, in: source, base: base).byteCount
      if size < best?.size ?? .max { best = (size, candidate) }
    }
    guard let best, best.size < alone else { return (alone, nil) }
    segment = best.segment
    return (alone, best.size)
  }

  /// Where in the base the bytes of a segment may be found: in the tensor of the same name; else in one of equal bytes, as
  /// far as a sample tells, and in those of type and size whose names end most alike; else at its own place.
  private func places(_ segment: SegmentRange, _ tensors: [TensorRecord]) throws(SwzipError) -> [UInt64] {
    var places: [UInt64] = []
    func add(_ tensor: TensorRecord, _ other: TensorRecord) {
      guard other.elementType == tensor.elementType, other.byteCount == tensor.byteCount else { return }
      let ahead = Int64(segment.offset) - Int64(tensor.offset)
      let (place, overflow) = Int64(other.offset).addingReportingOverflow(ahead)
      guard !overflow, place >= 0, !places.contains(UInt64(place)), fits(UInt64(place), segment) else { return }
      places.append(UInt64(place))
    }
    if let tensor = first(tensors, in: segment) {
      if let other = named[tensor.name] { add(tensor, other) }
      if places.isEmpty {
        if let other = sampled[try Key(tensor, in: source)] { add(tensor, other) }
        let others = alike[Key(tensor), default: []].map { ($0, Self.commonEnd($0.name, tensor.name)) }
        let nearest = others.sorted { ($0.1, $1.0.offset) > ($1.1, $0.0.offset) }.prefix(Self.mostCandidates)
        for (other, _) in nearest { add(tensor, other) }
      }
    }
    if places.isEmpty, fits(segment.offset, segment) { places.append(segment.offset) }
    return places
  }

  /// Characters that two names have in common at their ends.
  private static func commonEnd(_ a: String, _ b: String) -> Int {
    zip(a.utf8.reversed(), b.utf8.reversed()).prefix { $0 == $1 }.count
  }

  private func fits(_ offset: UInt64, _ segment: SegmentRange) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(segment.byteCount))
    return !overflow && end <= base.byteCount ?? 0
  }

  /// The first tensor that overlaps the segment. `tensors` ascend.
  private func first(_ tensors: [TensorRecord], in segment: SegmentRange) -> TensorRecord? {
    var (low, high) = (0, tensors.count)
    while low < high {
      let middle = (low + high) / 2
      if tensors[middle].offset + tensors[middle].byteCount <= segment.offset {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < tensors.count, tensors[low].offset < segment.end else { return nil }
    return tensors[low]
  }

  private func isEqual(_ segment: SegmentRange, at offset: UInt64) throws(SwzipError) -> Bool {
    let (left, right) = (try Memory(segment.byteCount), try Memory(segment.byteCount))
    guard try unsafe source.read(at: segment.offset, into: left.bytes) == left.byteCount,
      try unsafe base.read(at: offset, into: right.bytes) == right.byteCount
    else { return false }
    return unsafe equalBytes(UnsafeRawBufferPointer(left.bytes), UnsafeRawBufferPointer(right.bytes))
  }
}

extension PlannedMember {
  /// Marks what is smaller as differences to `base`, and names it in the header if anything is.
  mutating func refer(
    to base: PackBase, from source: any InputSource, _ options: PackOptions
  ) throws(SwzipError) {
    let original = try base.open()
    guard let byteCount = original.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
    let other = try Layouts.find(ForwardInput(original, sha256: false), byteCount: byteCount, format: options.format)
    let finder = try DeltaFinder(
      source, base: original, tensors: other.tensors, effort: Effort(level: options.level))
    try finder.mark(&layout)
    guard layout.segments.contains(where: { $0.refers && !$0.refersBack }) else {
      layout.warnings.append("nothing in it is like \(base.hint.printable); packed alone")
      return
    }
    let hint = String(base.hint.unicodeScalars.suffix(1024))
    // So that the container can be found as a base itself.
    header.storesSHA256 = true
    header.bases = [BaseRecord(sha256: try original.sha256(), byteCount: byteCount, hint: hint)]
    self.base = base
  }
}
