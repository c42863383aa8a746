public import SwzipCore
internal import SwzipSystem

/// A container opened at random: its index is read and checked, blocks are decoded when asked for.
///
/// `read` may be called by several threads at once.
public final class SwzFile: Sendable {
  private let source: any RandomSource
  package let index: ContainerIndex
  /// The files in it, those of bundles one by one: what the public interface calls members.
  package let files: [FilePlace]
  public let containerByteCount: UInt64
  private let bases: OpenBases
  private let cache = BlockCache()
  private let open = OpenSegments()
  private let workers = ReadWorkers()

  /// Opens a container. Reads its last 256 KiB and its header; more only if the directory is larger.
  /// Throws what is wrong with the container. `bases`: where it may find the
  /// files that it refers to; they are looked for when the first block needs one.
  public convenience init(_ source: any RandomSource, bases: Bases? = nil) throws(SwzipError) {
    try self.init(source, bases: bases, path: [])
  }

  /// As above; nil if the source begins as no container does.
  public convenience init?(container source: any RandomSource, bases: Bases? = nil) throws(SwzipError) {
    guard try source.beginsContainer() else { return nil }
    try self.init(source, bases: bases, path: [])
  }

  /// A member as the file it was.
  public func source(ofMember member: Int) -> any RandomSource { MemberSource(self, member: member) }

  /// `path`: digests of the bases that this is read for.
  init(_ source: any RandomSource, bases: Bases?, path: [[UInt8]]) throws(SwzipError) {
    self.bases = OpenBases(bases, path: path)
    self.source = source
    let byteCount = source.byteCount
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
    try MemoryBudget.check(indexByteCount: Int(end - trailer.directoryPosition))
    let frame =
      trailer.directoryPosition >= tailStart
      ? Array(tail[Int(trailer.directoryPosition - tailStart)..<Int(end - tailStart)])
      : try source.bytes(at: trailer.directoryPosition, count: Int(end - trailer.directoryPosition))
    index = try ContainerIndex(header: header, trailer: trailer, directoryFrame: frame, fileByteCount: byteCount)
    let padding = Int(trailer.directoryPosition - index.tablesEnd)
    guard try source.bytes(at: index.tablesEnd, count: padding).allSatisfy({ $0 == 0 }) else {
      throw SwzipError(.corrupt, .padding, at: index.tablesEnd)
    }
    files = try FilePlace.all(index, source)
  }

  /// Bytes of `member` from `offset` on, exactly as many as `buffer` holds. Decodes the blocks that overlap; each is
  /// verified by `policy` before any of its bytes is in `buffer` to stay. After a throw the content of `buffer` is open.
  public func read(
    member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy = .strict,
    threads: Int = 1
  ) throws(SwzipError) {
    guard files.indices.contains(member), offset <= files[member].byteCount,
      UInt64(buffer.count) <= files[member].byteCount - offset
    else { throw SwzipError(.invalidArgument, .range) }
    try unsafe read(
      containerMember: files[member].member, offset: files[member].offset + offset, into: buffer, policy: policy,
      threads: threads, depth: 0)
  }

  /// Bytes of a member by its number in the container, as references have it: a bundle counts as one.
  func read(
    containerMember: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    guard index.directory.members.indices.contains(containerMember),
      case let byteCount = index.directory.members[containerMember].byteCount, offset <= byteCount,
      UInt64(buffer.count) <= byteCount - offset
    else { throw SwzipError(.invalidArgument, .range) }
    try unsafe read(
      containerMember: containerMember, offset: offset, into: buffer, policy: .strict, threads: 1, depth: 0)
  }

  /// Jobs gathered before threads are started.
  private static let gatheredBytes = 32 << 20
  /// Output that a byte of an open segment counts for: about 8 MiB may be open.
  private static let openCost = 4

  /// The range lies in the member.
  private func read(
    containerMember member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy,
    threads: Int, depth: Int
  ) throws(SwzipError) {
    guard buffer.count > 0 else { return }
    // The pointer is used inside the closure only.
    try workers.lend(max(1, threads)) { (workers) throws(SwzipError) in
      try unsafe read(member: member, offset: offset, into: buffer, policy: policy, on: workers, depth: depth)
    }
  }

  /// The same on these workers, for a range that is not empty and lies in the member.
  private func read(
    member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy,
    on workers: [ReadWorker], depth: Int
  ) throws(SwzipError) {
    let end = offset + UInt64(buffer.count)
    let streaming = buffer.count >= 8 << 20
    var number = index.segment(holding: offset, member: member)
    var jobs: [ReadJob] = []
    var gathered: UInt64 = 0
    while number < index.firstSegment[member + 1], index.segments[number].memberOffset < end {
      let place = index.segments[number]
      let segment = try open.segment(number) { () throws(SwzipError) in
        try OpenSegment(source, place, index.header.version, number: number, decoder: SegmentDecoder())
      }
      guard index.directory.members[member].bundle == nil || segment.decoder.header.references.isEmpty else {
        throw SwzipError(.corrupt, .reference, at: place.framePosition)
      }
      let from = max(offset, place.memberOffset) - place.memberOffset
      let to = min(end - place.memberOffset, place.record.byteCount)
      for block in segment.blocks(from: from, to: to) {
        let job = ReadJob(
          segment: segment, number: number, block: block,
          target: Int64(bitPattern: place.memberOffset) - Int64(bitPattern: offset))
        if workers.count == 1 {
          try unsafe run(job, on: workers[0], buffer, policy, streaming, member: member, depth: depth)
        } else {
          jobs.append(job)
        }
      }
      // What is open counts too: a hostile container may have many segments of few bytes, each with tables.
      gathered += place.record.byteCount + UInt64(Self.openCost * segment.byteCount)
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
    if let known = cache.block(key) {
      return unsafe known.withUnsafeBytes { unsafe Self.copy($0, to: start, of: buffer) }
    }
    let frame = try worker.frame(of: segment, job.block, source)
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
        frame.bytes, block: UInt64(job.block), into: out, policy: policy, entry: segment.entries[job.block],
        streaming: streaming && whole, scratch: worker.scratch, position: segment.positions[job.block],
        reference: reference)
    } catch {
      // The block is as it was stored: what it was decoded with is not, if nobody has proved it.
      let rules: [SwzipError.Rule] = [.decodedHash, .subStreams, .frameSize, .padding]
      guard rules.contains(error.rule), header.needsBase, !bases.bases.proves else { throw error }
      throw SwzipError(.base, .baseDiffers)
    }
    // What was wanted in part only is wanted again by who reads on from there.
    if !whole || bases.bases.keepsBlocks { unsafe cache.keep(out, as: key) }
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
  ) throws(SwzipError) -> LentBytes? {
    let records = index.directory.members[member].header.bases
    guard number < UInt64(records.count), offset <= UInt64(Int64.max) - length,
      offset + length <= records[Int(number)].byteCount
    else { throw SwzipError(.corrupt, .reference) }
    let source = try bases.source(number, of: member, records)
    if let lent = try source.borrow(at: offset + plus, count: target.count) { return lent }
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
      offset + length <= index.directory.members[Int(member)].byteCount,
      index.directory.members[Int(member)].bundle == nil
    else { throw SwzipError(.corrupt, .reference) }
    try unsafe read(
      containerMember: Int(member), offset: offset + plus, into: target, policy: policy, threads: 1, depth: depth)
  }
}

/// One block to decode, of segment `number`; `target`: offset of the segment in the caller's buffer.
private struct ReadJob {
  let segment: OpenSegment
  let number: Int
  let block: Int
  let target: Int64
}
