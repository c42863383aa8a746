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
    var place: Range<UInt64> { tensor.offset..<(tensor.offset + tensor.byteCount) }
  }

  /// Marks the segments that lie in such a tensor. `members`: in container order, copies marked; `rules` know them.
  func mark(_ members: inout [PlannedMember], _ rules: inout ReferenceRules) throws(SwzipError) {
    var earlier: [UInt64: [Piece]] = [:]
    for member in members.indices where members[member].header.files == nil {
      for tensor in members[member].layout.tensors.sorted(by: { $0.offset < $1.offset }) {
        let piece = Piece(member: member, tensor: tensor)
        guard [.f32, .bf16, .f16].contains(tensor.elementType), piece.count >= Self.leastValues,
          rules.standsAlone(piece.place, of: member)
        else { continue }
        if let (original, kind) = try find(piece, in: earlier[piece.count, default: []], rules) {
          for index in Self.mark(&members[member].layout, tensor, original, kind) {
            rules.add(members[member].layout.segments[index], to: member)
          }
        } else {
          earlier[piece.count, default: []].append(piece)
        }
      }
    }
  }

  private func find(
    _ piece: Piece, in earlier: [Piece], _ rules: ReferenceRules
  ) throws(SwzipError) -> (Piece, CastKind)? {
    let tensor = SegmentRange(
      offset: piece.tensor.offset, byteCount: Int(piece.tensor.byteCount), elementType: piece.tensor.elementType)
    var tried = 0
    // The nearest first: a copy follows its master.
    for other in earlier.reversed() {
      guard let kind = CastKind(piece.tensor.elementType, from: other.tensor.elementType),
        rules.allows(tensor.derived(Self.cast(of: other, 0, kind)), of: piece.member)
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

  /// Marks the segments that lie in `tensor`; returns their numbers.
  private static func mark(
    _ layout: inout Layout, _ tensor: TensorRecord, _ original: Piece, _ kind: CastKind
  ) -> [Int] {
    let (width, end) = (UInt64(tensor.elementType.width), tensor.offset + tensor.byteCount)
    let first = layout.segments.partitioningIndex { $0.offset >= tensor.offset }
    let inside = layout.segments[first...].partitioningIndex { $0.end > end }
    let marked = (first..<inside).filter {
      layout.segments[$0].elementType == tensor.elementType
        && (layout.segments[$0].offset - tensor.offset) % width == 0
    }
    for index in marked {
      layout.segments[index].derivation = cast(
        of: original, (layout.segments[index].offset - tensor.offset) / width, kind)
    }
    return marked
  }

  /// From value `start` on.
  private static func cast(of original: Piece, _ start: UInt64, _ kind: CastKind) -> Derivation {
    let offset = original.tensor.offset + start * UInt64(kind.reference.width)
    return .cast(.earlier(member: UInt64(original.member), offset: offset), from: kind.reference)
  }
}
