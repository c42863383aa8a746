internal import SwzipCore
internal import SwzipInputs

/// What will be coded how: made once, and written by `ContainerWriter`. Of a pipe it is what the start tells; how the rest is
/// cut shows as it comes (`MemberReader`).
struct PackPlan {
  let kind: FileHeader.Kind
  private(set) var members: [PlannedMember]
  /// What segments refer to is read from them again; nil for a pipe.
  let sources: MemberSources?
  private(set) var warnings: [String] = []
  /// What counts for the files of a folder.
  private var memory: IndexMemory?

  /// Of one file, without name.
  static func file(
    _ source: any ByteSource, bases: [PackBase] = [], _ options: PackOptions
  ) throws(SwzipError) -> PackPlan {
    let source = source.forward()
    guard bases.isEmpty || source.random != nil else { throw SwzipError(.refused, .notRandomAccess) }
    let input = try ForwardInput(source)
    var header = MemberHeader()
    header.byteCount = source.byteCount
    header.storesSHA256 = options.sha256
    let layout = try Layouts.find(input, options.format)
    var plan = PackPlan(
      kind: .file,
      members: [PlannedMember(header: header, layout: layout, origin: .input(input), bases: bases)],
      sources: source.random.map { MemberSources($0) })
    try plan.markReferences(options)
    return plan
  }

  /// Of a folder: `members` in this order.
  static func folder(_ members: [PackMember], _ options: PackOptions) throws(SwzipError) -> PackPlan {
    guard !members.isEmpty, members.count <= Limits.members else {
      throw SwzipError(.refused, .limit, detail: "\(members.count) files; a container holds 1 to \(Limits.members)")
    }
    let memory = try IndexMemory(byteCount: members.reduce(0) { $0 + $1.name.utf8.count }, items: members.count)
    var names = MemberNames()
    var warnings = NameWarnings()
    for member in members {
      try names.add(member.name, .refused)
      warnings.add(member.name)
    }
    var planned = try members.map { member throws(SwzipError) in try PlannedMember(member, options) }
    try LinkTarget.check(
      planned.compactMap { member in member.header.link.map { (member.header.name, $0) } },
      among: planned.lazy.filter { $0.header.link == nil }.map(\.header.name), .refused)
    planned = try Bundler(planned: planned, members: members).join()
    if options.effort.joinsFiles { planned = try SolidBundler().join(planned) }
    if options.checkpoint == nil { planned = PlannedMember.quantsLast(planned) }
    let kind: FileHeader.Kind = options.checkpoint == nil ? .folder : .checkpoint
    var plan = PackPlan(kind: kind, members: planned, sources: MemberSources(planned.map(\.source)))
    plan.warnings = warnings.lines
    plan.memory = memory
    try plan.markReferences(options)
    return plan
  }

  private mutating func markReferences(_ options: PackOptions) throws(SwzipError) {
    guard let sources else { return }
    try ReferencePlanner(sources: sources, options: options).mark(&members)
    // All of a folder, or none.
    if members.contains(where: \.header.storesSHA256) {
      for number in members.indices { members[number].header.storesSHA256 = true }
    }
  }

  func header() throws(SwzipError) -> FileHeader {
    var header = FileHeader()
    header.kind = kind
    header.totalByteCount = try total()
    if members.contains(where: { $0.layout.segments.contains(where: \.refersBack) }) {
      header.mustFlags |= FileHeader.refersBack
    }
    if members.contains(where: { !$0.header.bases.isEmpty }) { header.mustFlags |= FileHeader.needsBase }
    if members.allSatisfy(\.header.storesSHA256) { header.mayFlags |= FileHeader.memberSHA256 }
    return header
  }

  /// Bytes of all members, nil if they are not known yet.
  private func total() throws(SwzipError) -> UInt64? {
    var total: UInt64 = 0
    for member in members {
      guard let byteCount = member.header.byteCount else { return nil }
      guard byteCount <= UInt64(Int64.max) - total else { throw SwzipError(.refused, .limit) }
      total += byteCount
    }
    return total
  }

  /// What each segment of a member will take, as a block of it tells, and its codec. Throws `notRandomAccess` for a pipe.
  func estimate(ofMember number: Int, level: Int) throws(SwzipError) -> [(byteCount: UInt64, codec: CodecID)] {
    guard let sources else { throw SwzipError(.refused, .notRandomAccess) }
    let trial = try SegmentTrial(Effort(level: level))
    let bases = try members[number].bases.map { base throws(SwzipError) in try base.open() }
    return try members[number].layout.segments.map { segment throws(SwzipError) in
      try trial.byteCount(of: segment, in: sources.source(number), bases: bases, files: sources)
    }
  }
}

extension PlannedMember {
  /// A file or link of a folder, with its layout.
  fileprivate init(_ member: PackMember, _ options: PackOptions) throws(SwzipError) {
    let source = try member.open()
    header = MemberHeader()
    header.name = member.name
    header.mode = member.mode.map { $0 & 0o777 }
    header.time = member.time
    header.byteCount = source.byteCount
    header.storesSHA256 = options.sha256
    header.link = member.linkPath.map { LinkTarget.relative(to: $0, from: member.name) }
    layout = try header.link == nil ? Layouts.find(source, options.format) : Layout()
    origin = .file(member)
    bases = member.bases
  }
}
