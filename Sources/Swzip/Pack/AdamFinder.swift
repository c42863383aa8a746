internal import SwzipCore
internal import SwzipInputs

/// Finds what of a file follows from one step of Adam (spec/codecs/delta.md, P 2 and P 3): second moments, F32 weights, and
/// the BF16 copies of those, given the first moments of the file and all three of one base. Which tensors belong together
/// is told by size, by names that are alike, and by whether samples obey the algebra; what a segment takes is measured.
struct AdamFinder {
  /// First moments that are tried for a tensor.
  private static let mostCandidates = 8
  private static let sampleValues = 256
  private static let fitValues = 4096
  private static let decays = [0.9, 0.95, 0.8, 0.85, 0.98, 0.99, 0.5, 0].flatMap { beta1 in
    [0.999, 0.95, 0.98, 0.99, 0.995, 0.9, 0.9999].map { Prediction.MomentDecay(beta1: beta1, beta2: $0) }
  }

  let member: OpenMember
  let places: BasePlaces

  /// An F32 segment that has a counterpart in the base.
  private struct Piece {
    let index: Int
    let range: SegmentRange
    let name: String
    /// Of the segment in its tensor.
    let ahead: UInt64
    let counterpart: Reference
    var count: Int { range.byteCount / 4 }
  }

  /// The moments of a weight.
  private struct Moments {
    let first, second: Piece
    let decay: Prediction.MomentDecay
  }

  /// Marks the segments of the file. `others`: ranges of it that other members refer to; `rules` know the file.
  func mark(_ layout: inout Layout, others: [Range<UInt64>], _ rules: inout ReferenceRules) throws(SwzipError) {
    let segments = layout.segments
    var pieces: [Piece] = []
    for (index, range) in segments.enumerated()
    where range.elementType == .f32 && (!range.refersBack || range.isWidened) {
      guard range.byteCount % 4 == 0, let tensor = places.tensor(in: range), tensor.offset <= range.offset,
        let counterpart = try places.find(range).first
      else { continue }
      let ahead = range.offset - tensor.offset
      pieces.append(Piece(index: index, range: range, name: tensor.name, ahead: ahead, counterpart: counterpart))
    }
    let moments = try findMoments(pieces)
    guard !moments.isEmpty else { return }
    // What a copy or another member reads must not need earlier ranges itself.
    let copied = segments.flatMap { Self.followsWeights($0) ? [] : $0.ranges(in: member.number) }
    let fixed = RangeList(others + copied)
    for found in moments where !fixed.overlaps(found.second.range.place) {
      try take(&layout, found.second, delta(.secondMoment(found.decay), found))
    }
    var weights: [Int: SegmentRange] = [:]
    var known: [Prediction.WeightStep] = []
    let seconds = Set(moments.map(\.second.index))
    for piece in pieces where !seconds.contains(piece.index) && !fixed.overlaps(piece.range.place) {
      guard let delta = try weight(piece, moments, &known), try take(&layout, piece, delta) else { continue }
      weights[piece.index] = layout.segments[piece.index]
    }
    followWeights(&layout, weights)
    var found = rules
    for segment in layout.segments { found.add(segment, to: member.number) }
    if layout.segments.allSatisfy({ found.allows($0, of: member.number) }) {
      rules = found
    } else {
      layout.segments = segments
    }
  }

  /// Marks a segment if that is smaller.
  @discardableResult
  private func take(_ layout: inout Layout, _ piece: Piece, _ delta: Derivation) throws(SwzipError) -> Bool {
    let marked = piece.range.derived(delta)
    let before = try member.byteCountAlone(of: layout.segments[piece.index])
    guard try member.byteCount(of: marked) < before else { return false }
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
      try member.source.floats(at: piece.range.offset + skipped, count: count),
      try member.base(of: piece.counterpart).floats(at: piece.counterpart.offset + skipped, count: count)
    )
  }

  // MARK: weights

  /// How a piece follows from the moments that are most likely its own, if it does. `known`: constants of other weights.
  private func weight(
    _ piece: Piece, _ moments: [Moments], _ known: inout [Prediction.WeightStep]
  ) throws(SwzipError) -> Derivation? {
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
      return delta(.weight(found.decay, step), found, [piece.counterpart])
    }
    return nil
  }

  /// What refers to the moments of a weight, and to `others`.
  private func delta(_ prediction: Prediction, _ moments: Moments, _ others: [Reference] = []) -> Derivation {
    let first = Reference.earlier(member: UInt64(member.number), offset: moments.first.range.offset)
    return .delta(prediction, [first, moments.first.counterpart, moments.second.counterpart] + others)
  }

  /// Whether a segment is a BF16 cast.
  private static func followsWeights(_ segment: SegmentRange) -> Bool {
    if case .cast = segment.derivation { segment.elementType == .bf16 } else { false }
  }

  /// BF16 casts of marked weights become deltas of the same constants: a cast may not refer to what refers back.
  private func followWeights(_ layout: inout Layout, _ weights: [Int: SegmentRange]) {
    let marked = weights.values.sorted { $0.offset < $1.offset }
    for index in layout.segments.indices {
      let segment = layout.segments[index]
      guard Self.followsWeights(segment), let cast = segment.ranges(in: member.number).first,
        let weight = marked.first(where: { $0.place.contains(cast.lowerBound) })
      else { continue }
      layout.segments[index].derivation = weight.derivation.advanced(by: cast.lowerBound - weight.offset, .f32)
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
}
