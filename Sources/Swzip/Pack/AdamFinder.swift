internal import SwzipCore
internal import SwzipInputs

/// Finds what of a file follows from one step of Adam (spec/codecs/delta.md, P 2 and P 3): second moments, F32 weights, and
/// the BF16 copies of those, given the first moments of the file and all three of the base. Which tensors belong together
/// is told by size, by names that are alike, and by whether samples obey the algebra; what a segment takes is measured.
struct AdamFinder {
  /// First moments that are tried for a tensor.
  private static let mostCandidates = 8
  private static let sampleValues = 256
  private static let fitValues = 4096
  private static let decays = [0.9, 0.95, 0.8, 0.85, 0.98, 0.99, 0.5, 0].flatMap { beta1 in
    [0.999, 0.95, 0.98, 0.99, 0.995, 0.9, 0.9999].map { Prediction.MomentDecay(beta1: beta1, beta2: $0) }
  }

  private let source: any RandomSource
  private let number: UInt64
  private let base: any RandomSource
  private let places: BasePlaces
  private let trial: SegmentTrial

  /// `number`: of the file in the container.
  init(
    _ source: any RandomSource, number: Int, base: any RandomSource, _ places: BasePlaces, effort: Effort
  ) throws(SwzipError) {
    self.source = source
    self.number = UInt64(number)
    self.base = base
    self.places = places
    trial = try SegmentTrial(effort)
  }

  /// An F32 segment that has a counterpart in the base.
  private struct Piece {
    let index: Int
    let range: SegmentRange
    let name: String
    /// Of the segment in its tensor.
    let ahead: UInt64
    /// Of the counterpart.
    let place: UInt64
    var count: Int { range.byteCount / 4 }
  }

  /// The moments of a weight.
  private struct Moments {
    let first, second: Piece
    let decay: Prediction.MomentDecay
  }

  /// Marks the segments of the file. `others`: ranges of it that other members refer to.
  func mark(_ layout: inout Layout, others: [Range<UInt64>]) throws(SwzipError) {
    let segments = layout.segments
    var pieces: [Piece] = []
    for (index, range) in segments.enumerated()
    where range.elementType == .f32 && (!range.refersBack || range.isWidened) {
      guard range.byteCount % 4 == 0, let tensor = places.tensor(in: range), tensor.offset <= range.offset,
        let place = try places.find(range).first
      else { continue }
      pieces.append(
        Piece(index: index, range: range, name: tensor.name, ahead: range.offset - tensor.offset, place: place))
    }
    let moments = try findMoments(pieces)
    guard !moments.isEmpty else { return }
    // What a copy or another member reads must not need earlier ranges itself.
    let copied = segments.flatMap { $0.castOf != nil && $0.elementType == .bf16 ? [] : $0.ranges(in: Int(number)) }
    let fixed = RangeList(others + copied)
    for found in moments where !fixed.overlaps(found.second.range) {
      try take(&layout, found.second, delta(.secondMoment(found.decay), found))
    }
    var weights: [Int: SegmentRange] = [:]
    var known: [Prediction.WeightStep] = []
    let seconds = Set(moments.map(\.second.index))
    for piece in pieces where !seconds.contains(piece.index) && !fixed.overlaps(piece.range) {
      guard let delta = try weight(piece, moments, &known), try take(&layout, piece, delta) else { continue }
      weights[piece.index] = layout.segments[piece.index]
    }
    followWeights(&layout, weights)
    if !Self.isAllowed(layout, number) { layout.segments = segments }
  }

  /// Marks a segment if that is smaller.
  @discardableResult
  private func take(_ layout: inout Layout, _ piece: Piece, _ delta: SegmentRange.Delta) throws(SwzipError) -> Bool {
    var marked = piece.range
    marked.castOf = nil
    marked.deltaOf = delta
    let before = try trial.sizeAlone(layout.segments[piece.index], in: source)
    guard try trial.byteCount(of: marked, in: source, base: base).byteCount < before else { return false }
    layout.segments[piece.index] = marked
    return true
  }

  // MARK: moments

  /// The second moments among the pieces, each with the first ones of the same weights.
  private func findMoments(_ pieces: [Piece]) throws(SwzipError) -> [Moments] {
    var found: [Moments] = []
    var earlier: [Int: [Piece]] = [:]
    for piece in pieces {
      let values = try sample(piece, Self.sampleValues)
      if values.new.allSatisfy({ $0.sign == .plus }), values.new.contains(where: { $0 > 0 }) {
        let candidates = Self.nearest(earlier[piece.range.byteCount, default: []], to: piece) { $0 }
        for first in candidates {
          let moments = try sample(first, Self.sampleValues)
          guard let decay = Self.decay(moments, values) else { continue }
          found.append(Moments(first: first, second: piece, decay: decay))
          break
        }
      } else if !piece.range.refersBack {
        earlier[piece.range.byteCount, default: []].append(piece)
      }
    }
    return found
  }

  /// The constants by which second moments follow from first ones, if any do in most of a sample.
  private static func decay(
    _ first: (new: [Float], old: [Float]), _ second: (new: [Float], old: [Float])
  ) -> Prediction.MomentDecay? {
    var best: (misses: Int, decay: Prediction.MomentDecay)?
    for decay in decays {
      let predicted = Prediction.secondMoment(decay).predict([first.new, first.old, second.old])
      let distances = zip(predicted, second.new).map { AdamFit.distance($0, $1) }
      guard distances.count(where: { $0 <= 16 }) * 4 > 3 * distances.count else { continue }
      let misses = distances.count { $0 > 0 }
      if misses < best?.misses ?? .max { best = (misses, decay) }
    }
    return best?.decay
  }

  /// As many values from the middle of a piece and of its counterpart.
  private func sample(_ piece: Piece, _ count: Int) throws(SwzipError) -> (new: [Float], old: [Float]) {
    let count = min(count, piece.count)
    let skipped = UInt64((piece.count - count) / 2 * 4)
    return (
      try source.floats(at: piece.range.offset + skipped, count: count),
      try base.floats(at: piece.place + skipped, count: count)
    )
  }

  // MARK: weights

  /// How a piece follows from the moments that are most likely its own, if it does. `known`: constants of other weights.
  private func weight(
    _ piece: Piece, _ moments: [Moments], _ known: inout [Prediction.WeightStep]
  ) throws(SwzipError) -> SegmentRange.Delta? {
    let candidates = moments.filter {
      $0.first.index < piece.index && $0.first.range.byteCount == piece.range.byteCount
    }
    for found in Self.nearest(candidates, to: piece, by: \.first) {
      let (first, second) = (try sample(found.first, Self.fitValues), try sample(found.second, Self.fitValues))
      let weights = try sample(piece, Self.fitValues)
      let sample = AdamFit.Sample(
        first: first.new, firstBefore: first.old, secondBefore: second.old, weights: weights.new,
        weightsBefore: weights.old)
      // Most weights of a file have the same constants.
      let step =
        known.first { sample.misses(found.decay, $0) * 32 < sample.weights.count } ?? AdamFit.step(found.decay, sample)
      guard let step else { continue }
      if !known.contains(step) { known.append(step) }
      var delta = delta(.weight(found.decay, step), found)
      delta.references.append(.base(number: 0, offset: piece.place))
      return delta
    }
    return nil
  }

  /// What refers to the moments of a weight.
  private func delta(_ prediction: Prediction, _ moments: Moments) -> SegmentRange.Delta {
    SegmentRange.Delta(
      prediction,
      [
        .earlier(member: number, offset: moments.first.range.offset), .base(number: 0, offset: moments.first.place),
        .base(number: 0, offset: moments.second.place),
      ])
  }

  /// BF16 casts of marked weights become deltas of the same constants: a cast may not refer to what refers back.
  private func followWeights(_ layout: inout Layout, _ weights: [Int: SegmentRange]) {
    let marked = weights.values.sorted { $0.offset < $1.offset }
    for index in layout.segments.indices {
      let segment = layout.segments[index]
      guard let cast = segment.castOf, segment.elementType == .bf16, cast.member == number,
        let source = marked.first(where: { $0.offset <= cast.offset && cast.offset < $0.end }),
        let delta = source.deltaOf
      else { continue }
      layout.segments[index].castOf = nil
      layout.segments[index].deltaOf = delta.advanced(by: cast.offset - source.offset, elementType: .f32)
    }
  }

  // MARK: what belongs together

  /// The candidates whose pieces lie in their tensors as `piece` in its own, those with the most alike names first.
  private static func nearest<Candidate>(
    _ candidates: [Candidate], to piece: Piece, by key: (Candidate) -> Piece
  ) -> [Candidate] {
    let alike = candidates.filter { key($0).ahead == piece.ahead }
      .map { ($0, likeness(key($0).name, piece.name)) }
    return alike.sorted { ($0.1, key($0.0).index) > ($1.1, key($1.0).index) }.prefix(mostCandidates).map(\.0)
  }

  /// Characters that two names have in common at their ends and beginnings.
  private static func likeness(_ a: String, _ b: String) -> Int {
    zip(a.utf8, b.utf8).prefix { $0 == $1 }.count + zip(a.utf8.reversed(), b.utf8.reversed()).prefix { $0 == $1 }.count
  }

  /// Whether no range that a segment refers to holds bytes of a segment that refers back itself (spec/FORMAT.md, 4.2).
  private static func isAllowed(_ layout: Layout, _ number: UInt64) -> Bool {
    let back = RangeList(layout.segments.filter(\.refersBack).map { $0.offset..<$0.end })
    return layout.segments.allSatisfy { segment in
      segment.ranges(in: Int(number)).allSatisfy { !back.overlaps($0) && $0.upperBound <= segment.offset }
    }
  }
}

/// Ranges, to be asked for what overlaps them.
private struct RangeList {
  /// Ascending; those that meet are one.
  private var ranges: [Range<UInt64>] = []

  init(_ ranges: [Range<UInt64>]) {
    for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) where !range.isEmpty {
      if let last = self.ranges.last, last.upperBound >= range.lowerBound {
        self.ranges[self.ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  func overlaps(_ range: Range<UInt64>) -> Bool {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].overlaps(range)
  }

  func overlaps(_ segment: SegmentRange) -> Bool { overlaps(segment.offset..<segment.end) }
}
