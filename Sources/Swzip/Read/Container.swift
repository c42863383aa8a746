public import SwzipCore
internal import SwzipSystem

/// A container opened at random: its index is read and checked, blocks are decoded when asked for. It remembers what it has
/// opened and decoded, bounded in bytes, and the scratch of as many threads as ever worked at once.
///
/// `read` may be called by several threads at once.
public final class Container: Sendable {
  let source: any RandomSource
  package let index: ContainerIndex
  /// The files in it, those of bundles one by one: what the public interface calls members.
  package let files: [FilePlace]
  public let containerByteCount: UInt64
  /// The container's last bytes, as they were read when it was opened.
  private let tail: (start: UInt64, bytes: [UInt8])
  let rules: ReferenceRules
  /// Whether it is read for another container that refers to it.
  let isBase: Bool
  let bases: OpenBases
  let opened = SegmentCache()
  let decoded = BlockCache()
  let workers = WorkerPool()
  let listed = Guarded<Tensors?>(nil)

  /// What is read of the end, in one piece.
  static let tailByteCount: UInt64 = 256 << 10

  /// Opens a container. Reads its last 256 KiB and its header; more only if the directory is larger.
  /// Throws what is wrong with the container. `bases`: where it may find the files that it refers to; they are looked for when
  /// the first block needs one.
  public convenience init(_ source: any RandomSource, bases: (any BaseResolver)? = nil) throws(SwzipError) {
    try self.init(source, bases: bases, path: [])
  }

  /// As above; nil if the source begins as no container does.
  public convenience init?(container source: any RandomSource, bases: (any BaseResolver)? = nil) throws(SwzipError) {
    guard try source.beginsContainer() else { return nil }
    try self.init(source, bases: bases, path: [])
  }

  /// A member as the file it was.
  public func source(ofMember member: Int) -> any RandomSource { MemberSource(self, member: member) }

  /// `path`: digests of the bases that this is read for.
  init(
    _ source: any RandomSource, bases: (any BaseResolver)?, path: [Digest], _ proof: ProofTime = .before
  ) throws(SwzipError) {
    self.bases = OpenBases(bases, path: path, proof)
    isBase = !path.isEmpty
    self.source = source
    let byteCount = source.byteCount
    containerByteCount = byteCount
    let header = try source.bytes(at: 0, count: Int(min(byteCount, UInt64(FileHeader.byteCount))))
    _ = try FileHeader.read(header)
    guard byteCount >= 192 else { throw SwzipError(.corrupt, .truncated, at: byteCount) }
    let tailByteCount = min(byteCount, Self.tailByteCount)
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
    rules = ReferenceRules(index.header, index.directory)
    self.tail = (tailStart, tail)
    files = try FilePlace.all(index, source)
  }

  /// Bytes of `member` from `offset` on, exactly as many as `buffer` holds. Decodes the blocks that overlap; each is
  /// verified by `policy` before any of its bytes is in `buffer` to stay. After a throw the content of `buffer` is open.
  public func read(
    member: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy = .strict,
    threads: Int = 1, control: Control? = nil, progress: ProgressHandler? = nil
  ) throws(SwzipError) {
    guard files.indices.contains(member), offset <= files[member].byteCount,
      UInt64(buffer.count) <= files[member].byteCount - offset
    else { throw SwzipError(.invalidArgument, .range) }
    let request = unsafe ReadRequest(
      file: self, member: files[member].member, offset: files[member].offset + offset, buffer: buffer, policy: policy,
      control: control)
    try run(request, threads: threads, progress)
  }

  /// Bytes of a member by its number in the container, as references have it: a bundle counts as one. `depth`: how many
  /// references lead there.
  func read(
    containerMember: Int, offset: UInt64, into buffer: UnsafeMutableRawBufferPointer, policy: CheckPolicy = .strict,
    depth: Int = 1
  ) throws(SwzipError) {
    guard index.directory.members.indices.contains(containerMember),
      case let byteCount = index.directory.members[containerMember].byteCount, offset <= byteCount,
      UInt64(buffer.count) <= byteCount - offset
    else { throw SwzipError(.invalidArgument, .range) }
    let request = unsafe ReadRequest(
      file: self, member: containerMember, offset: offset, buffer: buffer, policy: policy, depth: depth)
    try run(request, threads: 1, nil)
  }

  private func run(_ request: ReadRequest, threads: Int, _ progress: ProgressHandler?) throws(SwzipError) {
    guard unsafe request.buffer.count > 0, !request.takeKnown() else { return }
    try workers.lend(max(1, threads)) { (workers) throws(SwzipError) in try request.run(on: workers, progress) }
  }

  /// Throws unless the frames of members are whole, which nobody needs who reads at random: with all blocks read and verified,
  /// no byte of the container has changed then.
  package func checkMemberFrames() throws(SwzipError) {
    for number in index.directory.members.indices { try checkFrame(ofMember: number) }
  }

  func checkFrame(ofMember number: Int) throws(SwzipError) {
    let position = index.framePositions[number]
    let bytes = try source.bytes(at: position, count: Int(index.directory.members[number].frameByteCount))
    var reader = unsafe ByteReader(bytes.span.bytes, at: position)
    let frame = try reader.record()
    guard frame.kind == .member, frame.tag == UInt32(number) else {
      throw SwzipError(.corrupt, .frameKind, at: position)
    }
  }

  /// The block tables of some segments that follow each other, in one piece; `source`: as it is read for the call.
  func tables(of numbers: Range<Int>, _ source: any RandomSource) throws(SwzipError) -> [SegmentTable] {
    guard let last = numbers.last else { return [] }
    let version = index.header.version
    let start = index.segments[numbers.lowerBound].tablePosition
    let end =
      index.segments[last].tablePosition
      + BlockTableEntry.tableByteCount(index.segments[last].record.blockCount, version)
    let bytes =
      start >= tail.start
      ? tail.bytes[Int(start - tail.start)..<Int(end - tail.start)]
      : try source.bytes(at: start, count: Int(end - start))[...]
    return try numbers.map { number throws(SwzipError) in
      let place = index.segments[number]
      let first = bytes.startIndex + Int(place.tablePosition - start)
      let count = Int(BlockTableEntry.tableByteCount(place.record.blockCount, version))
      return try SegmentTable(bytes[first..<(first + count)], place, version)
    }
  }
}
