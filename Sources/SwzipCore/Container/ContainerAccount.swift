/// The account of a container in file order: block tables and directory. The writer makes its index from it; the forward
/// reader compares the index with it.
package struct ContainerAccount {
  /// Where the next byte goes.
  package private(set) var position: UInt64 = 0
  package private(set) var directory = Directory()
  package private(set) var tables = ByteWriter()
  package private(set) var segmentCount = 0
  private let version: FormatVersion
  private var segment: OpenSegment?

  /// About what the index will have, but for names.
  package var indexByteCount: Int { tables.bytes.count + segmentCount * SegmentRecord.leastBytes }

  private struct OpenSegment {
    let header: SegmentHeader
    let frameByteCount: Int
    let hash: UInt64
    /// Its first line in the block tables.
    let tableStart: Int
    var blockCount: UInt64 = 0
    var blockBytes: UInt64 = 0
    var lastDecodedHash: UInt64 = 0
  }

  package init(_ version: FormatVersion = .current) { self.version = version }

  /// Bytes of the header.
  package mutating func add(byteCount: Int) { position += UInt64(byteCount) }

  package mutating func beginMember(_ member: MemberHeader, frameByteCount: Int, hash: UInt64) {
    var record = MemberRecord(
      header: member, frameByteCount: UInt64(frameByteCount), checksum: Checksum128(low: 0, high: 0), sha256: nil)
    if let files = member.files {
      record.header.files = nil
      record.bundle = MemberRecord.Bundle(frameHash: hash, fileCount: files.count)
    }
    directory.members.append(record)
    position += UInt64(frameByteCount)
  }

  /// Of the member that `beginMember` began, once they are known; its frame is written anew.
  package mutating func setBases(_ bases: [BaseRecord], frameHash: UInt64) {
    let last = directory.members.count - 1
    directory.members[last].header.bases = bases
    directory.members[last].bundle?.frameHash = frameHash
  }

  package mutating func beginSegment(_ header: SegmentHeader, frameByteCount: Int, hash: UInt64) {
    endSegment()
    segment = OpenSegment(header: header, frameByteCount: frameByteCount, hash: hash, tableStart: tables.bytes.count)
    segmentCount += 1
    position += UInt64(frameByteCount)
  }

  package mutating func add(_ entry: BlockTableEntry) {
    entry.write(&tables, version)
    position += UInt64(entry.frameByteCount)
    segment!.blockCount += 1
    segment!.blockBytes += UInt64(entry.frameByteCount)
    segment!.lastDecodedHash = entry.decodedHash
  }

  private mutating func endSegment() {
    guard let done = segment else { return }
    let isListed = BlockTableEntry.tableByteCount(done.blockCount, version) > 0
    let table = isListed ? xxh3(Array(tables.bytes[done.tableStart...])) : done.lastDecodedHash
    if !isListed { tables.cut(to: done.tableStart) }
    directory.members[directory.members.count - 1].segments.append(
      SegmentRecord(
        byteCount: done.header.byteCount, blockCount: done.blockCount,
        frameByteCount: UInt64(done.frameByteCount), blocksByteCount: done.blockBytes,
        elementType: done.header.elementType.rawValue, codec: done.header.codec.rawValue, frameHash: done.hash,
        tableHash: table))
    segment = nil
  }

  /// What the directory says besides.
  package mutating func setExtensions(_ extensions: Extensions) { directory.extensions = extensions }

  /// Completes the block tables, once all segments are there.
  package mutating func endTables() { tables.pad() }

  /// Ends the member that `beginMember` began. `sha256`: of the file, or of each of a bundle's; none if they are not stored.
  package mutating func endMember(
    byteCount: UInt64, checksum: Checksum128, sha256: [[UInt8]], tensors: [TensorRecord]
  ) {
    endSegment()
    let last = directory.members.count - 1
    directory.members[last].header.byteCount = byteCount
    directory.members[last].checksum = checksum
    if directory.members[last].bundle == nil {
      directory.members[last].sha256 = sha256.first
    } else {
      directory.members[last].bundle!.sha256 = sha256
    }
    directory.members[last].tensors = tensors
  }

  /// Block tables, directory and trailer, which end the container.
  package mutating func index(header: [UInt8]) throws(SwzipError) -> (bytes: [UInt8], root: [UInt8]) {
    let frame = try directory.frame()
    endTables()
    let trailer = Trailer(
      tablesPosition: position, directoryPosition: position + UInt64(tables.bytes.count), header: header,
      directory: frame)
    return (tables.bytes + frame + trailer.bytes, trailer.root)
  }
}
