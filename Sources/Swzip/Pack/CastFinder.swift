internal import SwzipCore
internal import SwzipInputs

/// Finds tensors that an earlier tensor in another float type determines (spec/codecs/cast.md): bf16 or fp16 copies of an
/// fp32 master, upcasts, masters behind their copies. Candidates have as many values and agree in samples; then every
/// value is compared. Names are not trusted.
struct CastFinder {
  private static let leastValues: UInt64 = 4096
  private static let sampleValues = 1024
  /// Earlier tensors that are sampled for one.
  private static let mostCandidates = 16

  let sources: MemberSources
  private let scratch: EncodeScratch

  init(sources: MemberSources) throws(SwzipError) {
    self.sources = sources
    scratch = try EncodeScratch(blockValues: Limits.writtenBlockValues(width: 4))
  }

  private struct Piece {
    let member: Int
    let tensor: TensorRecord
    var count: UInt64 { tensor.byteCount / UInt64(tensor.elementType.width) }
  }

  /// Marks the segments that lie in such a tensor. `layouts`: of the members in container order, copies marked.
  func mark(_ layouts: inout [Layout]) throws(SwzipError) {
    var earlier: [UInt64: [Piece]] = [:]
    for member in layouts.indices {
      for tensor in layouts[member].tensors.sorted(by: { $0.offset < $1.offset }) {
        let piece = Piece(member: member, tensor: tensor)
        guard [.f32, .bf16, .f16].contains(tensor.elementType), piece.count >= Self.leastValues,
          isPlain(layouts[member], tensor)
        else { continue }
        if let (original, kind) = try find(piece, in: earlier[piece.count, default: []]) {
          Self.mark(&layouts[member], tensor, original, kind)
        } else {
          earlier[piece.count, default: []].append(piece)
        }
      }
    }
  }

  /// Whether no segment of the tensor refers to another.
  private func isPlain(_ layout: Layout, _ tensor: TensorRecord) -> Bool {
    segments(of: tensor, in: layout).allSatisfy { !layout.segments[$0].refers }
  }

  /// The segments that overlap the tensor.
  private func segments(of tensor: TensorRecord, in layout: Layout) -> Range<Int> {
    func first(endingBehind offset: UInt64) -> Int {
      var (low, high) = (0, layout.segments.count)
      while low < high {
        let middle = (low + high) / 2
        if layout.segments[middle].end <= offset { low = middle + 1 } else { high = middle }
      }
      return low
    }
    let start = first(endingBehind: tensor.offset)
    return start..<max(start, min(layout.segments.count, first(endingBehind: tensor.offset + tensor.byteCount - 1) + 1))
  }

  private func find(_ piece: Piece, in earlier: [Piece]) throws(SwzipError) -> (Piece, CastKind)? {
    var tried = 0
    // The nearest first: a copy follows its master.
    for other in earlier.reversed() {
      guard let kind = CastKind(piece.tensor.elementType, from: other.tensor.elementType),
        other.member < piece.member || other.tensor.offset + other.tensor.byteCount <= piece.tensor.offset
      else { continue }
      tried += 1
      if try agrees(piece, other, kind) { return (other, kind) }
      if tried == Self.mostCandidates { break }
    }
    return nil
  }

  /// Samples first, then all values: at most one in 256 may differ.
  private func agrees(_ piece: Piece, _ other: Piece, _ kind: CastKind) throws(SwzipError) -> Bool {
    let last = piece.count - min(piece.count, UInt64(Self.sampleValues))
    for start in [0, last / 2, last] where try misses(piece, other, kind, from: start, Self.sampleValues) > 4 {
      return false
    }
    var total: UInt64 = 0
    let step = Limits.writtenBlockValues(width: 4)
    for start in stride(from: 0, to: piece.count, by: step) {
      total += UInt64(try misses(piece, other, kind, from: start, step))
      if total > piece.count / 256 { return false }
    }
    return true
  }

  private func misses(
    _ piece: Piece, _ other: Piece, _ kind: CastKind, from start: UInt64, _ most: Int
  ) throws(SwzipError) -> Int {
    let count = Int(min(UInt64(most), piece.count - start))
    func bytes(_ piece: Piece) throws(SwzipError) -> [UInt8] {
      let width = piece.tensor.elementType.width
      return try sources.source(piece.member).bytes(
        at: piece.tensor.offset + start * UInt64(width), count: count * width)
    }
    let (values, reference) = (try bytes(piece), try bytes(other))
    return unsafe values.withUnsafeBytes { values in
      unsafe reference.withUnsafeBytes { unsafe kind.misses(values, $0, scratch: scratch) }
    }
  }

  /// Marks the segments that lie in `tensor`.
  private static func mark(_ layout: inout Layout, _ tensor: TensorRecord, _ original: Piece, _ kind: CastKind) {
    let width = UInt64(tensor.elementType.width)
    for index in layout.segments.indices {
      let segment = layout.segments[index]
      guard segment.offset >= tensor.offset, segment.end <= tensor.offset + tensor.byteCount,
        segment.elementType == tensor.elementType, (segment.offset - tensor.offset) % width == 0
      else { continue }
      let offset = original.tensor.offset + (segment.offset - tensor.offset) / width * UInt64(kind.reference.width)
      layout.segments[index].castOf = SegmentRange.Cast(
        member: UInt64(original.member), offset: offset, elementType: kind.reference)
    }
  }
}
