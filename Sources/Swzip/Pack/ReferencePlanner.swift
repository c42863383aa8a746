internal import SwzipCore
internal import SwzipInputs

/// Finds what the segments of a container follow from, in this order: equal ranges, casts, and quants of earlier ones; of a
/// member with bases then steps of Adam, differences, and quants, where they take less.
struct ReferencePlanner {
  let sources: MemberSources
  let options: PackOptions

  /// Marks the segments of all `members`.
  func mark(_ members: inout [PlannedMember]) throws(SwzipError) {
    var rules = ReferenceRules()
    try CopyFinder(sources: sources).mark(&members, &rules)
    try CastFinder(sources: sources).mark(&members, &rules)
    let hasBases = members.contains { !$0.bases.isEmpty }
    guard hasBases || members.contains(where: \.hasQuants) else { return }
    let trial = try SegmentTrial(options.effort)
    let replays = ReplayPlanner(sources: sources, trial: trial)
    try replays.mark(&members, &rules)
    guard hasBases else { return }
    let referred = Self.rangesForOthers(members)
    for number in members.indices where !members[number].bases.isEmpty {
      let member = try open(members[number], number, &rules, trial)
      for places in member.places {
        try AdamFinder(member: member, places: places).mark(
          &members[number].layout, others: referred[number], &rules)
      }
      try DeltaFinder(member: member).mark(&members[number].layout)
      try replays.mark(&members[number].layout, member, rules)
      members[number].keepBases(member.bases)
    }
  }

  private func open(
    _ member: PlannedMember, _ number: Int, _ rules: inout ReferenceRules, _ trial: SegmentTrial
  ) throws(SwzipError) -> OpenMember {
    guard member.bases.count <= Limits.basesPerMember else {
      throw SwzipError(
        .refused, .limit, detail: "\(member.bases.count) bases; a file has at most \(Limits.basesPerMember)")
    }
    let source = try sources.source(number)
    let bases = try member.bases.map { base throws(SwzipError) in try base.open() }
    rules.setBases(bases.map(\.byteCount), of: number)
    let tensors = try bases.map { base throws(SwzipError) in try Layouts.find(base, options.format).tensors }
    var places: [BasePlaces] = []
    for (index, base) in bases.enumerated() {
      places.append(
        try BasePlaces(source, member.layout.tensors, of: number, base: base, number: index, tensors[index], rules))
    }
    return OpenMember(
      number: number, source: source, bases: bases, baseTensors: tensors, places: places, trial: trial)
  }

  /// Of each member the ranges that segments of other members refer to.
  private static func rangesForOthers(_ members: [PlannedMember]) -> [[Range<UInt64>]] {
    var found = members.map { _ in [Range<UInt64>]() }
    for (number, member) in members.enumerated() {
      for segment in member.layout.segments {
        for other in Set(segment.references.compactMap(\.earlierMember)) where other != UInt64(number) {
          found[Int(other)] += segment.ranges(in: Int(other))
        }
      }
    }
    return found
  }
}

extension PlannedMember {
  /// Names in the header what is referred to of the bases, open as `originals`; the rest is not needed. Digests that are
  /// not known are found when it is written.
  fileprivate mutating func keepBases(_ originals: [any RandomSource]) {
    let needed = bases.indices.filter { number in layout.segments.contains { $0.needsBase(UInt64(number)) } }
    let rest = needed.isEmpty ? "packed alone" : "packed without it"
    for number in bases.indices where !needed.contains(number) && !bases[number].isOnlyTried {
      layout.warnings.append("nothing in it is like \(bases[number].hint.printable); \(rest)")
    }
    if needed.count < bases.count { layout.segments = layout.segments.map { $0.renumbered(needed) } }
    header.bases = needed.map { number in
      let hint = String(bases[number].hint.unicodeScalars.suffix(1024))
      let digest = bases[number].sha256?.bytes ?? BaseRecord.unknownDigest
      return BaseRecord(sha256: digest, byteCount: originals[number].byteCount, hint: hint)
    }
    bases = needed.map { bases[$0] }
    // So that the container can be found as a base itself.
    if !needed.isEmpty { header.storesSHA256 = true }
  }
}

extension SegmentRange {
  /// The same where the base with the number `kept[i]` has the number i.
  fileprivate func renumbered(_ kept: [Int]) -> SegmentRange {
    derived(
      derivation.mapped { reference in
        guard case .base(let number, let offset) = reference, let new = kept.firstIndex(of: Int(number)) else {
          return reference
        }
        return .base(number: UInt64(new), offset: offset)
      })
  }
}
