internal import SwzipCore
internal import SwzipInputs

/// Finds quants of which the values that they were made of are at hand (spec/codecs/replay.md): in an earlier file of the
/// container, or in a base. Names are hints; whether codes follow from values is seen in samples, and what a segment takes is
/// measured.
struct ReplayFinder {
  private static let leastBytes: UInt64 = 16_384
  /// Tensors of other names that are sampled for one.
  private static let mostCandidates = 16
  private static let samples: UInt64 = 3
  /// Elements of a sample.
  private static let sampleElements = 4096

  /// Opens what a reference names.
  let open: (Reference) throws(SwzipError) -> any RandomSource
  private let scratch: EncodeScratch
  private var named: [String: [Original]] = [:]
  private var sized: [UInt64: [Original]] = [:]

  /// Values that quants may have been made of.
  fileprivate struct Original {
    let tensor: TensorRecord
    /// Where it begins.
    let place: Reference
  }

  /// A quant's tensor, and what it was made of.
  struct Match {
    let tensor: TensorRecord
    let kind: ReplayKind
    fileprivate let original: Original

    /// The derivation of what lies `byteCount` bytes from its start on.
    func derivation(_ byteCount: UInt64) -> Derivation {
      Derivation.replay(original.place, from: kind.source).advanced(by: byteCount, tensor.elementType)
    }
  }

  init(open: @escaping (Reference) throws(SwzipError) -> any RandomSource) throws(SwzipError) {
    self.open = open
    scratch = try EncodeScratch()
  }

  /// Tells of tensors that begin at `place` of each; those told first are tried last.
  mutating func add(_ tensors: [TensorRecord], at place: (TensorRecord) -> Reference) {
    for tensor in tensors where [.f32, .bf16, .f16].contains(tensor.elementType) {
      let original = Original(tensor: tensor, place: place(tensor))
      named[ModelNames.common(tensor.name), default: []].append(original)
      sized[Self.elements(tensor), default: []].append(original)
    }
  }

  /// What a tensor follows from. `isAllowed`: of a segment that refers to it.
  func find(
    _ tensor: TensorRecord, in source: any RandomSource, isAllowed: (SegmentRange) -> Bool
  ) throws(SwzipError) -> Match? {
    guard tensor.elementType.isBlock, tensor.byteCount >= Self.leastBytes else { return nil }
    let count = Self.elements(tensor)
    let called = named[ModelNames.common(tensor.name), default: []].filter { Self.elements($0.tensor) == count }
    let others = sized[count, default: []].suffix(Self.mostCandidates)
    for original in called.reversed() + others.reversed() {
      guard let kind = ReplayKind(tensor.elementType, from: original.tensor.elementType) else { continue }
      let match = Match(tensor: tensor, kind: kind, original: original)
      var whole = SegmentRange(
        offset: tensor.offset, byteCount: Int(tensor.byteCount), elementType: tensor.elementType)
      whole.derivation = match.derivation(0)
      if isAllowed(whole), try agrees(match, source) { return match }
    }
    return nil
  }

  private static func elements(_ tensor: TensorRecord) -> UInt64 {
    tensor.byteCount / UInt64(tensor.elementType.width) * UInt64(tensor.elementType.elementsPerValue)
  }

  /// Whether codes of samples follow from the values, but for one in sixteen.
  private func agrees(_ match: Match, _ source: any RandomSource) throws(SwzipError) -> Bool {
    let (width, wide) = (UInt64(match.tensor.elementType.width), UInt64(match.kind.referenceWidth))
    let values = match.tensor.byteCount / width
    let count = min(values, UInt64(Self.sampleElements / match.tensor.elementType.elementsPerValue))
    let reference = try open(match.original.place)
    for sample in 0..<Self.samples {
      let first = (values - count) * sample / (Self.samples - 1)
      let blocks = try source.bytes(at: match.tensor.offset + first * width, count: Int(count * width))
      let made = try reference.bytes(at: match.original.place.offset + first * wide, count: Int(count * wide))
      let misses = unsafe blocks.withUnsafeBytes { blocks in
        unsafe made.withUnsafeBytes { unsafe match.kind.misses(blocks, $0, scratch: scratch) }
      }
      guard misses <= Self.sampleElements / 16 else { return false }
    }
    return true
  }
}

extension Layout {
  /// Cuts the segments of a tensor out, so that they are its alone, and marks them. Nil where they cannot be.
  func marked(_ match: ReplayFinder.Match) -> Layout? {
    let (tensor, width) = (match.tensor, UInt64(match.tensor.elementType.width))
    let end = tensor.offset + tensor.byteCount
    let first = segments.partitioningIndex { $0.end > tensor.offset }
    let last = segments.partitioningIndex { $0.offset >= end }
    guard first < last, segments[first].offset <= tensor.offset, segments[last - 1].end >= end,
      segments[first..<last].allSatisfy({ $0.elementType == tensor.elementType && $0.derivation == .plain })
    else { return nil }
    func part(_ segment: SegmentRange, _ start: UInt64, _ end: UInt64) -> [SegmentRange]? {
      guard start < end else { return [] }
      guard (start - segment.offset) % width == 0, (end - start) % width == 0 else { return nil }
      return [
        SegmentRange(
          offset: start, byteCount: Int(end - start), elementType: segment.elementType, rowLength: segment.rowLength)
      ]
    }
    guard let before = part(segments[first], segments[first].offset, tensor.offset),
      let after = part(segments[last - 1], end, segments[last - 1].end)
    else { return nil }
    var layout = self
    layout.segments.replaceSubrange(first..<last, with: before + match.segments(tensor.offset..<end) + after)
    return layout
  }
}

extension ReplayFinder.Match {
  /// Segments of a range of the tensor, or of its copy at `place`: equal shares for which the values fit one segment.
  func segments(_ range: Range<UInt64>, at place: UInt64? = nil) -> [SegmentRange] {
    let width = UInt64(tensor.elementType.width)
    let values = UInt64(range.count) / width
    let most = UInt64(Limits.segmentBytes / kind.referenceWidth)
    let shares = (values + most - 1) / most
    let share = (values + shares - 1) / shares * width
    return stride(from: range.lowerBound, to: range.upperBound, by: Int(share)).map { start in
      var segment = SegmentRange(
        offset: start - range.lowerBound + (place ?? range.lowerBound),
        byteCount: Int(min(share, range.upperBound - start)), elementType: tensor.elementType)
      segment.derivation = derivation(start - tensor.offset)
      return segment
    }
  }
}
