internal import SwzipCore
internal import SwzipInputs

/// Marks the quants of a container that follow from a model in it, or in a base.
struct ReplayPlanner {
  let sources: MemberSources
  let trial: SegmentTrial

  /// Of each file those tensors that follow from one before them.
  func mark(_ members: inout [PlannedMember], _ rules: inout ReferenceRules) throws(SwzipError) {
    let files = members.indices.filter { members[$0].header.files == nil }
    guard files.contains(where: { members[$0].hasQuants }) else { return }
    var finder = try ReplayFinder { [sources] place throws(SwzipError) in
      try sources.source(Int(place.earlierMember!))
    }
    for number in files {
      for tensor in members[number].layout.tensors where tensor.elementType.isBlock {
        let source = try sources.source(number)
        let found = try finder.find(tensor, in: source) { rules.allows($0, of: number) }
        if let found { try take(found, of: number, source, &members, &rules) }
      }
      finder.add(members[number].layout.tensors) { .earlier(member: UInt64(number), offset: $0.offset) }
    }
  }

  /// Of a file those that follow from its bases, of what nothing else has found.
  func mark(_ layout: inout Layout, _ member: OpenMember, _ rules: ReferenceRules) throws(SwzipError) {
    guard layout.tensors.contains(where: { $0.elementType.isBlock }) else { return }
    var finder = try ReplayFinder { place throws(SwzipError) in member.base(of: place) }
    for (number, tensors) in member.baseTensors.enumerated().reversed() {
      finder.add(tensors) { .base(number: UInt64(number), offset: $0.offset) }
    }
    for tensor in layout.tensors where tensor.elementType.isBlock {
      let found = try finder.find(tensor, in: member.source) { rules.allows($0, of: member.number) }
      guard let found, let marked = layout.marked(found),
        try isSmaller(found, in: member.source, bases: member.bases)
      else { continue }
      layout = marked
    }
  }

  private func isSmaller(
    _ match: ReplayFinder.Match, in source: any RandomSource, bases: [any RandomSource] = []
  ) throws(SwzipError) -> Bool {
    let tensor = match.tensor
    let segment = match.segments(tensor.offset..<(tensor.offset + tensor.byteCount))[0]
    let size = try trial.byteCount(of: segment, in: source, bases: bases, files: sources).byteCount
    return try size < trial.byteCount(of: segment.derived(.plain), in: source).byteCount
  }

  /// Marks a tensor, and what is a copy of a part of it: what refers to it must not be a chain.
  private func take(
    _ match: ReplayFinder.Match, of number: Int, _ source: any RandomSource, _ members: inout [PlannedMember],
    _ rules: inout ReferenceRules
  ) throws(SwzipError) {
    let place = match.tensor.offset..<(match.tensor.offset + match.tensor.byteCount)
    guard let marked = members[number].layout.marked(match) else { return }
    var others: [(member: Int, segments: [SegmentRange])] = []
    for other in members.indices where other >= number {
      var changed = false
      var segments: [SegmentRange] = []
      for segment in other == number ? marked.segments : members[other].layout.segments {
        guard segment.ranges(in: number).contains(where: { $0.overlaps(place) }), !Self.isReplay(segment) else {
          segments.append(segment)
          continue
        }
        guard let parts = Self.parts(of: segment, copied: match, place) else { return }
        segments += parts
        changed = true
      }
      if changed || other == number { others.append((other, segments)) }
    }
    guard try isSmaller(match, in: source) else { return }
    for (member, segments) in others {
      members[member].layout.segments = segments
      for segment in segments { rules.add(segment, to: member) }
    }
  }

  /// A copy that overlaps the tensor at `place`, cut where that begins and ends; what lies in it follows from the same values.
  private static func parts(
    of segment: SegmentRange, copied match: ReplayFinder.Match, _ place: Range<UInt64>
  ) -> [SegmentRange]? {
    let width = UInt64(match.tensor.elementType.width)
    guard case .copy(let reference) = segment.derivation, segment.elementType == match.tensor.elementType else {
      return nil
    }
    let copied = reference.offset..<(reference.offset + UInt64(segment.byteCount))
    let inside = copied.clamped(to: place)
    guard (inside.lowerBound - copied.lowerBound) % width == 0, (inside.lowerBound - place.lowerBound) % width == 0,
      UInt64(inside.count) % width == 0
    else { return nil }
    func rest(_ range: Range<UInt64>) -> [SegmentRange] {
      guard !range.isEmpty else { return [] }
      var part = segment
      part.offset += range.lowerBound - copied.lowerBound
      part.byteCount = range.count
      part.derivation = segment.derivation.advanced(by: range.lowerBound - copied.lowerBound, segment.elementType)
      return [part]
    }
    return rest(copied.lowerBound..<inside.lowerBound)
      + match.segments(inside, at: segment.offset + (inside.lowerBound - copied.lowerBound))
      + rest(inside.upperBound..<copied.upperBound)
  }

  private static func isReplay(_ segment: SegmentRange) -> Bool {
    if case .replay = segment.derivation { true } else { false }
  }
}

extension PlannedMember {
  /// Whether it holds quants that may follow from a model.
  var hasQuants: Bool { layout.tensors.contains { ReplayKind($0.elementType, from: .bf16) != nil } }

  /// Members in an order in which a model precedes its quants: those behind all other files, and links last. The same where
  /// nothing is a model.
  static func quantsLast(_ members: [PlannedMember]) -> [PlannedMember] {
    let isQuant = members.map { $0.header.link == nil && $0.header.files == nil && $0.hasQuants }
    let isModel = zip(members, isQuant).contains { member, isQuant in
      !isQuant && member.layout.tensors.contains { ReplayKind(.q80, from: $0.elementType) != nil }
    }
    guard isModel, isQuant.contains(true) else { return members }
    let numbered = members.indices.sorted { a, b in
      func rank(_ index: Int) -> (Int, Int) { (members[index].header.link != nil ? 2 : isQuant[index] ? 1 : 0, index) }
      return rank(a) < rank(b)
    }
    return numbered.map { members[$0] }
  }
}
