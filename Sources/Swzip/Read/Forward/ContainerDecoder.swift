public import SwzipCore

/// Decodes a container that arrives piece by piece, of any size: every hash is checked, blocks are decoded in batches of 2 to
/// 8 MiB, written in order, and the index at the end must agree with what was read. Without references to what passed, memory is
/// bounded whatever the size of the container. One thread at a time.
public final class ContainerDecoder {
  private let window: FrameWindow
  private var scanner: ContainerScanner
  private let pipeline: DecodePipeline
  private let output: MemberOutput
  private let references: ForwardReferences
  private let members: (any MemberSinks)?
  /// Of the segment whose blocks come next.
  private var decoder = SegmentDecoder()
  /// So many bytes have to be there before there is anything to do.
  private var needed = 0
  private var kind = FileHeader.Kind.file
  private var report: UnpackReport?

  /// `members`: where files go; without it everything is verified and nothing written. `bases`: what the container may refer
  /// to. Ranges that it repeats are read back from `members`.
  public convenience init(
    to members: (any MemberSinks)?, bases: (any BaseResolver)? = nil, threads: Int = 1, control: Control? = nil,
    progress: ProgressHandler? = nil
  ) throws(SwzipError) {
    try self.init(members, random: nil, expected: nil, bases: bases, threads: threads, control, progress)
  }

  /// As above, for a container of one file.
  public convenience init(
    to sink: any OutputSink, bases: (any BaseResolver)? = nil, threads: Int = 1, control: Control? = nil,
    progress: ProgressHandler? = nil
  ) throws(SwzipError) {
    try self.init(to: SingleMember(sink), bases: bases, threads: threads, control: control, progress: progress)
  }

  /// `random`: the container itself, where it can be read at any position; `expected`: its length.
  init(
    _ members: (any MemberSinks)?, random: (any RandomSource)?, expected: UInt64?, bases: (any BaseResolver)?,
    threads: Int,
    _ control: Control?, _ progress: ProgressHandler?
  ) throws(SwzipError) {
    self.members = members
    scanner = ContainerScanner(checksNames: members != nil)
    output = try MemberOutput(members, progress)
    pipeline = try DecodePipeline(threads: threads, control, output)
    window = try FrameWindow(expected: expected, batchBytes: pipeline.batchBytes)
    references = ForwardReferences(random, output, bases)
  }

  /// The next bytes of the container. Throws as soon as they cannot be those of one.
  public func push(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let room = try unsafe room()
      let count = min(room.count, rest.count)
      unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
      window.add(count)
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      try advance(isEnd: false)
    }
  }

  /// All bytes have come. Throws what is wrong with them as a whole.
  public func finish() throws(SwzipError) -> UnpackReport {
    if report == nil { try advance(isEnd: true) }
    return report!
  }

  /// All of a source.
  func run(_ source: any ForwardSource) throws(SwzipError) -> UnpackReport {
    var isEnd = false
    while !isEnd {
      let room = try unsafe room()
      let count = try unsafe source.read(into: room)
      window.add(count)
      isEnd = count < room.count
      try advance(isEnd: isEnd)
    }
    return try finish()
  }

  /// Room for more of the container. Frames that wait to be decoded lie in the window, until that has to move.
  private func room() throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if window.isFull { try blamingBases(pipeline.flush) }
    return try unsafe window.room()
  }

  /// What does not decode may be the fault of a base that is not yet proved.
  private func blamingBases(_ work: () throws(SwzipError) -> Void) throws(SwzipError) {
    do throws(SwzipError) { try work() } catch {
      if error.kind == .corrupt { try references.prove() }
      throw error
    }
  }

  /// Takes as much of what is there as it can.
  private func advance(isEnd: Bool) throws(SwzipError) {
    try blamingBases { () throws(SwzipError) in try take(isEnd) }
  }

  private func take(_ isEnd: Bool) throws(SwzipError) {
    while report == nil, isEnd || window.byteCount >= needed {
      switch try unsafe scanner.next(window.bytes, isEnd: isEnd) {
      case .needs(let count):
        needed = count
        return
      case .took(let count, let found):
        needed = 0
        let frame = unsafe UnsafeRawBufferPointer(rebasing: window.bytes[..<count])
        try unsafe take(found, frame)
        window.consume(count)
      }
    }
  }

  private func take(_ found: ContainerScanner.Found, _ frame: UnsafeRawBufferPointer) throws(SwzipError) {
    switch found {
    case .header(let header): kind = header.kind
    case .member(let member, let file):
      try output.begin(member, file: file)
      references.begin(member)
    case .segment(let segment):
      try pipeline.beginSegment(decoderByteCount: segment.decoderByteCount)
      decoder = SegmentDecoder()
      decoder.begin(segment)
      if references.needWrittenBytes(segment) { try pipeline.settle() }
    case .block(let block, let index):
      let segment = decoder.header
      let reference = try unsafe references.reader(of: segment)
      try unsafe pipeline.add(
        frame, of: decoder, block: index, position: scanner.position - UInt64(frame.count),
        outByteCount: block.valueCount * segment.width, reference)
      // Without random access a copy needs all that stands before it to be written.
      if references.needWrittenBytes(segment) { try pipeline.settle() }
    case .memberEnd:
      try pipeline.settle()
      let (checksum, sha256) = try output.end()
      try scanner.endMember(checksum: checksum, sha256: sha256)
    case .indexPart: break
    case .end(let root): try end(root)
    }
  }

  private func end(_ root: [UInt8]) throws(SwzipError) {
    for link in scanner.links { try members?.link(link.name, to: link.target) }
    var report = UnpackReport()
    report.rawByteCount = output.written
    report.packedByteCount = scanner.position
    report.memberCount = scanner.fileCount
    if kind == .file { report.checksum = output.checksum?.digest }
    report.root = Digest(root)
    self.report = report
  }
}
