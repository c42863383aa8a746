/// An opened index: every segment with its place in the container (spec/FORMAT.md, section 5).
package struct ContainerIndex: Sendable {
  package struct Place: Sendable {
    package var member: Int
    package var memberOffset: UInt64
    package var record: SegmentRecord
    package var framePosition: UInt64
    package var tablePosition: UInt64
    package var blocksPosition: UInt64 { framePosition + record.frameByteCount }
  }

  package let header: FileHeader
  package let directory: Directory
  private let memory: IndexMemory
  package let trailer: Trailer
  /// Where the block tables end; then padding.
  package let tablesEnd: UInt64
  /// All segments in container order.
  package let segments: [Place]
  /// Of each member's frame.
  package let framePositions: [UInt64]
  /// Number of the first segment of each member, and the end.
  package let firstSegment: [Int]

  /// Checks header, trailer and directory against each other. `directoryFrame`: its bytes, frame header included.
  /// `keepsPlaces`: for reading at random; else `segments` stays empty, and of the tensors those of bundles alone are kept.
  package init(
    header headerBytes: [UInt8], trailer: Trailer, directoryFrame: [UInt8], fileByteCount: UInt64,
    keepsPlaces: Bool = true
  ) throws(SwzipError) {
    header = try FileHeader.read(headerBytes)
    self.trailer = trailer
    (directory, memory) = try Self.readCounted(
      directoryFrame, at: trailer.directoryPosition, header.version, keepsTensors: keepsPlaces)
    guard trailer.rootOver(header: headerBytes, directory: directoryFrame) == trailer.root else {
      throw SwzipError(.corrupt, .root, at: fileByteCount - UInt64(Trailer.byteCount))
    }
    try Self.checkMembers(directory, header, at: trailer.directoryPosition)
    var places: [Place] = []
    var firsts: [Int] = []
    var frames: [UInt64] = []
    var position = UInt64(FileHeader.byteCount)
    var table = trailer.tablesPosition
    for (number, member) in directory.members.enumerated() {
      firsts.append(places.count)
      frames.append(position)
      position += member.frameByteCount
      guard position <= trailer.tablesPosition else {
        throw SwzipError(.corrupt, .tiling, at: trailer.directoryPosition)
      }
      var offset: UInt64 = 0
      for record in member.segments {
        guard record.frameByteCount + record.blocksByteCount <= trailer.tablesPosition,
          BlockTableEntry.tableByteCount(record.blockCount, header.version)
            <= trailer.directoryPosition - trailer.tablesPosition
        else { throw SwzipError(.corrupt, .tiling, at: trailer.directoryPosition) }
        if keepsPlaces {
          places.append(
            Place(
              member: number, memberOffset: offset, record: record, framePosition: position, tablePosition: table))
        }
        offset += record.byteCount
        position += record.frameByteCount + record.blocksByteCount
        table += BlockTableEntry.tableByteCount(record.blockCount, header.version)
        guard position <= trailer.tablesPosition, table <= trailer.directoryPosition else {
          throw SwzipError(.corrupt, .tiling, at: trailer.directoryPosition)
        }
      }
    }
    tablesEnd = table
    guard position == trailer.tablesPosition, (table + 15) & ~15 == trailer.directoryPosition else {
      throw SwzipError(.corrupt, .tiling, at: trailer.directoryPosition)
    }
    firsts.append(places.count)
    segments = places
    framePositions = frames
    firstSegment = firsts
  }

  /// What the header says of all members.
  private static func checkMembers(
    _ directory: Directory, _ header: FileHeader, at position: UInt64
  ) throws(SwzipError) {
    let members = directory.members
    let agrees: Bool =
      header.kind == .file
      ? members.count == 1 && members[0].bundle == nil && members[0].header.name.isEmpty
        && members[0].header.mode == nil
        && members[0].header.time == nil && members[0].header.link == nil
      : !members.isEmpty && !members.contains { $0.header.name.isEmpty && $0.bundle == nil }
    guard agrees else { throw SwzipError(.corrupt, .name, at: position) }
    var total: UInt64 = 0
    for member in members {
      guard member.byteCount <= UInt64(Int64.max) - total else { throw SwzipError(.corrupt, .limit, at: position) }
      total += member.byteCount
      guard header.mayFlags & FileHeader.memberSHA256 == 0 || member.header.storesSHA256 else {
        throw SwzipError(.corrupt, .indexAgrees, at: position)
      }
    }
    guard header.totalByteCount ?? total == total else { throw SwzipError(.corrupt, .indexAgrees, at: position) }
  }

  /// Verifies and reads a directory frame.
  package static func readDirectory(
    _ frame: [UInt8], at position: UInt64, _ version: FormatVersion = .current
  ) throws(SwzipError) -> Directory {
    try readCounted(frame, at: position, version, keepsTensors: true).directory
  }

  private static func readCounted(
    _ frame: [UInt8], at position: UInt64, _ version: FormatVersion, keepsTensors: Bool
  ) throws(SwzipError) -> (directory: Directory, memory: IndexMemory) {
    var reader = unsafe ByteReader(frame.span.bytes, at: position)
    let head = try reader.record()
    guard head.kind == .directory, head.tag == 0 else { throw SwzipError(.corrupt, .frameKind, at: position) }
    return try Directory.readCounted(&reader, version, keepsTensors: keepsTensors)
  }

  /// Number of the segment that holds byte `offset` of a member; the member is longer than that.
  package func segment(holding offset: UInt64, member: Int) -> Int {
    segments[firstSegment[member]..<firstSegment[member + 1]].partitioningIndex { $0.memberOffset > offset } - 1
  }
}
