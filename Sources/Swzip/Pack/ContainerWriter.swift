internal import SwzipCore
internal import SwzipInputs
internal import SwzipSystem

/// Writes what a plan says, one member after another: batches of segments of about 8 MiB are read, their blocks encoded,
/// checked and written in order.
///
/// With one thread each block is written as soon as it is made. With more, blocks of a batch are made in parallel while
/// the next batch is read and the last one is written.
final class ContainerWriter {
  private let plan: PackPlan
  private let effort: Effort
  private let control: Control?
  private let sink: any OutputSink
  private let header: FileHeader
  private let extensions: Extensions
  private var account = ContainerAccount()
  private let workers: [PackWorker]
  private let pool = MemoryPool()
  private var report = PackReport()

  init(_ plan: PackPlan, _ sink: any OutputSink, _ options: PackOptions) throws(SwzipError) {
    self.plan = plan
    self.sink = sink
    header = try plan.header()
    effort = options.effort
    control = options.control
    var extensions = Extensions()
    (extensions.checkpoint, extensions.inexact) = (options.checkpoint, options.inexact)
    self.extensions = extensions
    report.warnings = plan.warnings
    workers = try (0..<max(1, options.threads)).map { [effort] _ throws(SwzipError) in
      try PackWorker(verify: options.verify, effort: effort)
    }
  }

  func run(_ progress: ProgressHandler?) throws(SwzipError) -> PackReport {
    try sink.write(header.bytes)
    account.add(byteCount: FileHeader.byteCount)
    for (number, member) in plan.members.enumerated() { try pack(member, number: number, progress) }
    return try finish()
  }

  private func pack(
    _ member: PlannedMember, number: Int, _ progress: ProgressHandler?
  ) throws(SwzipError) {
    var bases = try MemberBases(member, at: account.position, canRewrite: sink.canRewrite, control)
    let frame = bases.header.frame(number: number)
    try sink.write(frame.bytes)
    account.beginMember(bases.header, frameByteCount: frame.bytes.count, hash: frame.hash)
    let reader = MemberReader(try member.open(), member.layout)
    var pending: PackBatch?
    var next = try reader.next(pool)
    while let batch = next {
      try batch.openReferences(plan.sources, bases.sources)
      if workers.count == 1 {
        try writeInOrder(batch, of: reader)
        pool.give(batch.input)
        next = try reader.next(pool)
      } else {
        next = try encodeInParallel(batch, of: reader, before: pending)
        pending = batch
      }
      progress?(report.rawByteCount + reader.input.consumed)
    }
    if let pending { try write(pending) }
    try bases.end(number, sink, &account)
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
    report.checksum = input.checksumOfAll.digest
    report.sha256 = sha256.first.map(Digest.init(_:))
  }

  private func finish() throws(SwzipError) -> PackReport {
    if header.kind != .file { report.format = "folder" }
    account.setExtensions(extensions)
    let index = try account.index(header: header.bytes)
    try sink.write(index.bytes)
    report.packedByteCount = account.position + UInt64(index.bytes.count)
    report.memberCount = account.directory.fileCount
    report.root = Digest(index.root)
    return report
  }

  // MARK: one thread

  /// Encodes and writes segment after segment: what was read last is still in the cache.
  private func writeInOrder(_ batch: PackBatch, of reader: MemberReader) throws(SwzipError) {
    let worker = workers[0]
    for index in batch.ranges.indices {
      let bytes = unsafe batch.bytes(ofSegment: index)
      try batch.readBase(ofSegment: index, pool)
      let plan = try batch.plan(segment: index, effort, worker.scratch)
      try beginSegment(plan)
      for block in 0..<plan.blockCount {
        try control?.check()
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
      batch.plans[index].release(pool)
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
    try runJobs(threads: workers.count, count: 1 + batch.ranges.count, control) {
      job, worker throws(SwzipError) in
      if job == 0 {
        next = try reader.next(pool)
        try unsafe reader.input.sum(batch.bytes)
      } else {
        try batch.readBase(ofSegment: job - 1, pool)
        batch.plans[job - 1].plan = try batch.plan(segment: job - 1, effort, workers[worker].scratch)
      }
    }
    batch.output = try pool.take(batch.layOutFrames())
    try runJobs(threads: workers.count, count: 1 + batch.jobs.count, control) {
      job, worker throws(SwzipError) in
      if job == 0 {
        if let before { try write(before) }
      } else {
        try batch.jobs[job - 1].run(batch, by: workers[worker], pool)
      }
    }
    pool.give(batch.input)
    batch.input = nil
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
    pool.give(batch.output)
  }
}
