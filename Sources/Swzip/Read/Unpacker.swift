internal import SwzipCore
internal import SwzipSystem

/// Reads a container forward: every hash is checked, blocks are decoded in batches of about 8 MiB, written in order, and
/// the index at the end must agree with what was read.
final class Unpacker {
  private let source: any ForwardSource
  private let members: (any MemberSinks)?
  /// Of the current member.
  private var sink: (any OutputSink)?
  private var names = MemberNames()
  private var links: [(name: String, target: String)] = []
  /// Lengths of the files of each bundle.
  private var bundleByteCounts: [Int: [UInt64]] = [:]
  /// Of what is no link.
  private var fileNames: [String] = []
  private let window: FrameWindow
  private let workers: [DecodeScratch]
  /// Made anew once the header tells the version.
  private var account = ContainerAccount()
  private var header: [UInt8] = []
  private var checksum: StreamChecksum
  private var sha256: SHA256Sum?
  private var memberBytes: UInt64 = 0
  private var written: UInt64 = 0
  private var root = ""
  /// What the segments of each finished member were summed to.
  private var sums: [(checksum: Checksum128, sha256: [[UInt8]], byteCount: UInt64)] = []
  /// Of a bundle, which has no sink of its own.
  private var bundle: BundleCutter?
  /// Number of the first file of each member, and of all files so far.
  private var firstFiles: [Int] = []
  private var fileCount = 0
  private var batch = DecodeBatch()
  private var pending: DecodeBatch?
  private var copies: [[Range<UInt64>]] = []
  private let progress: ProgressHandler?
  /// For references to earlier ranges, where the source can be read at random.
  private lazy var random = Result { () throws(SwzipError) -> SwzFile? in
    try source.random.map { source throws(SwzipError) in try SwzFile(source, bases: allowedBases) }
  }
  private let allowedBases: Bases?
  private let bases: OpenBases

  private static let batchBytes = 8 << 20
  /// What the decoders of a batch hold at most, but for one segment.
  private static let batchDecoderBytes = 8 << 20

  /// Without `members` everything is verified and nothing written.
  init(
    _ source: any ByteSource, _ members: (any MemberSinks)?, bases: Bases?, threads: Int, _ progress: ProgressHandler?
  ) throws(SwzipError) {
    allowedBases = bases
    self.bases = OpenBases(bases)
    let source = source.forward()
    self.source = source
    self.members = members
    self.progress = progress
    window = try FrameWindow(source)
    workers = try (0..<max(1, threads)).map { _ throws(SwzipError) in try DecodeScratch() }
    checksum = try StreamChecksum()
  }

  func run() throws(SwzipError) -> UnpackReport {
    header = try takeHeader()
    let fileHeader = try FileHeader.read(header)
    account = ContainerAccount(fileHeader.version)
    account.add(byteCount: header.count)
    while let kind = try nextKind() {
      switch kind {
      case .member: try beginMember(fileHeader)
      case .segment: try readSegment(fileHeader)
      default: throw SwzipError(.corrupt, .frameKind, at: window.position)
      }
    }
    try endMember()
    try readIndex()
    if !bundleByteCounts.isEmpty { try MemberNames.checkDistinct(fileNames + links.map(\.name)) }
    try LinkTarget.check(links, among: fileNames, .corrupt)
    for link in links { try members?.link(link.name, to: link.target) }
    var report = UnpackReport()
    report.rawByteCount = written
    report.packedByteCount = window.position
    report.memberCount = fileCount
    if fileHeader.kind == .file { report.checksum = sums.first?.checksum.hexadecimal ?? "" }
    report.root = root
    return report
  }

  private func takeHeader() throws(SwzipError) -> [UInt8] {
    _ = try window.fill(FileHeader.byteCount)
    guard window.holds(FileHeader.byteCount) else {
      let magic = FileHeader.magic
      // Shorter than a header: name the truth, not a truncated container, if it was none.
      guard window.holds(magic.count), unsafe [UInt8](window.peek(magic.count)) == magic else {
        throw SwzipError(.corrupt, .notAContainer, at: 0)
      }
      throw SwzipError(.corrupt, .truncated, at: 0)
    }
    return try window.take(FileHeader.byteCount)
  }

  /// Kind of the next frame; nil where the index begins.
  private func nextKind() throws(SwzipError) -> Frame.Kind? {
    guard try have(Frame.headerBytes) else { throw SwzipError(.corrupt, .truncated, at: window.position) }
    let kind = unsafe window.peek(4)[3]
    // A line of the block tables has 0 there: frames are below 2^24 units.
    guard kind != 0, kind != Frame.Kind.directory.rawValue else { return nil }
    guard let known = Frame.Kind(rawValue: kind) else { throw SwzipError(.corrupt, .frameKind, at: window.position) }
    return known
  }

  /// Whether `count` bytes are there. Reading more ends the batch, whose frames lie in the window.
  private func have(_ count: Int) throws(SwzipError) -> Bool {
    if window.holds(count) { return true }
    try flushBatch()
    return try window.fill(count)
  }

  /// A frame of records, verified and consumed.
  private func takeRecordFrame(tag: UInt32) throws(SwzipError) -> (bytes: [UInt8], hash: UInt64, position: UInt64) {
    let position = window.position
    let head = try unsafe readFrameHeader(window.peek(Frame.headerBytes), at: position)
    guard try have(head.byteCount) else { throw SwzipError(.corrupt, .truncated, at: position) }
    let bytes = try window.take(head.byteCount)
    guard head.tag == tag, unsafe bytes.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: tag) }) == head.storedHash
    else { throw SwzipError(.corrupt, .frameHash, at: position) }
    return (bytes, head.storedHash, position)
  }

  private func readFrameHeader(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) -> Frame {
    var reader = unsafe ByteReader(bytes.bytes, at: position)
    return try Frame.read(&reader)
  }

  // MARK: members and segments

  private func beginMember(_ fileHeader: FileHeader) throws(SwzipError) {
    if !account.directory.members.isEmpty { try endMember() }
    guard fileHeader.kind != .file || account.directory.members.isEmpty else {
      throw SwzipError(.corrupt, .frameKind, at: window.position)
    }
    let frame = try takeRecordFrame(tag: UInt32(account.directory.members.count))
    var reader = unsafe ByteReader(frame.bytes.span.bytes, at: frame.position)
    _ = try reader.array(Frame.headerBytes)
    let member = try MemberHeader.read(&reader, fileHeader.version)
    let isPlain = member.name.isEmpty && member.mode == nil && member.time == nil && member.type == .data
    let isNamed = fileHeader.kind != .file
    guard isNamed ? !member.name.isEmpty || member.type == .bundle : isPlain else {
      throw SwzipError(.corrupt, .name, at: frame.position)
    }
    if members != nil, isNamed {
      for name in member.files?.map(\.name) ?? [member.name] { try names.add(name, .corrupt) }
    }
    firstFiles.append(fileCount)
    fileCount += member.files?.count ?? 1
    if let files = member.files {
      bundleByteCounts[account.directory.members.count] = files.map(\.byteCount)
      bundle = BundleCutter(files, firstNumber: firstFiles.last ?? 0, storesSHA256: member.storesSHA256, members)
      sink = nil
    } else {
      bundle = nil
      sink = try member.link == nil ? members?.begin(MemberInfo(member), number: firstFiles.last ?? 0) : nil
    }
    if let link = member.link {
      links.append((member.name, link))
    } else if isNamed {
      fileNames += member.files?.map(\.name) ?? [member.name]
    }
    copies.append([])
    account.beginMember(member, frameByteCount: frame.bytes.count, hash: frame.hash)
    checksum = try StreamChecksum()
    sha256 = member.storesSHA256 && bundle == nil ? SHA256Sum() : nil
    memberBytes = 0
  }

  private func endMember() throws(SwzipError) {
    guard let member = account.directory.members.last else {
      throw SwzipError(.corrupt, .frameKind, at: window.position)
    }
    try flushBatch()
    try writePending()
    if let announced = member.header.byteCount, announced != memberBytes {
      throw SwzipError(.corrupt, .tiling, at: window.position)
    }
    if sink != nil { try members?.end() }
    let digests = try bundle?.finish() ?? sha256.map { [$0.finish()] } ?? []
    let sum = (checksum: checksum.sum, sha256: digests, byteCount: memberBytes)
    sums.append(sum)
    account.endMember(byteCount: memberBytes, checksum: sum.checksum, sha256: sum.sha256, tensors: [])
  }

  private func readSegment(_ fileHeader: FileHeader) throws(SwzipError) {
    guard !account.directory.members.isEmpty else { throw SwzipError(.corrupt, .frameKind, at: window.position) }
    let frame = try takeRecordFrame(tag: UInt32(truncatingIfNeeded: account.segmentCount))
    var reader = unsafe ByteReader(frame.bytes.span.bytes, at: frame.position)
    _ = try reader.array(Frame.headerBytes)
    let segment = try SegmentHeader.read(&reader)
    guard segment.memberOffset == memberBytes else { throw SwzipError(.corrupt, .tiling, at: frame.position) }
    account.beginSegment(segment, frameByteCount: frame.bytes.count, hash: frame.hash)
    try MemoryBudget.check(indexByteCount: account.indexByteCount, items: account.segmentCount + fileCount)
    try checkReferences(segment, fileHeader)
    let isCopy = segment.refersBack
    if isCopy {
      copies[copies.count - 1].append(segment.memberOffset..<(segment.memberOffset + segment.byteCount))
    }
    if batch.decoderByteCount + segment.decoderByteCount > Self.batchDecoderBytes { try flushBatch() }
    batch.beginSegment(decoderByteCount: segment.decoderByteCount)
    let random = isCopy ? try randomReader() : nil
    if isCopy, random == nil { try settle() }
    let decoder = SegmentDecoder()
    decoder.begin(segment)
    for index in 0..<segment.blockCount {
      try readBlock(index, of: decoder, random)
      // Without random access a copy needs all that stands before it to be written.
      if isCopy, random == nil { try settle() }
    }
  }

  /// Adds a block to the batch.
  private func readBlock(_ index: UInt64, of decoder: SegmentDecoder, _ random: SwzFile?) throws(SwzipError) {
    let segment = decoder.header
    guard try have(BlockHeader.byteCount) else { throw SwzipError(.corrupt, .truncated, at: window.position) }
    let block = try unsafe BlockHeader.read(window.peek(BlockHeader.byteCount), at: window.position)
    let valueCount = segment.valueCount(ofBlock: index)
    let outBytes = valueCount * segment.width
    guard block.valueCount == valueCount, block.frame.byteCount <= (outBytes + 15) & ~15 + Limits.blockOverhead else {
      throw SwzipError(.corrupt, .blockHeader, at: window.position)
    }
    guard try have(block.frame.byteCount) else { throw SwzipError(.corrupt, .truncated, at: window.position) }
    let isFull = batch.outByteCount + outBytes > Self.batchBytes || batch.decoderByteCount > Self.batchDecoderBytes
    if isFull, !batch.isEmpty { try flushBatch() }
    let reference = try unsafe referenceReader(segment, random)
    unsafe batch.add(
      DecodeJob(
        decoder: decoder, block: index, frame: window.peek(block.frame.byteCount), position: window.position,
        outOffset: batch.outByteCount, outByteCount: outBytes, reference: reference))
    account.add(
      BlockTableEntry(
        frameByteCount: block.frame.byteCount, storedHash: block.frame.storedHash, decodedHash: block.decodedHash))
    window.consume(block.frame.byteCount)
    memberBytes += UInt64(outBytes)
  }

  // MARK: references

  private func randomReader() throws(SwzipError) -> SwzFile? {
    switch random {
    case .success(let file): return file
    case .failure(let error): throw error
    }
  }

  /// Checks a segment's references: in range, before the segment, announced by the header.
  private func checkReferences(_ segment: SegmentHeader, _ fileHeader: FileHeader) throws(SwzipError) {
    guard bundle == nil || !segment.refers else { throw SwzipError(.corrupt, .reference, at: window.position) }
    for reference in segment.references {
      let (flag, offset, available): (UInt32, UInt64, UInt64) =
        switch reference {
        case .earlier(let member, let offset): (FileHeader.refersBack, offset, availableBytes(member, offset, segment))
        case .base(let number, let offset): (FileHeader.needsBase, offset, baseBytes(number))
        }
      guard fileHeader.mustFlags & flag != 0, offset <= UInt64(Int64.max) - segment.referencedByteCount,
        offset + segment.referencedByteCount <= available
      else { throw SwzipError(.corrupt, .reference, at: window.position) }
    }
  }

  /// Where the bytes of a member end that stand before `segment`; for a copy also where, from `offset` on, the next copy
  /// begins.
  private func availableBytes(_ member: UInt64, _ offset: UInt64, _ segment: SegmentHeader) -> UInt64 {
    let current = UInt64(account.directory.members.count - 1)
    let end = member == current ? segment.memberOffset : member < current ? sums[Int(member)].byteCount : 0
    guard member <= current else { return end }
    // No reference names a bundle.
    guard account.directory.members[Int(member)].bundle == nil else { return 0 }
    // Ranges ascend: the first that ends behind `offset`.
    let ranges = copies[Int(member)]
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count ? min(end, ranges[low].lowerBound) : end
  }

  private func baseBytes(_ number: UInt64) -> UInt64 {
    let bases = account.directory.members[account.directory.members.count - 1].header.bases
    return number < UInt64(bases.count) ? bases[Int(number)].byteCount : 0
  }

  /// Reads what a segment refers to.
  private func referenceReader(
    _ segment: SegmentHeader, _ random: SwzFile?
  ) throws(SwzipError) -> ReferenceReader? {
    guard segment.refers else { return nil }
    if segment.references.count > 1 { bases.bases.keepBlocks() }
    let readers = unsafe try segment.references.map { reference throws(SwzipError) in
      unsafe try rangeReader(reference, random)
    }
    return { number, offset, target throws(SwzipError) in
      try unsafe readers[number](offset, target)
      return nil
    }
  }

  private typealias RangeReader = (_ offset: UInt64, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Void

  /// Reads from a base, by decoding an earlier range again, or from what was written.
  private func rangeReader(_ reference: Reference, _ random: SwzFile?) throws(SwzipError) -> RangeReader {
    let current = account.directory.members.count - 1
    let (member, start): (UInt64, UInt64)
    switch reference {
    case .base(let number, let start):
      let source = try bases.source(number, of: current, account.directory.members[current].header.bases)
      return { offset, target throws(SwzipError) in try unsafe source.readBase(at: start + offset, into: target) }
    case .earlier(let number, let offset): (member, start) = (number, offset)
    }
    if let random {
      return { offset, target throws(SwzipError) in
        try unsafe random.read(containerMember: Int(member), offset: start + offset, into: target)
      }
    }
    return { [sink, members, firstFiles] offset, target throws(SwzipError) in
      if member < current, let members {
        try unsafe members.readBack(member: firstFiles[Int(member)], at: start + offset, into: target)
      } else {
        guard let sink else { throw SwzipError(.refused, .notRandomAccess) }
        try unsafe sink.readBack(at: start + offset, into: target)
      }
    }
  }

  // MARK: batches

  /// Decodes the batch; its output is written while the next one is decoded.
  private func flushBatch() throws(SwzipError) {
    guard !batch.isEmpty else { return }
    let before = pending
    pending = nil
    try batch.prepare()
    let current = batch
    try runJobs(threads: workers.count, count: 1 + current.jobs.count) { job, worker throws(SwzipError) in
      if job == 0 {
        if let before { try write(before) }
      } else {
        try current.jobs[job - 1].run(current, scratch: workers[worker])
      }
    }
    current.releaseJobs()
    pending = current
    batch = before ?? DecodeBatch()
    batch.restart()
  }

  private func writePending() throws(SwzipError) {
    guard let done = pending else { return }
    pending = nil
    try write(done)
  }

  /// Decodes and writes all that has been read.
  private func settle() throws(SwzipError) {
    try flushBatch()
    try writePending()
  }

  private func write(_ batch: DecodeBatch) throws(SwzipError) {
    let bytes = unsafe batch.output
    unsafe checksum.add(bytes)
    unsafe sha256?.add(bytes)
    try unsafe bundle?.write(bytes)
    try unsafe sink?.write(bytes)
    written += UInt64(bytes.count)
    progress?(written)
  }

  // MARK: index

  private func readIndex() throws(SwzipError) {
    let tablesPosition = window.position
    account.endTables()
    try unsafe window.take(account.tables.bytes.count) { (part, offset) throws(SwzipError) in
      let agrees = unsafe account.tables.bytes.withUnsafeBytes {
        unsafe equalBytes(part, UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + part.count)]))
      }
      guard agrees else { throw SwzipError(.corrupt, .indexAgrees, at: tablesPosition) }
    }
    let directoryPosition = window.position
    guard try window.fill(Frame.headerBytes) else { throw SwzipError(.corrupt, .truncated, at: directoryPosition) }
    let head = try unsafe readFrameHeader(window.peek(Frame.headerBytes), at: directoryPosition)
    guard head.kind == .directory else { throw SwzipError(.corrupt, .frameKind, at: directoryPosition) }
    try MemoryBudget.check(
      indexByteCount: head.byteCount + account.tables.bytes.count, items: account.segmentCount + fileCount)
    let frame = try window.take(head.byteCount)
    let trailerBytes = try window.take(Trailer.byteCount)
    let end = window.position
    let trailer = try Trailer.read(trailerBytes, fileByteCount: end)
    guard trailer.tablesPosition == tablesPosition, trailer.directoryPosition == directoryPosition else {
      throw SwzipError(.corrupt, .tiling, at: end - UInt64(Trailer.byteCount))
    }
    let index = try ContainerIndex(
      header: header, trailer: trailer, directoryFrame: frame, fileByteCount: end, keepsPlaces: false)
    try compare(index.directory, at: directoryPosition)
    root = swzipHexadecimal(trailer.root)
    if try window.fill(1) { throw SwzipError(.corrupt, .trailingBytes, at: end) }
  }

  /// The directory must say what was read: members with their sums, segments with their hashes.
  private func compare(_ directory: Directory, at position: UInt64) throws(SwzipError) {
    guard directory.members.count == account.directory.members.count else {
      throw SwzipError(.corrupt, .indexAgrees, at: position)
    }
    for (number, byteCounts) in bundleByteCounts {
      try BundleTensors.check(directory.members[number].tensors, byteCounts, at: position)
    }
    for (stored, read) in zip(directory.members, account.directory.members) {
      guard stored.checksum == read.checksum else { throw SwzipError(.corrupt, .memberHash, at: position) }
      guard stored.sha256 == read.sha256, stored.bundle?.sha256 == read.bundle?.sha256 else {
        throw SwzipError(.corrupt, .memberSHA256, at: position)
      }
      guard stored.header == read.header, stored.bundle == read.bundle, stored.frameByteCount == read.frameByteCount,
        stored.segments == read.segments
      else {
        throw SwzipError(.corrupt, .indexAgrees, at: position)
      }
    }
  }
}
