internal import SwzipCore

/// The bases of a member while it is packed. Those whose digest is not known are hashed while they are used, if the header that
/// names them can be written again, else before.
struct MemberBases {
  private(set) var header: MemberHeader
  private(set) var sources: [any RandomSource] = []
  /// By number.
  private var hashed: [(number: Int, source: HashedBase)] = []
  /// Where the member's frame is.
  private let position: UInt64

  init(_ member: PlannedMember, at position: UInt64, canRewrite: Bool, _ control: Control?) throws(SwzipError) {
    header = member.header
    self.position = position
    for (number, base) in member.bases.enumerated() {
      var source = try base.open()
      if base.sha256 == nil {
        if canRewrite {
          let base = HashedBase(source)
          hashed.append((number, base))
          source = base
        } else {
          header.bases[number].sha256 = try source.sha256(control: control).bytes
        }
      }
      sources.append(source)
    }
  }

  /// The member is packed: names the bases that were hashed meanwhile.
  mutating func end(_ number: Int, _ sink: any OutputSink, _ account: inout ContainerAccount) throws(SwzipError) {
    guard !hashed.isEmpty else { return }
    for base in hashed { header.bases[base.number].sha256 = try base.source.digest().bytes }
    let frame = header.frame(number: number)
    // The pointer is used inside the closure only.
    try unsafe frame.bytes.span.withUnsafeBytes { (bytes) throws(SwzipError) in
      try unsafe sink.rewrite(bytes, at: position)
    }
    account.setBases(header.bases, frameHash: frame.hash)
  }
}
