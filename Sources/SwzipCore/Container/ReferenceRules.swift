/// What a segment may refer to (spec/FORMAT.md, sections 4.1 and 4.2): bytes of a container that stand before it, in no
/// bundle, and need no earlier ones themselves; bytes of its member's bases. Who plans or reads a container forward tells of
/// members and segments as they come; who has its directory knows all members at once, and no segment.
package struct ReferenceRules: Sendable {
  private struct Member: Sendable {
    let isBundle: Bool
    var baseByteCounts: [UInt64]
    /// As far as it is known.
    var byteCount: UInt64 = 0
    /// Bytes of segments that need earlier ones.
    var back = RangeList()
  }

  private let mustFlags: UInt32
  private var members: [Member] = []

  /// `header`: announces what kinds of references there are.
  package init(_ header: FileHeader) { mustFlags = header.mustFlags }

  /// For a container whose header will announce what is found.
  package init() { mustFlags = FileHeader.refersBack | FileHeader.needsBase }

  /// All members, for reading at random.
  package init(_ header: FileHeader, _ directory: Directory) {
    self.init(header)
    members = directory.members.map { member in
      Member(
        isBundle: member.bundle != nil, baseByteCounts: member.header.bases.map(\.byteCount),
        byteCount: member.byteCount)
    }
  }

  /// The next member begins.
  package mutating func beginMember(_ header: MemberHeader) {
    members.append(Member(isBundle: header.files != nil, baseByteCounts: header.bases.map(\.byteCount)))
  }

  /// The bases of a member, where they are chosen after it began.
  package mutating func setBases(_ byteCounts: [UInt64], of member: Int) {
    members[member].baseByteCounts = byteCounts
  }

  /// A segment that `allows` was asked about before; a planner adds it anew once it refers back.
  package mutating func add(_ segment: some Referring, to member: Int) {
    members[member].byteCount = max(members[member].byteCount, segment.place.upperBound)
    if segment.refersBack { members[member].back.insert(segment.place) }
  }

  /// Whether a range of a member needs no earlier bytes.
  package func standsAlone(_ range: Range<UInt64>, of member: Int) -> Bool { !members[member].back.overlaps(range) }

  /// Whether a segment of `member` may refer to what it does. `isReferredTo`: it is read for the sake of another segment of the
  /// container; only who reads at random has to say so.
  package func allows(_ segment: some Referring, of member: Int, isReferredTo: Bool = false) -> Bool {
    guard !segment.references.isEmpty else { return true }
    guard !members[member].isBundle, !(isReferredTo && segment.refersBack) else { return false }
    return segment.references.allSatisfy { reference in
      guard reference.offset <= UInt64(Int64.max) - segment.referencedByteCount else { return false }
      let range = reference.offset..<(reference.offset + segment.referencedByteCount)
      return switch reference {
      case .earlier(let number, _):
        mustFlags & FileHeader.refersBack != 0
          && isReadable(range, of: number, before: (member, segment.place.lowerBound))
      case .base(let number, _):
        mustFlags & FileHeader.needsBase != 0 && number < UInt64(members[member].baseByteCounts.count)
          && range.upperBound <= members[member].baseByteCounts[Int(number)]
      }
    }
  }

  /// Whether a range of member `number` stands before a segment, and needs no earlier bytes.
  private func isReadable(
    _ range: Range<UInt64>, of number: UInt64, before segment: (member: Int, offset: UInt64)
  ) -> Bool {
    guard number <= UInt64(segment.member) else { return false }
    let other = Int(number)
    let end = other == segment.member ? segment.offset : members[other].byteCount
    return !members[other].isBundle && range.upperBound <= end && standsAlone(range, of: other)
  }
}

/// A segment, planned or read, with what it refers to.
package protocol Referring {
  /// Where it lies in its member.
  var place: Range<UInt64> { get }
  var references: [Reference] { get }
  /// Bytes of the range that each reference names.
  var referencedByteCount: UInt64 { get }
}

extension Referring {
  /// Whether a reference is a range of a base.
  package var needsBase: Bool { references.contains { $0.earlierMember == nil } }
  package func needsBase(_ number: UInt64) -> Bool { references.contains { $0.baseNumber == number } }
  /// Whether a reference is a range of the container.
  package var refersBack: Bool { references.contains { $0.earlierMember != nil } }
}

extension SegmentHeader: Referring {
  package var place: Range<UInt64> { memberOffset..<(memberOffset + byteCount) }
}

extension Reference {
  /// Where the range begins.
  package var offset: UInt64 {
    switch self {
    case .earlier(_, let offset), .base(_, let offset): offset
    }
  }
  /// The number of the base; nil for the container.
  package var baseNumber: UInt64? { if case .base(let number, _) = self { number } else { nil } }
}
