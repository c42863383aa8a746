internal import SwzipCore
internal import SwzipInputs
internal import SwzipSystem

/// Packs one member: batches of segments of about 8 MiB are read, planned, encoded, checked and written in order.
///
/// With one thread each block is written as soon as it is made. With more, blocks of a batch are made in parallel while
/// the next batch is read and the last one is written.
final class Packer {
  private let options: PackOptions
  private let effort: Effort
  private let sink: any OutputSink
  private let input: ForwardInput
  private let layout: Layout
  private var ranges: ArraySlice<SegmentRange>
  private var account = ContainerAccount()
  private let header: FileHeader
  private let workers: [PackWorker]
  private var spare: [Memory] = []
  private var plainCursor: UInt64?
  private let sourceByteCount: UInt64?

  init(_ source: any InputSource, _ sink: any OutputSink, _ options: PackOptions) throws(SwzipError) {
    self.options = options
    self.sink = sink
    effort = Effort(level: options.level)
    sourceByteCount = source.byteCount
    input = try ForwardInput(source, sha256: options.sha256)
    var layout = try Layouts.find(input, byteCount: source.byteCount, format: options.format)
    if source.byteCount != nil { try CopyFinder(source: source).mark(&layout) }
    self.layout = layout
    ranges = layout.segments[...]
    plainCursor = source.byteCount == nil ? layout.segments.last.map { $0.offset + UInt64($0.byteCount) } ?? 0 : nil
    var header = FileHeader()
    header.totalByteCount = source.byteCount
    if layout.segments.contains(where: { $0.copyOf != nil }) { header.mustFlags |= FileHeader.refersBack }
    if options.sha256 { header.mayFlags |= FileHeader.memberSHA256 }
    self.header = header
    var workers: [PackWorker] = []
    for _ in 0..<max(1, options.threads) { workers.append(try PackWorker(verify: options.verify)) }
    self.workers = workers
  }

  func run(_ progress: ProgressHandler?) throws(SwzipError) -> PackReport {
    var member = MemberHeader()
    member.byteCount = sourceByteCount
    member.storesSHA256 = options.sha256
    let frame = member.frame(number: 0).bytes
    try sink.write(header.bytes + frame)
    account.add(byteCount: FileHeader.byteCount)
    account.beginMember(member, frameByteCount: frame.count)
    var pending: PackBatch?
    var next = try readBatch()
    while let batch = next {
      if workers.count == 1 {
        try writeInOrder(batch)
        next = nil
        recycle(batch)
        next = try readBatch()
      } else {
        next = try encodeInParallel(batch, pending)
        pending = batch
      }
      progress?(input.consumed)
    }
    if let pending { try write(pending) }
    return try finish()
  }

  private func finish() throws(SwzipError) -> PackReport {
    var report = PackReport()
    report.format = layout.format
    report.rawByteCount = input.consumed
    let tensors = layout.tensors.filter { $0.offset + $0.byteCount <= input.consumed }
    let sha256 = input.sha256Digest
    account.endMember(byteCount: input.consumed, checksum: input.checksumOfAll, sha256: sha256, tensors: tensors)
    let index = try account.index(header: header.bytes)
    try sink.write(index.bytes)
    report.packedByteCount = account.position + UInt64(index.bytes.count)
    report.tensorCount = tensors.count
    report.checksum = input.checksumOfAll.hexadecimal
    report.sha256 = sha256.map(swzipHexadecimal)
    report.warnings = layout.warnings
    return report
  }

  // MARK: reading

  /// The next segments, about `Limits.segmentBytes`; nil at the end.
  private func readBatch() throws(SwzipError) -> PackBatch? {
    var taken: [SegmentRange] = []
    var byteCount = 0
    while let range = ranges.first, taken.isEmpty || byteCount + range.byteCount <= Limits.segmentBytes {
      taken.append(range)
      byteCount += range.byteCount
      ranges.removeFirst()
    }
    if taken.isEmpty, let cursor = plainCursor {
      taken = [SegmentRange(offset: cursor, byteCount: Limits.segmentBytes, elementType: .bytes)]
      byteCount = Limits.segmentBytes
      plainCursor = cursor + UInt64(byteCount)
    }
    guard !taken.isEmpty else { return nil }
    let memory = input.isMemory ? nil : try takeMemory(Limits.segmentBytes + Limits.slack)
    let bytes = try unsafe input.next(byteCount, buffer: memory)
    if bytes.count < byteCount { taken = Self.clip(taken, to: bytes.count) }  // the input ended early
    guard !taken.isEmpty else { return nil }
    return unsafe PackBatch(taken, bytes, input: memory)
  }

  private static func clip(_ ranges: [SegmentRange], to byteCount: Int) -> [SegmentRange] {
    var left = byteCount
    return ranges.compactMap { range in
      var range = range
      range.byteCount = min(range.byteCount, left)
      left -= range.byteCount
      return range.byteCount > 0 ? range : nil
    }
  }

  private func takeMemory(_ byteCount: Int) throws(SwzipError) -> Memory {
    if let index = spare.firstIndex(where: { $0.byteCount >= byteCount }) { return spare.remove(at: index) }
    return try Memory(byteCount)
  }

  private func recycle(_ batch: PackBatch) {
    if let memory = batch.input { spare.append(memory) }
    if let memory = batch.output { spare.append(memory) }
  }

  // MARK: one thread

  /// Plans, encodes and writes segment after segment: what was read last is still in the cache.
  private func writeInOrder(_ batch: PackBatch) throws(SwzipError) {
    let worker = workers[0]
    for index in batch.ranges.indices {
      let bytes = unsafe batch.bytes(ofSegment: index)
      let plan = try unsafe SegmentPlan(batch.ranges[index], bytes, effort: effort, scratch: worker.scratch)
      try beginSegment(plan)
      for block in 0..<plan.blockCount {
        let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[plan.bytes(ofBlock: block)])
        unsafe input.sum(source)
        // Memory that has room is written where the block belongs.
        let memory = sink as? MemorySink
        let inPlace = unsafe (memory?.room.count ?? 0) >= plan.frameBound + Limits.slack
        let frame = try unsafe inPlace ? memory!.room : worker.frame(plan.frameBound)
        let entry = try unsafe worker.encode(plan, block, source, into: frame)
        if inPlace {
          memory!.advance(entry.frameByteCount)
        } else {
          try unsafe sink.write(UnsafeRawBufferPointer(rebasing: frame[..<entry.frameByteCount]))
        }
        account.add(entry)
      }
    }
  }

  private func beginSegment(_ plan: SegmentPlan) throws(SwzipError) {
    let frame = plan.header.frame(number: account.segmentCount)
    try sink.write(frame.bytes)
    account.beginSegment(plan.header, frameByteCount: frame.bytes.count, hash: frame.hash)
  }

  // MARK: several threads

  /// Encodes a batch while the one before is written and the next one, which is returned, is read.
  private func encodeInParallel(_ batch: PackBatch, _ before: PackBatch?) throws(SwzipError) -> PackBatch? {
    var next: PackBatch?
    try runJobs(threads: workers.count, count: 1 + batch.ranges.count) { job, worker throws(SwzipError) in
      if job == 0 {
        next = try readBatch()
        unsafe input.sum(batch.bytes)
      } else {
        batch.plans[job - 1].plan = try unsafe SegmentPlan(
          batch.ranges[job - 1], batch.bytes(ofSegment: job - 1), effort: effort, scratch: workers[worker].scratch)
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
