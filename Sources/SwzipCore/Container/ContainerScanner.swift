/// The grammar of a container, read forward (spec/FORMAT.md, sections 3 to 5): header; members, each with segments, each with
/// blocks; block tables, directory, trailer. A value that keeps no bytes but those of the index: it is shown what comes next,
/// and answers how much of that it needs, or what it was. Frames of records are verified here, blocks by who decodes them; sums
/// of members are told it, and the index must agree with all.
package struct ContainerScanner {
  package enum Found {
    case header(FileHeader)
    /// `file`: the number of its first file.
    case member(MemberHeader, file: Int)
    case segment(SegmentHeader)
    /// The bytes are its frame, of which the header alone was looked at.
    case block(BlockHeader, index: UInt64)
    /// The member is complete: `endMember` comes next.
    case memberEnd
    /// Nothing that stands alone.
    case indexPart
    /// The end, with the root.
    case end(root: [UInt8])
  }

  package enum Answer {
    /// So many bytes have to be there, of which none is taken yet.
    case needs(Int)
    case took(Int, Found)
  }

  private enum State {
    case header, records, blocks
    case tables(Int)
    case directory(start: UInt64, bytes: [UInt8], byteCount: Int)
    case trailer(directory: [UInt8], start: UInt64)
    case end(root: [UInt8])
  }

  private var state = State.header
  /// In the container, of the first byte that is not taken.
  package private(set) var position: UInt64 = 0
  private var header = FileHeader()
  private var headerBytes: [UInt8] = []
  private var account = ContainerAccount()
  private var rules = ReferenceRules(FileHeader())
  private var segment: SegmentHeader?
  private var nextBlock: UInt64 = 0
  private var memberBytes: UInt64 = 0
  private var isInMember = false
  private let checksNames: Bool
  private var names = MemberNames()
  private var fileNames: [String] = []
  package private(set) var links: [(name: String, target: String)] = []
  package private(set) var fileCount = 0
  /// Lengths of the files of each bundle.
  private var bundles: [Int: [UInt64]] = [:]

  /// `checksNames`: whether all names must be fit to exist beside each other; else only to differ.
  package init(checksNames: Bool) { self.checksNames = checksNames }

  private var member: Int { account.directory.members.count - 1 }

  /// What stands at `position`. `bytes`: all that is there from it on; `isEnd`: nothing follows them.
  package mutating func next(_ bytes: UnsafeRawBufferPointer, isEnd: Bool) throws(SwzipError) -> Answer {
    switch state {
    case .header:
      guard bytes.count >= FileHeader.byteCount || isEnd else { return .needs(FileHeader.byteCount) }
      return try unsafe readHeader(bytes)
    case .records:
      guard bytes.count >= Frame.headerBytes else { return try needs(Frame.headerBytes, isEnd) }
      return try unsafe readRecord(bytes, isEnd)
    case .blocks:
      guard bytes.count >= BlockHeader.byteCount else { return try needs(BlockHeader.byteCount, isEnd) }
      return try unsafe readBlock(bytes, isEnd)
    default:
      guard bytes.count > 0 || isEnd else { return .needs(1) }
      return try unsafe readIndex(bytes, isEnd)
    }
  }

  private func needs(_ count: Int, _ isEnd: Bool) throws(SwzipError) -> Answer {
    guard !isEnd else { throw SwzipError(.corrupt, .truncated, at: position) }
    return .needs(count)
  }

  private mutating func take(_ count: Int, _ found: Found) -> Answer {
    position += UInt64(count)
    return .took(count, found)
  }

  // MARK: records

  private mutating func readHeader(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) -> Answer {
    guard bytes.count >= FileHeader.byteCount else {
      // Shorter than a header: name the truth, not a truncated container, if it was none.
      let magic = FileHeader.magic
      guard bytes.count >= magic.count, unsafe bytes.prefix(magic.count).elementsEqual(magic) else {
        throw SwzipError(.corrupt, .notAContainer, at: 0)
      }
      throw SwzipError(.corrupt, .truncated, at: 0)
    }
    headerBytes = unsafe Array(bytes.prefix(FileHeader.byteCount))
    header = try FileHeader.read(headerBytes)
    account = ContainerAccount(header.version)
    account.add(byteCount: headerBytes.count)
    rules = ReferenceRules(header)
    state = .records
    return take(headerBytes.count, .header(header))
  }

  private mutating func readRecord(_ bytes: UnsafeRawBufferPointer, _ isEnd: Bool) throws(SwzipError) -> Answer {
    let kind = unsafe bytes[3]
    // A line of the block tables has 0 there: frames are below 2^24 units.
    let isIndex = kind == 0 || kind == Frame.Kind.directory.rawValue
    if isInMember, isIndex || kind == Frame.Kind.member.rawValue { return .took(0, .memberEnd) }
    if isIndex {
      guard member >= 0 else { throw SwzipError(.corrupt, .frameKind, at: position) }
      account.endTables()
      state = .tables(0)
      return .took(0, .indexPart)
    }
    var reader = unsafe ByteReader(bytes.bytes, at: position)
    let head = try Frame.read(&reader)
    switch head.kind {
    case .member where header.kind != .file || member < 0: break
    case .segment where isInMember: break
    default: throw SwzipError(.corrupt, .frameKind, at: position)
    }
    guard bytes.count >= head.byteCount else { return try needs(head.byteCount, isEnd) }
    let frame = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<head.byteCount])
    return try head.kind == .member ? unsafe readMember(frame) : unsafe readSegment(frame)
  }

  private mutating func readMember(_ frame: UnsafeRawBufferPointer) throws(SwzipError) -> Answer {
    var reader = unsafe ByteReader(frame.bytes, at: position)
    let head = try reader.record()
    guard head.tag == UInt32(account.directory.members.count) else {
      throw SwzipError(.corrupt, .frameHash, at: position)
    }
    let member = try MemberHeader.read(&reader, header.version)
    let isPlain = member.name.isEmpty && member.mode == nil && member.time == nil && member.type == .data
    let isNamed = header.kind != .file
    guard isNamed ? !member.name.isEmpty || member.type == .bundle : isPlain else {
      throw SwzipError(.corrupt, .name, at: position)
    }
    let file = fileCount
    let memberNames = isNamed ? member.files?.map(\.name) ?? [member.name] : []
    if checksNames { for name in memberNames { try names.add(name, .corrupt) } }
    fileCount += member.files?.count ?? 1
    if let link = member.link { links.append((member.name, link)) } else { fileNames += memberNames }
    bundles[self.member + 1] = member.files?.map(\.byteCount)
    account.beginMember(member, frameByteCount: head.byteCount, hash: head.storedHash)
    rules.beginMember(member)
    (isInMember, memberBytes) = (true, 0)
    return take(head.byteCount, .member(member, file: file))
  }

  private mutating func readSegment(_ frame: UnsafeRawBufferPointer) throws(SwzipError) -> Answer {
    var reader = unsafe ByteReader(frame.bytes, at: position)
    let head = try reader.record()
    guard head.tag == UInt32(truncatingIfNeeded: account.segmentCount) else {
      throw SwzipError(.corrupt, .frameHash, at: position)
    }
    let segment = try SegmentHeader.read(&reader)
    guard segment.memberOffset == memberBytes else { throw SwzipError(.corrupt, .tiling, at: position) }
    account.beginSegment(segment, frameByteCount: head.byteCount, hash: head.storedHash)
    try MemoryBudget.check(indexByteCount: account.indexByteCount, items: account.segmentCount + fileCount)
    guard rules.allows(segment, of: member) else { throw SwzipError(.corrupt, .reference, at: position) }
    rules.add(segment, to: member)
    (self.segment, nextBlock, state) = (segment, 0, .blocks)
    return take(head.byteCount, .segment(segment))
  }

  private mutating func readBlock(_ bytes: UnsafeRawBufferPointer, _ isEnd: Bool) throws(SwzipError) -> Answer {
    let block = try unsafe BlockHeader.read(
      UnsafeRawBufferPointer(rebasing: bytes[..<BlockHeader.byteCount]), at: position)
    let segment = self.segment!
    guard block.fits(segment, index: nextBlock) else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    guard bytes.count >= block.frame.byteCount else { return try needs(block.frame.byteCount, isEnd) }
    account.add(
      BlockTableEntry(
        frameByteCount: block.frame.byteCount, storedHash: block.frame.storedHash, decodedHash: block.decodedHash))
    memberBytes += UInt64(block.valueCount * segment.width)
    let index = nextBlock
    nextBlock += 1
    if nextBlock == segment.blockCount { state = .records }
    return take(block.frame.byteCount, .block(block, index: index))
  }

  /// The sums of the member that is complete. `sha256`: of its files, as far as they are stored.
  package mutating func endMember(checksum: Checksum128, sha256: [[UInt8]]) throws(SwzipError) {
    guard account.directory.members[member].header.byteCount ?? memberBytes == memberBytes else {
      throw SwzipError(.corrupt, .tiling, at: position)
    }
    account.endMember(byteCount: memberBytes, checksum: checksum, sha256: sha256, tensors: [])
    isInMember = false
  }

  // MARK: index

  private mutating func readIndex(_ bytes: UnsafeRawBufferPointer, _ isEnd: Bool) throws(SwzipError) -> Answer {
    func part(_ left: Int) throws(SwzipError) -> Int {
      guard bytes.count > 0 else { throw SwzipError(.corrupt, .truncated, at: position) }
      return min(bytes.count, left)
    }
    switch state {
    case .tables(let offset):
      let count = try part(account.tables.bytes.count - offset)
      let agrees = unsafe account.tables.bytes.withUnsafeBytes {
        unsafe equalBytes(
          UnsafeRawBufferPointer(rebasing: bytes[..<count]),
          UnsafeRawBufferPointer(rebasing: $0[offset...].prefix(count)))
      }
      guard agrees else { throw SwzipError(.corrupt, .indexAgrees, at: position - UInt64(offset)) }
      state = .tables(offset + count)
      if offset + count == account.tables.bytes.count {
        state = .directory(start: position + UInt64(count), bytes: [], byteCount: Frame.headerBytes)
      }
      return take(count, .indexPart)
    case .directory(let start, var directory, var byteCount):
      state = .header  // so that the bytes are not copied
      let count = try part(byteCount - directory.count)
      unsafe directory.append(contentsOf: bytes[..<count])
      if directory.count == byteCount, byteCount == Frame.headerBytes {
        var reader = unsafe ByteReader(directory.span.bytes, at: start)
        let head = try Frame.read(&reader)
        guard head.kind == .directory else { throw SwzipError(.corrupt, .frameKind, at: start) }
        byteCount = head.byteCount
        try MemoryBudget.check(
          indexByteCount: byteCount + account.tables.bytes.count, items: account.segmentCount + fileCount)
      }
      state =
        directory.count == byteCount
        ? .trailer(directory: directory, start: start)
        : .directory(start: start, bytes: directory, byteCount: byteCount)
      return take(count, .indexPart)
    case .trailer(let directory, let start):
      guard bytes.count >= Trailer.byteCount else { return try needs(Trailer.byteCount, isEnd) }
      let root = try unsafe checkIndex(
        directory, at: start, trailer: Array(bytes.prefix(Trailer.byteCount)), end: position + UInt64(Trailer.byteCount)
      )
      state = .end(root: root)
      return take(Trailer.byteCount, .indexPart)
    case .end(let root):
      guard bytes.count == 0 else { throw SwzipError(.corrupt, .trailingBytes, at: position) }
      return .took(0, .end(root: root))
    default: throw SwzipError(.corrupt, .frameKind, at: position)
    }
  }

  /// Returns the root.
  private func checkIndex(
    _ directory: [UInt8], at start: UInt64, trailer bytes: [UInt8], end: UInt64
  ) throws(SwzipError) -> [UInt8] {
    let trailer = try Trailer.read(bytes, fileByteCount: end)
    guard trailer.tablesPosition == start - UInt64(account.tables.bytes.count), trailer.directoryPosition == start
    else { throw SwzipError(.corrupt, .tiling, at: end - UInt64(Trailer.byteCount)) }
    let index = try ContainerIndex(
      header: headerBytes, trailer: trailer, directoryFrame: directory, fileByteCount: end, keepsPlaces: false)
    try compare(index.directory, at: start)
    if !bundles.isEmpty, !checksNames { try MemberNames.checkDistinct(fileNames + links.map(\.name)) }
    try LinkTarget.check(links, among: fileNames, .corrupt)
    return trailer.root
  }

  /// The directory must say what was read: members with their sums, segments with their hashes.
  private func compare(_ directory: Directory, at position: UInt64) throws(SwzipError) {
    guard directory.members.count == account.directory.members.count else {
      throw SwzipError(.corrupt, .indexAgrees, at: position)
    }
    for (number, byteCounts) in bundles {
      try BundleTensors.check(directory.members[number].tensors, byteCounts, at: position)
    }
    for (stored, read) in zip(directory.members, account.directory.members) {
      guard stored.checksum == read.checksum else { throw SwzipError(.corrupt, .memberHash, at: position) }
      guard stored.sha256 == read.sha256, stored.bundle?.sha256 == read.bundle?.sha256 else {
        throw SwzipError(.corrupt, .memberSHA256, at: position)
      }
      guard stored.header == read.header, stored.bundle == read.bundle, stored.frameByteCount == read.frameByteCount,
        stored.segments == read.segments
      else { throw SwzipError(.corrupt, .indexAgrees, at: position) }
    }
  }
}
