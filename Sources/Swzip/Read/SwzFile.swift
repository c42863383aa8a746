public import SwzipCore
internal import SwzipSystem
internal import Synchronization

/// A container opened at random: its index is read and checked, blocks are decoded when asked for.
///
/// `read` may be called by several threads at once.
public final class SwzFile: Sendable {
  private let source: any InputSource
  package let index: ContainerIndex
  public let containerByteCount: UInt64
  private let bases: OpenBases
  private let cache = BlockCache()

  /// Opens a container. Reads its last 256 KiB and its header; more only if the directory is larger.
  /// Throws `notRandomAccess` for a pipe, and what is wrong with the container otherwise. `bases`: where it may find the
  /// files that it refers to; they are looked for when the first block needs one.
  public convenience init(_ source: any InputSource, bases: Bases? = nil) throws(SwzipError) {
    try self.init(source, bases: bases, path: [])
  }

  /// As above; nil if the source begins as no container does.
  public convenience init?(container source: any InputSource, bases: Bases? = nil) throws(SwzipError) {
    guard try source.beginsContainer() else { return nil }
    try self.init(source, bases: bases, path: [])
  }

  /// A member as the file it was.
  public func source(ofMember member: Int) -> any InputSource { MemberSource(self, member: member) }

  /// `path`: digests of the bases that this is read for.
  init(_ source: any InputSource, bases: Bases?, path: [[UInt8]]) throws(SwzipError) {
    self.bases = OpenBases(bases, path: path)
    guard let byteCount = source.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
    self.source = source
    containerByteCount = byteCount
    let header = try source.bytes(at: 0, count: Int(min(byteCount, UInt64(FileHeader.byteCount))))
    _ = try FileHeader.read(header)
    guard byteCount >= 192 else { throw SwzipError(.corrupt, .truncated, at: byteCount) }
    let tailByteCount = min(byteCount, 256 * 1024)
    let tailStart = byteCount - tailByteCount
    let tail = try source.bytes(at: tailStart, count: Int(tailByteCount))
    let trailer = try Trailer.read(Array(tail.suffix(Trailer.byteCount)), fileByteCount: byteCount)
    let end = byteCount - UInt64(Trailer.byteCount)
    guard end - trailer.directoryPosition <= UInt64(Limits.frameBytes) else {
      throw SwzipError(.corrupt, .limit, at: trailer.directoryPosition)
    }
    let frame =
      trailer.directoryPosition >= tailStart
      ? Array(tail[Int(trailer.directoryPosition - tailStart)..<Int(end - tailStart)])
      : try source.bytes(at: trailer.directoryPosition, count: Int(end - trailer.directoryPosition))
    index = try ContainerIndex(header: header, trailer: trailer, directoryFrame: frame, fileByteCount: byteCount)
  }

  /// Bytes of `member` from `offset` on, exactly as many as `buffer` holds. Decodes the blocks that overlap; each is
  /// verified by `policy` before any of its bytes is in `buffer` to stay. After a throw the content of `buffer` is open.
  public func read(
    member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy = .strict,
    threads: Int = 1
  ) throws(SwzipError) {
    try unsafe read(member: member, offset: offset, into: buffer, policy: policy, threads: threads, depth: 0)
  }

  /// Jobs gathered before threads are started.
  private static let gatheredBytes = 32 << 20

  private func read(
    member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy, threads: Int,
    depth: Int
  ) throws(SwzipError) {
    guard index.directory.members.indices.contains(member) else { throw SwzipError(.invalidArgument, .range) }
    let memberBytes = index.directory.members[member].byteCount
    guard offset <= memberBytes, UInt64(buffer.count) <= memberBytes - offset else {
      throw SwzipError(.invalidArgument, .range)
    }
    guard buffer.count > 0 else { return }
    let workers = try (0..<max(1, threads)).map { _ throws(SwzipError) in try ReadWorker() }
    let end = offset + UInt64(buffer.count)
    let streaming = buffer.count >= 8 << 20
    var number = index.segment(holding: offset, member: member)
    let shared = SegmentDecoder()
    var jobs: [ReadJob] = []
    var gathered: UInt64 = 0
    while number < index.firstSegment[member + 1], index.segments[number].memberOffset < end {
      let place = index.segments[number]
      // With one thread the tables of every segment lie in the same memory, which stays in the cache.
      let segment = try OpenSegment(source, place, number: number, decoder: threads == 1 ? shared : SegmentDecoder())
      let from = max(offset, place.memberOffset) - place.memberOffset
      let to = min(end - place.memberOffset, place.record.byteCount)
      for block in segment.blocks(from: from, to: to) {
        let job = ReadJob(
          segment: segment, number: number, block: block,
          target: Int64(bitPattern: place.memberOffset) - Int64(bitPattern: offset))
        if threads == 1 {
          try unsafe run(job, on: workers[0], buffer, policy, streaming, member: member, depth: depth)
        } else {
          jobs.append(job)
        }
      }
      // Tables count too: a hostile container may have many with few bytes.
      gathered += place.record.byteCount + UInt64(segment.decoder.header.tables.count) << 14
      if gathered >= UInt64(Self.gatheredBytes) {
        try unsafe run(jobs, on: workers, buffer, policy, streaming, member: member, depth: depth)
        (jobs, gathered) = ([], 0)
      }
      number += 1
    }
    try unsafe run(jobs, on: workers, buffer, policy, streaming, member: member, depth: depth)
  }

  private func run(
    _ jobs: [ReadJob], on workers: [ReadWorker], _ buffer: UnsafeMutableRawBufferPointer, _ policy: CheckPolicy,
    _ streaming: Bool, member: Int, depth: Int
  ) throws(SwzipError) {
    try runJobs(threads: workers.count, count: jobs.count) { job, worker throws(SwzipError) in
      try unsafe run(jobs[job], on: workers[worker], buffer, policy, streaming, member: member, depth: depth)
    }
  }

  /// Decodes one block straight into the buffer, or by way of memory where only a part of it is wanted.
  private func run(
    _ job: ReadJob, on worker: ReadWorker, _ buffer: UnsafeMutableRawBufferPointer, _ policy: CheckPolicy,
    _ streaming: Bool, member: Int, depth: Int
  ) throws(SwzipError) {
    let segment = job.segment
    let range = segment.bytes(ofBlock: job.block)
    let start = Int(job.target + Int64(range.lowerBound))
    let key = BlockCache.Key(segment: job.number, block: job.block)
    if segment.decoder.header.references.count > 1 { bases.bases.keepBlocks() }
    if bases.bases.keepsBlocks, let known = cache.block(key) {
      return unsafe known.withUnsafeBytes { unsafe Self.copy($0, to: start, of: buffer) }
    }
    let frame = try unsafe worker.frame(of: segment, job.block, source)
    let header = segment.decoder.header
    let reference: ReferenceReader = { number, offset, target throws(SwzipError) in
      switch header.references[number] {
      case .earlier(let other, let start):
        // A copy of a copy is damage: chains of ranges that straddle blocks would double the work at each step.
        guard depth == 0 else { throw SwzipError(.corrupt, .reference) }
        try unsafe self.readEarlier(
          member: other, offset: start, plus: offset, before: (member, header.memberOffset),
          length: header.referencedByteCount,
          into: target, policy: policy, depth: depth + 1)
        return nil
      case .base(let number, let start):
        return try unsafe self.readBase(
          number, offset: start, plus: offset, member, header.referencedByteCount, into: target)
      }
    }
    let whole = start >= 0 && start + range.count <= buffer.count
    let out =
      try unsafe whole
      ? UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + range.count)])
      : worker.partial(range.count)
    do throws(SwzipError) {
      try unsafe segment.decoder.decode(
        frame, block: UInt64(job.block), into: out, policy: policy, entry: segment.entries[job.block],
        streaming: streaming && whole, scratch: worker.scratch, position: segment.positions[job.block],
        reference: reference)
    } catch {
      // The block is as it was stored: what it was decoded with is not, if nobody has proved it.
      let rules: [SwzipError.Rule] = [.decodedHash, .subStreams, .frameSize, .padding]
      guard rules.contains(error.rule), header.needsBase, !bases.bases.proves else { throw error }
      throw SwzipError(.base, .baseDiffers)
    }
    if bases.bases.keepsBlocks { unsafe cache.keep(out, as: key) }
    if !whole { unsafe Self.copy(UnsafeRawBufferPointer(out), to: start, of: buffer) }
  }

  /// Copies what of a block lies in a buffer, which may begin within the block or end there.
  private static func copy(_ block: UnsafeRawBufferPointer, to start: Int, of buffer: UnsafeMutableRawBufferPointer) {
    let from = max(0, -start)
    let count = min(block.count, buffer.count - start) - from
    unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[(start + from)...]).copyMemory(
      from: UnsafeRawBufferPointer(rebasing: block[from..<(from + count)]))
  }

  /// Bytes of a base of `member`, in a range of `length` that must lie in it; those in memory where they lie.
  private func readBase(
    _ number: UInt64, offset: UInt64, plus: UInt64, _ member: Int, _ length: UInt64,
    into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> UnsafeRawBufferPointer? {
    let records = index.directory.members[member].header.bases
    guard number < UInt64(records.count), offset <= UInt64(Int64.max) - length,
      offset + length <= records[Int(number)].byteCount
    else { throw SwzipError(.corrupt, .reference) }
    let source = try bases.source(number, of: member, records)
    if let memory = source as? MemorySource, unsafe offset + plus + UInt64(target.count) <= memory.bytes.count {
      let start = Int(offset + plus)
      return unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[start..<(start + target.count)])
    }
    try unsafe source.readBase(at: offset + plus, into: target)
    return nil
  }

  /// Bytes that a copy segment refers to: they must lie before it.
  private func readEarlier(
    member: UInt64, offset: UInt64, plus: UInt64, before: (member: Int, offset: UInt64), length: UInt64,
    into target: UnsafeMutableRawBufferPointer, policy: CheckPolicy, depth: Int
  ) throws(SwzipError) {
    guard member <= UInt64(before.member), offset <= UInt64(Int64.max) - length,
      member < UInt64(before.member) || offset + length <= before.offset,
      offset + length <= index.directory.members[Int(member)].byteCount
    else { throw SwzipError(.corrupt, .reference) }
    try unsafe read(
      member: Int(member), offset: offset + plus, into: target, policy: policy, threads: 1, depth: depth)
  }
}

/// One block to decode, of segment `number`; `target`: offset of the segment in the caller's buffer.
private struct ReadJob {
  let segment: OpenSegment
  let number: Int
  let block: Int
  let target: Int64
}

/// Scratch of one thread.
private final class ReadWorker: @unchecked Sendable {  // one thread at a time, by the worker's number
  let scratch: DecodeScratch
  private var partialMemory: Memory?
  private var frameMemory: Memory?

  init() throws(SwzipError) { scratch = try DecodeScratch() }

  func partial(_ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if partialMemory?.byteCount ?? 0 < byteCount { partialMemory = try Memory(byteCount) }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: partialMemory!.bytes[..<byteCount])
  }

  /// The frame of a block: where it lies if the source is memory, else read into this worker's.
  func frame(
    of segment: OpenSegment, _ index: Int, _ source: any InputSource
  ) throws(SwzipError) -> UnsafeRawBufferPointer {
    let (position, count) = (segment.positions[index], segment.entries[index].frameByteCount)
    if let memory = source as? MemorySource {
      // The index's sums end before the trailer, so that slack follows every block.
      return unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[Int(position)..<(Int(position) + count)])
    }
    if frameMemory?.byteCount ?? 0 < count + Limits.slack { frameMemory = try Memory(count + Limits.slack) }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: frameMemory!.bytes[..<count])
    guard try unsafe source.read(at: position, into: target) == count else {
      throw SwzipError(.corrupt, .truncated, at: position)
    }
    return UnsafeRawBufferPointer(target)
  }
}
