internal import SwzipCore

/// What the segments of a container refer to, read forward: bases; earlier ranges, which are decoded again where the container
/// can be read at any position, and read back from what was written where it cannot.
final class ForwardReferences {
  private let source: (any RandomSource)?
  private let output: MemberOutput
  private let resolver: (any BaseResolver)?
  private var bases: OpenBases
  private let proofs = BaseProofs()
  private var member = -1
  private var records: [BaseRecord] = []
  private lazy var random = Result { () throws(SwzipError) -> Container? in
    try source.map { source throws(SwzipError) in try Container(source, bases: resolver, path: [], .never) }
  }

  init(_ source: (any RandomSource)?, _ output: MemberOutput, _ bases: (any BaseResolver)?) {
    self.source = source
    self.output = output
    resolver = bases
    self.bases = OpenBases(bases)
  }

  func begin(_ member: MemberHeader) {
    self.member += 1
    records = member.bases
    bases = OpenBases(resolver, member.storesSHA256 ? .inDoubt(proofs) : .before)
  }

  /// Something does not decode: throws if that is because a base is not the one that was wanted.
  func prove() throws(SwzipError) { try proofs.check() }

  /// Whether a block of the segment can be decoded only when all that stands before it is written.
  func needWrittenBytes(_ segment: SegmentHeader) -> Bool { segment.refersBack && source == nil }

  /// Reads what a segment of the current member refers to; nil if that is nothing. The references have been checked.
  func reader(of segment: SegmentHeader) throws(SwzipError) -> ReferenceReader? {
    guard segment.refers else { return nil }
    let readers = try unsafe segment.references.map { reference throws(SwzipError) in try unsafe reader(reference) }
    return { number, offset, target throws(SwzipError) in try unsafe readers[number](offset, target) }
  }

  private typealias RangeReader = (
    _ offset: UInt64, _ target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes?

  private func reader(_ reference: Reference) throws(SwzipError) -> RangeReader {
    switch reference {
    case .base(let number, let start):
      let source = try bases.source(number, of: member, records)
      return { offset, target throws(SwzipError) in try unsafe source.lendBase(at: start + offset, into: target) }
    case .earlier(let number, let start):
      let file = try random.get()
      return { [output] offset, target throws(SwzipError) in
        if let file {
          try unsafe file.read(containerMember: Int(number), offset: start + offset, into: target)
        } else {
          try unsafe output.readBack(Int(number), at: start + offset, into: target)
        }
        return nil
      }
    }
  }
}
