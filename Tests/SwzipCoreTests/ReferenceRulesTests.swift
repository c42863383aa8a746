import SwzipCore
import SwzipSamples
import Testing

/// What may refer to what, and the ranges that it is told by.
struct ReferenceRulesTests {
  private static let announcing: FileHeader = {
    var header = FileHeader()
    header.mustFlags = FileHeader.refersBack | FileHeader.needsBase
    return header
  }()

  private func member(_ byteCount: UInt64 = 1000, bases: [UInt64] = [], isBundle: Bool = false) -> MemberHeader {
    var member = MemberHeader()
    member.byteCount = byteCount
    member.bases = bases.map { BaseRecord(sha256: [], byteCount: $0, hint: "") }
    if isBundle { member.files = [BundledFile(name: "f", mode: nil, time: nil, byteCount: byteCount)] }
    return member
  }

  private func segment(_ place: Range<UInt64>, _ references: Reference...) -> SegmentHeader {
    SegmentHeader(
      memberOffset: place.lowerBound, byteCount: place.upperBound - place.lowerBound, blockValues: 8192,
      elementType: .bytes, coding: references.isEmpty ? BytesCoding() : CopyCoding(), references: references)
  }

  @Test func forward() {
    var rules = ReferenceRules(Self.announcing)
    rules.beginMember(member(isBundle: true))
    rules.add(segment(0..<1000), to: 0)
    #expect(!rules.allows(segment(0..<10, .base(number: 0, offset: 0)), of: 0))
    rules.beginMember(member(bases: [50, 100]))
    rules.add(segment(0..<100), to: 1)
    func allows(_ references: Reference...) -> Bool {
      references.allSatisfy { rules.allows(segment(100..<150, $0), of: 1) }
    }
    #expect(allows(.earlier(member: 1, offset: 0), .earlier(member: 1, offset: 50)))
    #expect(!allows(.earlier(member: 1, offset: 51)) && !allows(.earlier(member: 1, offset: .max)))
    #expect(!allows(.earlier(member: 0, offset: 0)) && !allows(.earlier(member: 2, offset: 0)))
    #expect(allows(.base(number: 0, offset: 0), .base(number: 1, offset: 50)))
    #expect(!allows(.base(number: 0, offset: 1)) && !allows(.base(number: 2, offset: 0)))
    #expect(!allows(.base(number: 1, offset: UInt64(Int64.max) - 10)))
    // A chain within the container.
    rules.add(segment(100..<150, .earlier(member: 1, offset: 20)), to: 1)
    rules.add(segment(150..<200, .base(number: 0, offset: 0)), to: 1)
    #expect(!rules.allows(segment(200..<210, .earlier(member: 1, offset: 140)), of: 1))
    #expect(!rules.allows(segment(200..<210, .earlier(member: 1, offset: 91)), of: 1))
    #expect(rules.allows(segment(200..<210, .earlier(member: 1, offset: 90)), of: 1))
    #expect(rules.allows(segment(200..<210, .earlier(member: 1, offset: 150)), of: 1))
    rules.beginMember(member())
    #expect(rules.allows(segment(0..<50, .earlier(member: 1, offset: 150)), of: 2))
    #expect(!rules.allows(segment(0..<51, .earlier(member: 1, offset: 150)), of: 2))
  }

  @Test func atRandom() throws {
    var directory = Directory()
    for header in [member(), member(bases: [10])] {
      directory.members.append(
        try MemberRecord(header: header, frameByteCount: 64, checksum: StreamChecksum().sum, sha256: nil))
    }
    let rules = ReferenceRules(Self.announcing, directory)
    let copy = segment(0..<1000, .earlier(member: 0, offset: 0))
    #expect(rules.allows(copy, of: 1) && !rules.allows(copy, of: 0))
    #expect(!rules.allows(copy, of: 1, isReferredTo: true))
    #expect(rules.allows(segment(5..<15, .base(number: 0, offset: 0)), of: 1, isReferredTo: true))
    let silent = ReferenceRules(FileHeader(), directory)
    #expect(!silent.allows(copy, of: 1) && silent.allows(segment(0..<10), of: 1))
  }

  /// Against a list of flags.
  @Test func ranges() {
    var random = Random(5)
    for _ in 0..<200 {
      var (list, marked) = (RangeList(), [Bool](repeating: false, count: 60))
      for _ in 0..<random.below(8) {
        let start = random.below(50)
        let end = start + random.below(9)
        list.insert(UInt64(start)..<UInt64(end))
        for place in start..<end { marked[place] = true }
      }
      #expect(list == RangeList(list.ranges.reversed()))
      #expect(zip(list.ranges, list.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
      for start in 0..<59 {
        let end = start + 1 + random.below(60 - start)
        #expect(list.overlaps(UInt64(start)..<UInt64(end)) == marked[start..<end].contains(true))
      }
    }
  }
}
