internal import SwzipCore
internal import SwzipSystem

/// A range of a member, wanted in a buffer: planned in batches of segments, read in steps, decoded block by block.
@safe struct ReadRequest {
  let file: Container
  let member: Int
  let offset: UInt64
  let buffer: UnsafeMutableRawBufferPointer
  let policy: CheckPolicy
  /// How many references of this container lead here.
  private let depth: Int
  private let control: Control?
  /// Of its jobs: who waits for bytes need not then.
  private let failure = FirstFailure()
  /// Whether stores may go past the cache. Pages that nobody has touched are cleared when they are, and lie in the cache then:
  /// decoding to such took a fifth longer with these stores (Sapphire Rapids; `tools/bench/loading` reads to both).
  private let streaming: Bool
  /// Whether it is not small, and nobody has touched it: then the pages of a block are wanted at once, before it is decoded.
  private let isFresh: Bool

  init(
    file: Container, member: Int, offset: UInt64, buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy,
    depth: Int = 0, control: Control? = nil
  ) {
    (self.file, self.member, self.offset, self.policy) = (file, member, offset, policy)
    unsafe self.buffer = buffer
    (self.depth, self.control) = (depth, control)
    isFresh = unsafe buffer.count >= Self.leastFresh && !isTouched(buffer.baseAddress! + buffer.count / 2)
    streaming = buffer.count >= Self.leastStreamed && !isFresh
  }

  private var end: UInt64 { unsafe offset + UInt64(buffer.count) }
  private var index: ContainerIndex { file.index }

  /// Bytes of a batch, once they are decoded, and its segments.
  private static let batchBytes: UInt64 = 32 << 20
  private static let batchSegments = 1024
  private static let leastStreamed = 8 << 20
  private static let leastFresh = 256 << 10
  /// What is read at once of each reference of blocks in a row.
  private static let referenceBytes = 1 << 20

  /// `progress`: is told after each batch how much is done.
  func run(on workers: [ReadWorker], _ progress: ProgressHandler?) throws(SwzipError) {
    var number = index.segment(holding: offset, member: member)
    while number < index.firstSegment[member + 1], index.segments[number].memberOffset < end {
      let first = number
      var byteCount: UInt64 = 0
      while number < index.firstSegment[member + 1], index.segments[number].memberOffset < end,
        byteCount < Self.batchBytes, number < first + Self.batchSegments
      {
        byteCount += index.segments[number].record.byteCount
        number += 1
      }
      let plan = try plan(first..<number, threads: workers.count)
      try runJobs(threads: workers.count, count: plan.steps.count, control, failure) {
        step, worker throws(SwzipError) in
        try run(plan.steps[step], on: workers[worker], source(for: worker))
      }
      if let progress {
        let last = index.segments[number - 1]
        progress(min(end, last.memberOffset + last.record.byteCount) - offset)
      }
    }
  }

  /// The container as a worker reads it: the first asks the caller whether to go on, and what fails ends the others.
  private func source(for worker: Int) -> any RandomSource {
    file.source.watched { [failure, control] in !failure.isThere && (worker > 0 || control?.goesOn() ?? true) }
  }

  /// Copies a range that lies in one block which is remembered; false if it does not.
  func takeKnown() -> Bool { takeKnown(offset..<end) }

  /// Copies what the buffer holds of a range, which lies in one block; false if that is not remembered.
  private func takeKnown(_ range: Range<UInt64>) -> Bool {
    guard let known = file.decoded.block(holding: BlockCache.Place(member: member, range: range)) else { return false }
    copy(known)
    return true
  }

  // MARK: what is read

  /// What has to be read of some segments. Blocks that are remembered are taken at once.
  private func plan(_ numbers: Range<Int>, threads: Int) throws(SwzipError) -> ReadPlan {
    let known = numbers.map { file.opened.segment($0) }
    let closed = zip(numbers, known).filter { $0.1 == nil }.map(\.0)
    let span = closed.first.map { $0..<(closed[closed.count - 1] + 1) } ?? 0..<0
    let source = source(for: 0)
    let tables = try file.tables(of: span, source)
    let last = index.segments[numbers.upperBound - 1]
    var plan = unsafe ReadPlan(
      byteCount: last.blocksPosition + last.record.blocksByteCount - index.segments[numbers.lowerBound].framePosition,
      threads: threads, source.steps(for: buffer.count))
    for (number, known) in zip(numbers, known) {
      let place = index.segments[number]
      let (from, to) = wanted(of: place)
      let segment: OpenSegment
      if let known {
        segment = known
      } else {
        let table = tables[number - span.lowerBound]
        let blocks = table.blocks(from: from, to: to, of: place.record.byteCount)
        if let blocks, plan.add(number, place, table, blocks) { continue }
        // Its header says which blocks are wanted, or is wanted at several steps.
        segment = try open(number, OpenSegment.readHeader(source, place, number: number), table)
      }
      for block in segment.blocks(from: from, to: to) where !takeKnown(segment.range(ofBlock: block)) {
        plan.add(block: block, of: number, segment)
      }
    }
    return plan
  }

  private func open(_ number: Int, _ header: SegmentHeader, _ table: SegmentTable) throws(SwzipError) -> OpenSegment {
    let place = index.segments[number]
    guard file.rules.allows(header, of: member) else {
      throw SwzipError(.corrupt, .reference, at: place.framePosition)
    }
    let segment = try OpenSegment(header, table, place)
    file.opened.keep(segment, as: number)
    return segment
  }

  /// Bytes of a segment that are wanted.
  private func wanted(of place: ContainerIndex.Place) -> (from: UInt64, to: UInt64) {
    let from = max(offset, place.memberOffset) - place.memberOffset
    return (from, min(end - place.memberOffset, place.record.byteCount))
  }

  // MARK: steps

  private func run(
    _ step: ReadPlan.Step, on worker: ReadWorker, _ source: any RandomSource
  ) throws(SwzipError) {
    let bytes = try worker.bytes(step.range, of: source)
    for part in step.parts {
      let segment: OpenSegment
      switch part.segment {
      case .open(let known): segment = known
      case .closed(let table):
        let place = index.segments[part.number]
        let frame = bytes.part(
          at: Int(place.framePosition - step.range.lowerBound), count: Int(place.record.frameByteCount))
        let header = try unsafe OpenSegment.readHeader(frame.bytes.bytes, place, number: part.number)
        segment = try open(part.number, header, table)
      }
      let header = segment.decoder.header
      let unit = Int(header.blockValues) * header.referenceWidth
      let most = header.refers ? max(1, Self.referenceBytes / unit) : part.blocks.count
      for first in stride(from: part.blocks.lowerBound, to: part.blocks.upperBound, by: most) {
        let blocks = first..<min(first + most, part.blocks.upperBound)
        let references = unsafe ReferenceWindow(header, blocks, worker) {
          reference, offset, target throws(SwzipError) in
          try unsafe read(reference, at: offset, into: target)
        }
        for block in blocks where !takeKnown(segment.range(ofBlock: block)) {
          let frame = segment.table.range(ofBlock: block)
          try decode(
            block, of: segment,
            bytes.part(
              at: Int(frame.lowerBound - step.range.lowerBound), count: Int(frame.upperBound - frame.lowerBound)),
            references, on: worker)
        }
      }
    }
  }

  // MARK: blocks

  /// Decodes one block straight into the buffer, or into memory that is kept where only a part of it is wanted.
  private func decode(
    _ block: Int, of segment: OpenSegment, _ frame: LentBytes, _ references: ReferenceWindow,
    on worker: ReadWorker
  ) throws(SwzipError) {
    let range = segment.range(ofBlock: block)
    let isWhole = range.lowerBound >= offset && range.upperBound <= end
    let place = BlockCache.Place(member: member, range: range)
    let isReferredTo = depth > 0 || file.isBase
    let part = try isWhole ? nil : file.decoded.room(for: place, taking: offset..<end, reuses: !isReferredTo)
    let out = unsafe UnsafeMutableRawBufferPointer(
      rebasing: part?.memory.bytes[..<range.count] ?? buffer[Int(range.lowerBound - offset)...].prefix(range.count))
    if isWhole, isFresh { unsafe touch(out) }
    do throws(SwzipError) {
      try unsafe segment.decoder.decode(
        frame.bytes, block: UInt64(block), into: out, policy: policy, entry: segment.table.entries[block],
        streaming: isWhole && streaming, scratch: worker.scratch,
        position: segment.table.positions[block],
        reference: references.read)
    } catch {
      // The block is as it was stored: what it was decoded with is not, if nobody has proved it.
      let rules: [SwzipError.Rule] = [.decodedHash, .subStreams, .frameSize, .padding]
      guard rules.contains(error.rule), segment.decoder.header.needsBase, !file.bases.proves else { throw error }
      throw SwzipError(.base, .baseDiffers)
    }
    guard let part else {
      if isReferredTo { try unsafe file.decoded.note(out, at: place) }
      return
    }
    copy(part)
    file.decoded.keep(part)
  }

  /// Copies what of a block lies in the buffer.
  private func copy(_ block: BlockCache.Block) {
    let range = block.place.range.clamped(to: offset..<end)
    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[Int(range.lowerBound - offset)...]).copyMemory(
      from: UnsafeRawBufferPointer(
        rebasing: block.bytes[Int(range.lowerBound - block.place.range.lowerBound)...].prefix(range.count)))
  }

  // MARK: references

  /// Bytes of what a segment of the member refers to, from `plus` in that range on; where they lie if they are in memory.
  private func read(
    _ reference: Reference, at plus: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes? {
    switch reference {
    case .earlier(let other, let start):
      // A copy of a copy is damage: chains of ranges that straddle blocks would double the work at each step.
      guard depth == 0 else { throw SwzipError(.corrupt, .reference) }
      try unsafe file.read(
        containerMember: Int(other), offset: start + plus, into: target, policy: policy, depth: depth + 1)
      return nil
    case .base(let number, let start):
      let records = index.directory.members[member].header.bases
      return try unsafe file.bases.source(number, of: member, records).lendBase(at: start + plus, into: target)
    }
  }
}
