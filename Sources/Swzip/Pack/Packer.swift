internal import SwzipCore
internal import SwzipInputs
internal import SwzipSystem

/// Packs members one after another: batches of segments of about 8 MiB are read, planned, encoded, checked and written
/// in order.
///
/// With one thread each block is written as soon as it is made. With more, blocks of a batch are made in parallel while
/// the next batch is read and the last one is written.
final class Packer {
  private let options: PackOptions
  private let effort: Effort
  private let sink: any OutputSink
  private let members: [PlannedMember]
  /// What casts refer to is read from them again; nil for a pipe.
  private let sources: MemberSources?
  private let header: FileHeader
  /// What counts for the files of a folder.
  private var memory: IndexMemory?
  private var account = ContainerAccount()
  private let workers: [PackWorker]
  private var spare: [Memory] = []
  private var report = PackReport()

  private init(
    _ members: [PlannedMember], _ sources: MemberSources?, _ kind: FileHeader.Kind, _ sink: any OutputSink,
    _ options: PackOptions
  ) throws(SwzipError) {
    self.options = options
    self.sources = sources
    self.sink = sink
    self.members = members
    effort = Effort(level: options.level)
    var header = FileHeader()
    header.kind = kind
    header.totalByteCount = try Self.total(members)
    if members.contains(where: { $0.layout.segments.contains(where: \.refersBack) }) {
      header.mustFlags |= FileHeader.refersBack
    }
    if members.contains(where: { !$0.header.bases.isEmpty }) { header.mustFlags |= FileHeader.needsBase }
    if members.allSatisfy(\.header.storesSHA256) { header.mayFlags |= FileHeader.memberSHA256 }
    self.header = header
    var workers: [PackWorker] = []
    for _ in 0..<max(1, options.threads) { workers.append(try PackWorker(verify: options.verify, effort: effort)) }
    self.workers = workers
  }

  /// One file, without name.
  convenience init(
    _ source: any ByteSource, base: PackBase?, _ sink: any OutputSink, _ options: PackOptions
  ) throws(SwzipError) {
    let source = source.forward()
    let input = try ForwardInput(source, sha256: options.sha256 || base != nil)
    var layouts = [try Layouts.find(input, byteCount: source.byteCount, format: options.format)]
    let sources = source.random.map { MemberSources($0) }
    if let sources { try Self.markReferences(&layouts, sources) }
    var header = MemberHeader()
    header.byteCount = source.byteCount
    header.storesSHA256 = options.sha256
    var member = PlannedMember(header: header, layout: layouts[0], origin: .input(input))
    if let base {
      guard let sources else { throw SwzipError(.refused, .notRandomAccess) }
      try member.refer(to: base, number: 0, of: sources, others: [], options)
    }
    try self.init([member], sources, .file, sink, options)
  }

  /// A folder: `members` in this order.
  convenience init(
    _ members: [PackMember], _ sink: any OutputSink, _ options: PackOptions
  ) throws(SwzipError) {
    guard !members.isEmpty, members.count <= Limits.members else {
      throw SwzipError(.refused, .limit, detail: "\(members.count) files; a container holds 1 to \(Limits.members)")
    }
    let memory = try IndexMemory(
      byteCount: members.reduce(0) { $0 + $1.name.utf8.count }, items: members.count)
    var names = MemberNames()
    var planned: [PlannedMember] = []
    var warnings = NameWarnings()
    for member in members {
      try names.add(member.name, .refused)
      warnings.add(member.name)
    }
    for member in members { planned.append(try Self.plan(member, options)) }
    try LinkTarget.check(
      planned.compactMap { member in member.header.link.map { (member.header.name, $0) } },
      among: planned.lazy.filter { $0.header.link == nil }.map(\.header.name), .refused)
    planned = try Bundler(planned, members).join()
    let effort = Effort(level: options.level)
    if effort.joinsFiles { planned = try SolidBundler().join(planned) }
    var layouts = planned.map(\.layout)
    let sources = MemberSources(planned.map(\.source))
    try Self.markReferences(&layouts, sources)
    let referred = Self.rangesForOthers(layouts)
    for index in planned.indices {
      planned[index].layout = layouts[index]
      guard case .file(let member) = planned[index].origin, let base = member.base else { continue }
      try planned[index].refer(
        to: base, number: index, of: sources, others: referred[index], options)
    }
    if planned.contains(where: \.header.storesSHA256) {
      for index in planned.indices { planned[index].header.storesSHA256 = true }
    }
    try self.init(planned, sources, .folder, sink, options)
    self.memory = memory
    report.warnings = warnings.lines
  }

  /// Of each member the ranges that segments of other members refer to.
  private static func rangesForOthers(_ layouts: [Layout]) -> [[Range<UInt64>]] {
    var found = layouts.map { _ in [Range<UInt64>]() }
    for (number, layout) in layouts.enumerated() {
      for segment in layout.segments {
        for member in segment.earlierMembers where member != number { found[member] += segment.ranges(in: member) }
      }
    }
    return found
  }

  /// Marks the segments that equal or follow from earlier ones.
  static func markReferences(_ layouts: inout [Layout], _ sources: MemberSources) throws(SwzipError) {
    try CopyFinder(sources: sources).mark(&layouts)
    try CastFinder(sources: sources).mark(&layouts)
  }

  private static func plan(_ member: PackMember, _ options: PackOptions) throws(SwzipError) -> PlannedMember {
    let source = try member.open()
    var header = MemberHeader()
    header.name = member.name
    header.mode = member.mode.map { $0 & 0o777 }
    header.time = member.time
    header.byteCount = source.byteCount
    header.storesSHA256 = options.sha256
    if let path = member.linkPath {
      header.link = LinkTarget.relative(to: path, from: member.name)
      return PlannedMember(header: header, layout: Layout(), origin: .file(member))
    }
    let layout = try Layouts.find(
      ForwardInput(source, sha256: false), byteCount: source.byteCount, format: options.format)
    return PlannedMember(header: header, layout: layout, origin: .file(member))
  }

  /// Bytes of all members, nil if they are not known yet.
  private static func total(_ members: [PlannedMember]) throws(SwzipError) -> UInt64? {
    var total: UInt64 = 0
    for member in members {
      guard let byteCount = member.header.byteCount else { return nil }
      guard byteCount <= UInt64(Int64.max) - total else { throw SwzipError(.refused, .limit) }
      total += byteCount
    }
    return total
  }

  func run(_ progress: ProgressHandler?) throws(SwzipError) -> PackReport {
    try sink.write(header.bytes)
    account.add(byteCount: FileHeader.byteCount)
    for (number, member) in members.enumerated() { try pack(member, number: number, progress) }
    return try finish()
  }

  private func pack(
    _ member: PlannedMember, number: Int, _ progress: ProgressHandler?
  ) throws(SwzipError) {
    let frame = member.header.frame(number: number)
    try sink.write(frame.bytes)
    account.beginMember(member.header, frameByteCount: frame.bytes.count, hash: frame.hash)
    let reader = MemberReader(try member.open(), member.layout)
    let base = try member.base?.open()
    var pending: PackBatch?
    var next = try reader.next(memory: takeMemory)
    while let batch = next {
      try batch.openReferences(sources, base: base)
      if workers.count == 1 {
        try writeInOrder(batch, of: reader)
        recycle(batch)
        next = try reader.next(memory: takeMemory)
      } else {
        next = try encodeInParallel(batch, of: reader, before: pending)
        pending = batch
      }
      progress?(report.rawByteCount + reader.input.consumed)
    }
    if let pending { try write(pending) }
    try end(member, reader.input)
  }

  private func end(_ member: PlannedMember, _ input: ForwardInput) throws(SwzipError) {
    if let byteCount = member.header.byteCount, byteCount != input.consumed { throw PlannedMember.changed }
    var tensors = member.layout.tensors
    tensors.removeAll { $0.offset + $0.byteCount > input.consumed }
    if report.tensorCount + tensors.count > Limits.tensors {
      report.warnings.append(
        "more than \(Limits.tensors) tensors; those of \(member.header.name.printable) are not listed")
      tensors = []
    }
    let sha256 = member.header.storesSHA256 ? try input.sha256Digests() : []
    account.endMember(byteCount: input.consumed, checksum: input.checksumOfAll, sha256: sha256, tensors: tensors)
    report.rawByteCount += input.consumed
    report.tensorCount += tensors.count
    let name = member.header.name
    report.warnings += member.layout.warnings.map { name.isEmpty ? $0 : "\(name.printable): \($0)" }
    guard header.kind == .file else { return }
    report.format = member.layout.format
    report.checksum = input.checksumOfAll.hexadecimal
    report.sha256 = sha256.first.map(swzipHexadecimal)
  }

  private func finish() throws(SwzipError) -> PackReport {
    if header.kind != .file { report.format = "folder" }
    let index = try account.index(header: header.bytes)
    try sink.write(index.bytes)
    report.packedByteCount = account.position + UInt64(index.bytes.count)
    report.memberCount = account.directory.fileCount
    report.root = swzipHexadecimal(index.root)
    return report
  }

  /// Memory for the input or output of a batch. Sizes are rounded up so that what one batch leaves fits the next: pages
  /// that nobody writes to take no memory.
  private func takeMemory(_ byteCount: Int) throws(SwzipError) -> Memory {
    let step = 4 << 20
    let byteCount = (byteCount + step - 1) / step * step
    if let index = spare.firstIndex(where: { $0.byteCount >= byteCount }) { return spare.remove(at: index) }
    return try Memory(byteCount)
  }

  private func recycle(_ batch: PackBatch) {
    if let memory = batch.input { spare.append(memory) }
    if let memory = batch.output { spare.append(memory) }
  }

  // MARK: one thread

  /// Plans, encodes and writes segment after segment: what was read last is still in the cache.
  private func writeInOrder(_ batch: PackBatch, of reader: MemberReader) throws(SwzipError) {
    let worker = workers[0]
    for index in batch.ranges.indices {
      let bytes = unsafe batch.bytes(ofSegment: index)
      try batch.readBase(ofSegment: index)
      let plan = try batch.plan(segment: index, effort, worker.scratch)
      try beginSegment(plan)
      for block in 0..<plan.blockCount {
        let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[plan.bytes(ofBlock: block)])
        try unsafe reader.input.sum(source)
        // Memory that has room is written where the block belongs.
        let room = unsafe sink.reserve(plan.frameBound + Limits.slack)
        let frame: UnsafeMutableRawBufferPointer
        if let room = unsafe room { unsafe frame = room } else { unsafe frame = try worker.frame(plan.frameBound) }
        let entry = try unsafe worker.encode(
          plan, block, source, references: batch.plans[index].references,
          base: batch.base(ofSegment: index, plan.bytes(ofBlock: block)), into: frame)
        if unsafe room != nil {
          sink.advance(entry.frameByteCount)
        } else {
          try unsafe sink.write(UnsafeRawBufferPointer(rebasing: frame[..<entry.frameByteCount]))
        }
        account.add(entry)
      }
      batch.plans[index].base = nil
    }
  }

  private func beginSegment(_ plan: SegmentPlan) throws(SwzipError) {
    let frame = plan.header.frame(number: account.segmentCount)
    try sink.write(frame.bytes)
    account.beginSegment(plan.header, frameByteCount: frame.bytes.count, hash: frame.hash)
  }

  // MARK: several threads

  /// Encodes a batch while the one before is written and the next one, which is returned, is read.
  private func encodeInParallel(
    _ batch: PackBatch, of reader: MemberReader, before: PackBatch?
  ) throws(SwzipError) -> PackBatch? {
    var next: PackBatch?
    try runJobs(threads: workers.count, count: 1 + batch.ranges.count) { job, worker throws(SwzipError) in
      if job == 0 {
        next = try reader.next(memory: takeMemory)
        try unsafe reader.input.sum(batch.bytes)
      } else {
        try batch.readBase(ofSegment: job - 1)
        batch.plans[job - 1].plan = try batch.plan(segment: job - 1, effort, workers[worker].scratch)
      }
    }
    batch.output = try takeMemory(batch.layOutFrames())
    try runJobs(threads: workers.count, count: 1 + batch.jobs.count) { job, worker throws(SwzipError) in
      if job == 0 {
        if let before { try write(before) }
      } else {
        try batch.jobs[job - 1].run(batch, by: workers[worker])
      }
    }
    return next
  }

  private func write(_ batch: PackBatch) throws(SwzipError) {
    var segment = -1
    for job in batch.jobs {
      // All jobs of the batch ended without an error; a hole must never become a container.
      guard let plan = batch.plans[job.segment].plan, let done = job.entry else { throw SwzipError(.io, .encoderFault) }
      if job.segment != segment {
        segment = job.segment
        try beginSegment(plan)
      }
      try unsafe sink.write(UnsafeRawBufferPointer(rebasing: batch.frame(job)[..<done.frameByteCount]))
      account.add(done)
    }
    recycle(batch)
  }
}
