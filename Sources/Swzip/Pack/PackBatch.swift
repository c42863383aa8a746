internal import SwzipCore
internal import Synchronization

/// Segments that are read, encoded and written together.
@safe final class PackBatch {
  let ranges: [SegmentRange]
  /// Until all blocks are coded.
  var input: Memory?
  var output: Memory?
  /// One for each range; they are made by several threads at once.
  let plans: [PlanSlot]
  private(set) var jobs: [PackJob] = []
  let bytes: UnsafeRawBufferPointer

  init(_ ranges: [SegmentRange], _ bytes: UnsafeRawBufferPointer, input: Memory?) {
    self.ranges = ranges
    self.input = input
    unsafe self.bytes = bytes
    plans = ranges.map { _ in PlanSlot() }
  }

  func bytes(ofSegment index: Int) -> UnsafeRawBufferPointer {
    let start = Int(ranges[index].offset - ranges[0].offset)
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<(start + ranges[index].byteCount)])
  }

  /// Opens what the segments refer to. `files`: of the container, nil for a pipe; `bases`: of the member, by number.
  func openReferences(_ files: MemberSources?, _ bases: [any RandomSource]) throws(SwzipError) {
    for (range, slot) in zip(ranges, plans) {
      slot.references = try range.open(bases: bases) { number throws(SwzipError) in try files?.source(number) }
    }
  }

  /// Reads what a segment's values differ from.
  func readBase(ofSegment index: Int, _ pool: MemoryPool) throws(SwzipError) {
    plans[index].base = try ranges[index].predicted(from: plans[index].references, pool)
  }

  func plan(segment index: Int, _ effort: Effort, _ scratch: EncodeScratch) throws(SwzipError) -> SegmentPlan {
    try unsafe SegmentPlan.best(
      ranges[index], bytes(ofSegment: index), base: base(ofSegment: index, 0..<ranges[index].byteCount),
      effort: effort, scratch: scratch)
  }

  /// What a part of a segment's values differ from; nil if there is nothing.
  func base(ofSegment index: Int, _ range: Range<Int>) -> UnsafeRawBufferPointer? {
    let place = ranges[index].base(of: range)
    return unsafe plans[index].base.map { unsafe UnsafeRawBufferPointer(rebasing: $0.prefix(place.upperBound)[place]) }
  }

  /// A job for each block, with its place in the output; returns the output's size.
  func layOutFrames() -> Int {
    var place = 0
    for (segment, slot) in plans.enumerated() {
      let plan = slot.plan!
      let bound = (plan.frameBound + Limits.slack + 63) & ~63
      for block in 0..<plan.blockCount {
        jobs.append(PackJob(segment: segment, block: block, place: place, bound: bound))
        place += bound
      }
    }
    return place
  }

  func frame(_ job: PackJob) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: output!.bytes[job.place..<(job.place + job.bound)])
  }
}

/// The plan of a segment, set by one thread. An object of its own: two threads must not change one array.
final class PlanSlot {
  var plan: SegmentPlan?
  var references: [OpenReference] = []
  /// What a segment's values differ from: as many bytes, until all blocks are coded.
  var base: Memory?
  private let codedCount = Atomic(0)

  /// A block is coded; the last of them lets the base go.
  func endBlock(_ pool: MemoryPool) {
    guard codedCount.add(1, ordering: .acquiringAndReleasing).newValue == plan?.blockCount else { return }
    release(pool)
  }

  /// Lets the base go.
  func release(_ pool: MemoryPool) {
    pool.give(base)
    base = nil
    references = []
  }
}

/// One block to encode. Touched by one thread.
final class PackJob {
  let segment: Int
  let block: Int
  let place: Int
  let bound: Int
  private(set) var entry: BlockTableEntry?

  init(segment: Int, block: Int, place: Int, bound: Int) {
    self.segment = segment
    self.block = block
    self.place = place
    self.bound = bound
  }

  func run(_ batch: PackBatch, by worker: PackWorker, _ pool: MemoryPool) throws(SwzipError) {
    let plan = batch.plans[segment].plan!
    let source = unsafe UnsafeRawBufferPointer(
      rebasing: batch.bytes(ofSegment: segment)[plan.bytes(ofBlock: block)])
    let base = unsafe batch.base(ofSegment: segment, plan.bytes(ofBlock: block))
    entry = try unsafe worker.encode(
      plan, block, source, references: batch.plans[segment].references, base: base, into: batch.frame(self))
    batch.plans[segment].endBlock(pool)
  }
}

/// What one thread needs to encode blocks, and to decode them again for comparison.
final class PackWorker {
  let scratch: EncodeScratch
  private let verifier: (scratch: DecodeScratch, decoder: SegmentDecoder)?
  private var decoded: Memory?
  private var verifiedPlan: SegmentPlan?
  private var frameMemory: Memory?
  private var castMemory: Memory?

  init(verify: Bool, effort: Effort) throws(SwzipError) {
    scratch = try EncodeScratch(blockValues: effort.largestBlock)
    verifier = verify ? (try DecodeScratch(), SegmentDecoder()) : nil
  }

  /// A frame of at least `byteCount` bytes and slack, for a block at a time.
  func frame(_ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if frameMemory?.byteCount ?? 0 < byteCount + Limits.slack { frameMemory = try Memory(byteCount + Limits.slack) }
    return unsafe frameMemory!.bytes
  }

  /// The header as a reader will find it: what is written must be readable too.
  private func written(_ header: SegmentHeader) throws(SwzipError) -> SegmentHeader {
    let frame = header.frame(number: 0).bytes
    do throws(SwzipError) {
      var reader = unsafe ByteReader(frame.span.bytes, at: 0)
      _ = try reader.array(Frame.headerBytes)
      guard try SegmentHeader.read(&reader) == header else { throw SwzipError(.io, .encoderFault) }
    } catch {
      throw SwzipError(.io, .encoderFault)
    }
    return header
  }

  /// Reads what a block of a cast refers to.
  private func castBytes(
    _ plan: SegmentPlan, _ block: Int, _ references: [OpenReference]
  ) throws(SwzipError) -> UnsafeRawBufferPointer? {
    guard let reference = references.first, let width = plan.header.cast?.reference.width else { return nil }
    let count = plan.header.valueCount(ofBlock: UInt64(block)) * width
    if castMemory?.byteCount ?? 0 < count { castMemory = try Memory(count) }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: castMemory!.bytes[..<count])
    try unsafe reference.read(at: UInt64(block * Int(plan.header.blockValues) * width), into: target)
    return UnsafeRawBufferPointer(target)
  }

  /// Encodes a block and, if asked for, decodes it again and compares every byte. `base`: what its values differ from.
  func encode(
    _ plan: SegmentPlan, _ block: Int, _ source: UnsafeRawBufferPointer, references: [OpenReference] = [],
    base: UnsafeRawBufferPointer? = nil, into frame: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> BlockTableEntry {
    let cast = try unsafe castBytes(plan, block, references)
    let reference = unsafe base ?? cast
    let entry = unsafe plan.encode(block, source, reference: reference, into: frame, scratch: scratch)
    if plan.header.codec == .copy {
      // Copies within the container were compared when they were found.
      if let base = unsafe base, unsafe !equalBytes(base, source) { throw PlannedMember.changed }
      return entry
    }
    guard let verifier else { return entry }
    if verifiedPlan !== plan {
      verifier.decoder.begin(try written(plan.header))
      verifiedPlan = plan
    }
    if decoded?.byteCount ?? 0 < source.count { decoded = try Memory(source.count) }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: decoded!.bytes[..<source.count])
    do throws(SwzipError) {
      try unsafe verifier.decoder.decode(
        UnsafeRawBufferPointer(rebasing: frame[..<entry.frameByteCount]), block: UInt64(block), into: target,
        policy: .strict, entry: entry, scratch: verifier.scratch, position: 0
      ) { number, offset, target throws(SwzipError) in
        if plan.header.prediction != .same {
          try unsafe references[number].read(at: offset, into: target)
          return nil
        }
        guard let reference = unsafe reference, reference.count == target.count else {
          throw SwzipError(.io, .encoderFault)
        }
        return unsafe LentBytes(reference, owner: plan)
      }
    } catch {
      throw SwzipError(.io, .encoderFault)
    }
    guard unsafe equalBytes(UnsafeRawBufferPointer(target), source) else { throw SwzipError(.io, .encoderFault) }
    return entry
  }
}
