/// The account of a container in file order: block tables and directory. The writer makes its index from it; the forward
/// reader compares the index with it.
package struct ContainerAccount {
  /// Where the next byte goes.
  package private(set) var position: UInt64 = 0
  package private(set) var directory = Directory()
  package private(set) var tables = ByteWriter()
  package private(set) var segmentCount = 0
  private var segment: (header: SegmentHeader, frameByteCount: Int, hash: UInt64, tableStart: Int, blockBytes: UInt64)?

  /// About what the index will have, but for names.
  package var indexByteCount: Int { tables.bytes.count + segmentCount * SegmentRecord.leastBytes }

  package init() {}

  /// Bytes of the header.
  package mutating func add(byteCount: Int) { position += UInt64(byteCount) }

  package mutating func beginMember(_ member: MemberHeader, frameByteCount: Int) {
    directory.members.append(
      MemberRecord(
        header: member, frameByteCount: UInt64(frameByteCount), checksum: Checksum128(low: 0, high: 0), sha256: nil))
    position += UInt64(frameByteCount)
  }

  package mutating func beginSegment(_ header: SegmentHeader, frameByteCount: Int, hash: UInt64) {
    endSegment()
    segment = (header, frameByteCount, hash, tables.bytes.count, 0)
    segmentCount += 1
    position += UInt64(frameByteCount)
  }

  package mutating func add(_ entry: BlockTableEntry) {
    entry.write(&tables)
    position += UInt64(entry.frameByteCount)
    segment!.blockBytes += UInt64(entry.frameByteCount)
  }

  private mutating func endSegment() {
    guard let done = segment else { return }
    let table = Array(tables.bytes[done.tableStart...])
    directory.members[directory.members.count - 1].segments.append(
      SegmentRecord(
        byteCount: done.header.byteCount, blockCount: UInt64(table.count / BlockTableEntry.byteCount),
        frameByteCount: UInt64(done.frameByteCount), blocksByteCount: done.blockBytes,
        elementType: done.header.elementType.rawValue, codec: done.header.codec, frameHash: done.hash,
        tableHash: xxh3(table)))
    segment = nil
  }

  /// Ends the member that `beginMember` began.
  package mutating func endMember(
    byteCount: UInt64, checksum: Checksum128, sha256: [UInt8]?, tensors: [TensorRecord]
  ) {
    endSegment()
    let last = directory.members.count - 1
    directory.members[last].header.byteCount = byteCount
    directory.members[last].checksum = checksum
    directory.members[last].sha256 = sha256
    directory.members[last].tensors = tensors
  }

  /// Block tables, directory and trailer, which end the container.
  package func index(header: [UInt8]) throws(SwzipError) -> (bytes: [UInt8], root: [UInt8]) {
    let frame = try directory.frame()
    let trailer = Trailer(
      tablesPosition: position, directoryPosition: position + UInt64(tables.bytes.count), header: header,
      directory: frame)
    return (tables.bytes + frame + trailer.bytes, trailer.root)
  }
}
