internal import SwzipCore
internal import SwzipInputs

/// Finds what a container would hold twice: tied weights, duplicated layers, shards and files. Candidates have equal
/// length and equal samples; then every byte is compared.
struct CopyFinder {
  private static let leastFileBytes = UInt64(sampleBytes)
  private static let leastPieceBytes: UInt64 = 8192
  private static let sampleBytes = 4096
  /// Different pieces of one length with equal samples: a file made of nothing else must not cost a comparison of each
  /// with each.
  private static let mostAlike = 8

  let sources: MemberSources

  /// A range of a member that may equal another.
  private struct Piece {
    let member: Int
    let offset, byteCount: UInt64
    var end: UInt64 { offset + byteCount }
  }

  private struct Match {
    let copy, original: Piece
  }

  /// Marks the segments that lie in a copied tensor or file, or are copies themselves. `members`: in container order, of
  /// known length; `rules` are told of them.
  func mark(_ members: inout [PlannedMember], _ rules: inout ReferenceRules) throws(SwzipError) {
    var matches = members.map { _ in [Match]() }
    let single = members.indices.filter { members[$0].header.files == nil }
    if members.count > 1 {
      let files = single.map { Piece(member: $0, offset: 0, byteCount: members[$0].layout.segments.last?.end ?? 0) }
      for match in try find(files.filter { $0.byteCount >= Self.leastFileBytes }) {
        matches[match.copy.member] = [match]
      }
    }
    let others = single.filter { matches[$0].isEmpty }
    let parts = others.flatMap { pieces(of: members[$0].layout, $0, isAlone: members.count == 1) }
    for match in try find(parts) { matches[match.copy.member].append(match) }
    for member in members.indices {
      rules.beginMember(members[member].header)
      Self.mark(&members, member, matches[member].sorted { $0.copy.offset < $1.copy.offset }, &rules)
    }
  }

  /// Those of the files `numbers` that equal others of them.
  func equalFiles(_ numbers: [Int], _ headers: [MemberHeader]) throws(SwzipError) -> Set<Int> {
    let files = numbers.map { Piece(member: $0, offset: 0, byteCount: headers[$0].byteCount ?? 0) }
    return Set(try find(files).flatMap { [$0.copy.member, $0.original.member] })
  }

  /// Large tensors; of a file without tensors the segments, unless it is alone.
  private func pieces(of layout: Layout, _ member: Int, isAlone: Bool) -> [Piece] {
    let ranges =
      layout.tensors.isEmpty && !isAlone
      ? layout.segments.map { Piece(member: member, offset: $0.offset, byteCount: UInt64($0.byteCount)) }
      : Self.disjoint(layout.tensors).map { Piece(member: member, offset: $0.offset, byteCount: $0.byteCount) }
    return ranges.filter { $0.byteCount >= Self.leastPieceBytes }
  }

  /// Tensors in order that have bytes and share none; of those that begin together the largest.
  private static func disjoint(_ tensors: [TensorRecord]) -> [TensorRecord] {
    var end: UInt64 = 0
    return tensors.sorted { ($0.offset, $1.byteCount) < ($1.offset, $0.byteCount) }.filter { tensor in
      guard tensor.byteCount > 0, tensor.offset >= end else { return false }
      end = tensor.offset + tensor.byteCount
      return true
    }
  }

  /// Pieces that equal an earlier one that equals none before it.
  private func find(_ pieces: [Piece]) throws(SwzipError) -> [Match] {
    var matches: [Match] = []
    for group in Dictionary(grouping: pieces, by: \.byteCount).values where group.count > 1 {
      var originals: [[UInt64]: [Piece]] = [:]
      for piece in group.sorted(by: { ($0.member, $0.offset) < ($1.member, $1.offset) }) {
        let key = try fingerprint(piece)
        var original: Piece?
        for other in originals[key, default: []] where try equal(other, piece) {
          original = other
          break
        }
        if let original {
          matches.append(Match(copy: piece, original: original))
        } else if originals[key, default: []].count < Self.mostAlike {
          originals[key, default: []].append(piece)
        }
      }
    }
    return matches
  }

  // MARK: marking

  /// `matches`: of this member, by offset. The members before are marked.
  private static func mark(
    _ members: inout [PlannedMember], _ member: Int, _ matches: [Match], _ rules: inout ReferenceRules
  ) {
    var rest = matches[...]
    for index in members[member].layout.segments.indices {
      var segment = members[member].layout.segments[index]
      while let first = rest.first, first.copy.end <= segment.offset { rest.removeFirst() }
      if let match = rest.first, match.copy.offset <= segment.offset, segment.end <= match.copy.end {
        let offset = match.original.offset + (segment.offset - match.copy.offset)
        let copies = Self.copies(of: segment, offset, in: match.original.member, members)
        if let copy = copies.first(where: { rules.allows($0, of: member) }) { segment = copy }
        members[member].layout.segments[index] = segment
      }
      rules.add(segment, to: member)
    }
  }

  /// A segment as a copy of equal bytes; where those are copies themselves, of what they are copies of.
  private static func copies(
    of segment: SegmentRange, _ offset: UInt64, in original: Int, _ members: [PlannedMember]
  ) -> [SegmentRange] {
    let copy = segment.derived(.copy(.earlier(member: UInt64(original), offset: offset)))
    let segments = members[original].layout.segments
    guard let first = segments[segments.partitioningIndex { $0.end > offset }...].first,
      case .copy = first.derivation, offset + UInt64(segment.byteCount) <= first.end
    else { return [copy] }
    return [copy, segment.derived(first.derivation.advanced(by: offset - first.offset, .bytes))]
  }

  // MARK: comparing

  /// Hashes of three samples.
  private func fingerprint(_ piece: Piece) throws(SwzipError) -> [UInt64] {
    let source = try sources.source(piece.member)
    var hashes: [UInt64] = []
    for place in [0, piece.byteCount / 2, piece.byteCount - UInt64(Self.sampleBytes)] {
      let count = min(UInt64(Self.sampleBytes), piece.byteCount - place)
      hashes.append(xxh3(try source.bytes(at: piece.offset + place, count: Int(count))))
    }
    return hashes
  }

  private func equal(_ a: Piece, _ b: Piece) throws(SwzipError) -> Bool {
    guard a.member != b.member || a.offset != b.offset else { return false }
    let (first, second) = (try sources.source(a.member), try sources.source(b.member))
    let (left, right) = (try Memory(1 << 20), try Memory(1 << 20))
    var done: UInt64 = 0
    while done < a.byteCount {
      let count = Int(min(1 << 20, a.byteCount - done))
      guard try unsafe first.read(at: a.offset + done, into: .init(rebasing: left.bytes[..<count])) == count,
        try unsafe second.read(at: b.offset + done, into: .init(rebasing: right.bytes[..<count])) == count,
        unsafe equalBytes(left.prefix(count), right.prefix(count))
      else { return false }
      done += UInt64(count)
    }
    return true
  }
}
