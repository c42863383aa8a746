package import SwzipNames

/// The directory frame (spec/FORMAT.md, section 5).
package struct Directory: Equatable, Sendable {
  package var members: [MemberRecord] = []

  package init() {}

  package func frame() throws(SwzipError) -> [UInt8] {
    var body = ByteWriter()
    body.integer(UInt32(members.count))
    body.integer(UInt32(members.reduce(0) { $0 + $1.segments.count }))
    body.integer(UInt32(members.reduce(0) { $0 + $1.tensors.count }))
    body.zeros(4)
    for member in members { member.write(&body) }
    Extensions.write(&body)
    guard body.bytes.count < Limits.frameBytes - 32 else { throw SwzipError(.refused, .limit) }
    return Frame.make(.directory, tag: 0, body: body).bytes
  }

  /// Reads a directory whose frame has been verified. `reader` stands after the frame's header.
  package static func read(_ reader: inout ByteReader, minor: UInt16) throws(SwzipError) -> Directory {
    let memberCount = try reader.integer(UInt32.self)
    let segmentCount = try reader.integer(UInt32.self)
    let tensorCount = try reader.integer(UInt32.self)
    try reader.reserved(4)
    guard memberCount <= Limits.members, tensorCount <= Limits.tensors else { throw reader.failure(.limit) }
    guard Int(memberCount) <= reader.remaining / MemberRecord.leastBytes else { throw reader.failure(.truncated) }
    var directory = Directory()
    directory.members.reserveCapacity(Int(memberCount))
    for _ in 0..<memberCount { directory.members.append(try MemberRecord.read(&reader, minor: minor)) }
    try Extensions.read(&reader)
    try reader.padding()
    guard directory.members.reduce(0, { $0 + $1.segments.count }) == Int(segmentCount),
      directory.members.reduce(0, { $0 + $1.tensors.count }) == Int(tensorCount)
    else { throw reader.failure(.indexAgrees) }
    var seen = Set<Exact>()
    for member in directory.members where !seen.insert(Exact(member.header.name)).inserted {
      throw SwzipError(.corrupt, .name, at: reader.position, detail: member.header.name)
    }
    try Self.checkLinks(directory.members.map(\.header), .corrupt)
    return directory
  }

  /// Throws `linkTarget` for a link that leads to no file or folder of `members`: out, nowhere or to a link.
  package static func checkLinks(_ members: [MemberHeader], _ kind: SwzipError.Kind) throws(SwzipError) {
    guard members.contains(where: { $0.link != nil }) else { return }
    var names = MemberNames()
    for member in members where member.link == nil { try names.add(member.name, kind) }
    for member in members {
      guard let link = member.link else { continue }
      guard let path = LinkTarget.resolve(link, from: member.name), names.contains(path) else {
        throw SwzipError(kind, .linkTarget, detail: member.name)
      }
    }
  }
}

/// One member in the directory, with its segments and tensors.
package struct MemberRecord: Equatable, Sendable {
  static let leastBytes = 27

  package var header: MemberHeader
  /// Bytes of the member frame.
  package var frameByteCount: UInt64
  package var checksum: Checksum128
  package var sha256: [UInt8]?
  package var segments: [SegmentRecord] = []
  package var tensors: [TensorRecord] = []

  package init(header: MemberHeader, frameByteCount: UInt64, checksum: Checksum128, sha256: [UInt8]?) {
    self.header = header
    self.frameByteCount = frameByteCount
    self.checksum = checksum
    self.sha256 = sha256
  }

  /// The length is always known here.
  package var byteCount: UInt64 { header.byteCount ?? 0 }

  func write(_ writer: inout ByteWriter) {
    writer.integer(header.type)
    writer.integer(header.flags | MemberHeader.knowsLength)
    writer.integer(header.mode ?? 0)
    writer.varint(UInt64(header.name.nameBytes.count))
    writer.array(header.name.nameBytes)
    if let link = header.link {
      writer.varint(UInt64(link.nameBytes.count))
      writer.array(link.nameBytes)
    }
    header.time?.write(&writer)
    writer.varint(byteCount)
    writer.varint(frameByteCount / 16)
    writer.integer(checksum.low)
    writer.integer(checksum.high)
    if let sha256 { writer.array(sha256) }
    writer.varint(UInt64(header.bases.count))
    for base in header.bases { base.write(&writer) }
    writer.varint(UInt64(segments.count))
    writer.varint(UInt64(tensors.count))
    for segment in segments { segment.write(&writer) }
    for tensor in tensors { tensor.write(&writer) }
  }

  static func read(_ reader: inout ByteReader, minor: UInt16) throws(SwzipError) -> MemberRecord {
    let isLink = try MemberHeader.readType(&reader, minor: minor)
    let flags = try reader.integer(UInt8.self)
    guard flags & 0xF0 == 0 else { throw reader.failure(.reservedBits, .unsupported) }
    guard flags & MemberHeader.knowsLength != 0 else { throw reader.failure(.indexAgrees) }
    let mode = try reader.integer(UInt16.self)
    guard mode & ~0o777 == 0, flags & MemberHeader.hasMode != 0 || mode == 0 else { throw reader.failure(.limit) }
    var header = MemberHeader()
    header.mode = flags & MemberHeader.hasMode != 0 ? mode : nil
    header.name = try MemberName.read(&reader, byteCount: try reader.count(itemBytes: 1, atMost: Limits.nameBytes))
    if isLink {
      let byteCount = try reader.count(itemBytes: 1, atMost: Limits.nameBytes)
      header.link = String(nameBytes: try reader.array(byteCount))
    }
    if flags & MemberHeader.hasTime != 0 { header.time = try FileTime.read(&reader, minor: minor) }
    header.byteCount = try reader.varint()
    let frameUnits = try reader.varint()
    guard frameUnits >= 1, frameUnits < 1 << 24 else { throw reader.failure(.limit) }
    header.storesSHA256 = flags & MemberHeader.hasSHA256 != 0
    let checksum = Checksum128(low: try reader.integer(UInt64.self), high: try reader.integer(UInt64.self))
    let sha256 = header.storesSHA256 ? try reader.array(32) : nil
    for _ in 0..<(try reader.count(itemBytes: 42, atMost: Limits.basesPerMember)) {
      header.bases.append(try BaseRecord.read(&reader))
    }
    try header.checkLink(reader)
    var member = MemberRecord(
      header: header, frameByteCount: frameUnits * 16, checksum: checksum, sha256: sha256)
    let segmentCount = try reader.count(itemBytes: SegmentRecord.leastBytes, atMost: .max)
    let tensorCount = try reader.count(itemBytes: TensorRecord.leastBytes, atMost: Limits.tensors)
    member.segments.reserveCapacity(segmentCount)
    member.tensors.reserveCapacity(tensorCount)
    var covered: UInt64 = 0
    for _ in 0..<segmentCount {
      let segment = try SegmentRecord.read(&reader)
      guard segment.byteCount <= member.byteCount - covered else { throw reader.failure(.tiling) }
      covered += segment.byteCount
      member.segments.append(segment)
    }
    guard covered == member.byteCount, !isLink || tensorCount == 0 else { throw reader.failure(.tiling) }
    for _ in 0..<tensorCount {
      member.tensors.append(try TensorRecord.read(&reader, memberBytes: member.byteCount))
    }
    return member
  }
}

/// One segment in the directory.
package struct SegmentRecord: Equatable, Sendable {
  static let leastBytes = 22

  package var byteCount: UInt64
  package var blockCount: UInt64
  /// Bytes of the segment frame.
  package var frameByteCount: UInt64
  /// Bytes of all its blocks.
  package var blocksByteCount: UInt64
  package var elementType: UInt8
  package var codec: UInt8
  package var frameHash: UInt64
  package var tableHash: UInt64

  package init(
    byteCount: UInt64, blockCount: UInt64, frameByteCount: UInt64, blocksByteCount: UInt64, elementType: UInt8,
    codec: UInt8, frameHash: UInt64, tableHash: UInt64
  ) {
    self.byteCount = byteCount
    self.blockCount = blockCount
    self.frameByteCount = frameByteCount
    self.blocksByteCount = blocksByteCount
    self.elementType = elementType
    self.codec = codec
    self.frameHash = frameHash
    self.tableHash = tableHash
  }

  func write(_ writer: inout ByteWriter) {
    writer.varint(byteCount)
    writer.varint(blockCount)
    writer.varint(frameByteCount / 16)
    writer.varint(blocksByteCount / 16)
    writer.integer(elementType)
    writer.integer(codec)
    writer.integer(frameHash)
    writer.integer(tableHash)
  }

  static func read(_ reader: inout ByteReader) throws(SwzipError) -> SegmentRecord {
    let byteCount = try reader.varint()
    let blockCount = try reader.varint()
    let frameUnits = try reader.varint()
    let blockUnits = try reader.varint()
    guard byteCount >= 1, blockCount >= 1, blockCount <= byteCount, frameUnits >= 1, frameUnits < 1 << 24,
      blockUnits < 1 << 58
    else { throw reader.failure(.limit) }
    return SegmentRecord(
      byteCount: byteCount, blockCount: blockCount, frameByteCount: frameUnits * 16,
      blocksByteCount: blockUnits * 16, elementType: try reader.integer(UInt8.self),
      codec: try reader.integer(UInt8.self), frameHash: try reader.integer(UInt64.self),
      tableHash: try reader.integer(UInt64.self))
  }
}

/// One tensor in the directory: a name for a range of its member.
package struct TensorRecord: Equatable, Sendable {
  static let leastBytes = 4

  @Exact package var name: String
  package var elementType: ElementType
  package var shape: [UInt64]
  package var offset: UInt64
  package var byteCount: UInt64

  package init(name: String, elementType: ElementType, shape: [UInt64], offset: UInt64, byteCount: UInt64) {
    self.name = name
    self.elementType = elementType
    self.shape = shape
    self.offset = offset
    self.byteCount = byteCount
  }

  /// Bytes of a tensor of that type and shape, nil if they are no whole number, if they or a dimension do not fit 63 bits, or if a block type
  /// does not divide the rows.
  package static func byteCount(of elementType: ElementType, shape: [UInt64]) -> UInt64? {
    guard shape.allSatisfy({ $0 < 1 << 63 }) else { return nil }
    if shape.contains(0) { return 0 }
    var shape = shape
    let perValue = UInt64(elementType.elementsPerValue)
    if perValue > 1 {
      guard let row = shape.popLast(), row % perValue == 0 else { return nil }
      shape.append(row / perValue)
    }
    var bits = UInt64(elementType.bitCount)
    for dimension in shape {
      let (product, overflow) = bits.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      bits = product
    }
    return bits % 8 == 0 ? bits / 8 : nil
  }

  func write(_ writer: inout ByteWriter) {
    writer.varint(UInt64(name.utf8.count))
    writer.array(Array(name.utf8))
    writer.integer(elementType.rawValue)
    writer.integer(UInt8(shape.count))
    for dimension in shape { writer.varint(dimension) }
    writer.varint(offset)
  }

  static func read(_ reader: inout ByteReader, memberBytes: UInt64) throws(SwzipError) -> TensorRecord {
    let name = try reader.string(try reader.count(itemBytes: 1, atMost: 65535))
    guard let elementType = ElementType(rawValue: try reader.integer(UInt8.self)) else {
      throw reader.failure(.reservedBits, .unsupported)
    }
    let rank = try reader.integer(UInt8.self)
    guard rank <= Limits.rank else { throw reader.failure(.limit) }
    var shape: [UInt64] = []
    for _ in 0..<rank { shape.append(try reader.varint()) }
    let offset = try reader.varint()
    guard let byteCount = byteCount(of: elementType, shape: shape), offset <= memberBytes,
      byteCount <= memberBytes - offset
    else { throw reader.failure(.tensorRange) }
    return TensorRecord(name: name, elementType: elementType, shape: shape, offset: offset, byteCount: byteCount)
  }
}
