package import SwzipNames

/// The directory frame (spec/FORMAT.md, section 5).
package struct Directory: Equatable, Sendable {
  package var members: [MemberRecord] = []
  package var extensions = Extensions()

  package init() {}

  /// Files, those of bundles one by one.
  package var fileCount: Int { members.reduce(0) { $0 + ($1.bundle?.fileCount ?? 1) } }

  package func frame() throws(SwzipError) -> [UInt8] {
    var body = ByteWriter()
    body.integer(UInt32(members.count))
    body.integer(UInt32(members.reduce(0) { $0 + $1.segments.count }))
    body.integer(UInt32(members.reduce(0) { $0 + $1.tensors.count }))
    body.integer(UInt32(fileCount))
    var list = ByteWriter()
    for member in members { member.write(&list) }
    TensorColumns.write(members, &list)
    guard list.bytes.count < Limits.frameBytes - 64 else { throw SwzipError(.refused, .limit) }
    PackedList.write(list.bytes, &body)
    extensions.write(&body)
    return Frame.make(.directory, tag: 0, body: body).bytes
  }

  /// Reads a directory whose frame has been verified. `reader` stands after the frame's header.
  package static func read(_ reader: inout ByteReader, _ version: FormatVersion) throws(SwzipError) -> Directory {
    try readCounted(&reader, version).directory
  }

  /// The same, and what counts for it. `keepsTensors`: else those of bundles alone are kept; all are checked.
  static func readCounted(
    _ reader: inout ByteReader, _ version: FormatVersion, keepsTensors: Bool = true
  ) throws(SwzipError) -> (directory: Directory, memory: IndexMemory) {
    let memberCount = try reader.integer(UInt32.self)
    let segmentCount = try reader.integer(UInt32.self)
    let tensorCount = try reader.integer(UInt32.self)
    let fileCount = version == .oldest ? memberCount : try reader.integer(UInt32.self)
    if version == .oldest { try reader.reserved(4) }
    guard memberCount <= Limits.members, fileCount <= Limits.members, tensorCount <= Limits.tensors else {
      throw reader.failure(.limit)
    }
    var directory = Directory()
    let memory: IndexMemory
    let tensors: Int
    func count(_ byteCount: Int) throws(SwzipError) -> IndexMemory {
      guard Int(segmentCount) <= byteCount / SegmentRecord.leastBytes else { throw reader.failure(.truncated) }
      return try IndexMemory(byteCount: byteCount, items: Int(segmentCount) + Int(fileCount) + Int(tensorCount))
    }
    if version == .oldest {
      memory = try count(reader.remaining)
      tensors = try directory.readRecords(&reader, memberCount, version, keepsTensors: keepsTensors)
    } else {
      let content = try PackedList.read(&reader)
      memory = try count(content.count)
      var list = unsafe ByteReader(content.span.bytes, at: reader.position)
      tensors = try directory.readRecords(&list, memberCount, version, keepsTensors: keepsTensors)
      guard list.remaining == 0 else { throw reader.failure(.trailingBytes) }
    }
    guard directory.fileCount == fileCount else { throw reader.failure(.indexAgrees) }
    directory.extensions = try Extensions.read(&reader)
    try reader.padding()
    guard directory.members.reduce(0, { $0 + $1.segments.count }) == Int(segmentCount), tensors == Int(tensorCount)
    else { throw reader.failure(.indexAgrees) }
    var seen = Set<Exact>()
    for member in directory.members where member.bundle == nil {
      guard seen.insert(Exact(member.header.name)).inserted else {
        throw SwzipError(.corrupt, .name, at: reader.position, detail: member.header.name)
      }
    }
    return (directory, memory)
  }

  /// Returns how many tensors there are.
  private mutating func readRecords(
    _ reader: inout ByteReader, _ memberCount: UInt32, _ version: FormatVersion, keepsTensors: Bool
  ) throws(SwzipError) -> Int {
    guard Int(memberCount) <= reader.remaining / MemberRecord.leastBytes else { throw reader.failure(.truncated) }
    members.reserveCapacity(Int(memberCount))
    var tensorCounts: [Int] = []
    for _ in 0..<memberCount {
      var (member, tensorCount) = try MemberRecord.read(&reader, version)
      if version == .oldest {
        member.tensors.reserveCapacity(keepsTensors ? tensorCount : 0)
        for _ in 0..<tensorCount {
          let tensor = try TensorRecord.read(&reader, memberBytes: member.byteCount)
          if keepsTensors { member.tensors.append(tensor) }
        }
      }
      members.append(member)
      tensorCounts.append(tensorCount)
    }
    if version > .oldest { try TensorColumns.read(&reader, tensorCounts, into: &members, keepsTensors: keepsTensors) }
    return tensorCounts.reduce(0, +)
  }
}

/// One member in the directory, with its segments and tensors.
package struct MemberRecord: Equatable, Sendable {
  static let leastBytes = 26

  package var header: MemberHeader
  /// Bytes of the member frame.
  package var frameByteCount: UInt64
  package var checksum: Checksum128
  package var sha256: [UInt8]?
  /// Of a bundle, instead of its file table, which its frame alone holds.
  package var bundle: Bundle?
  package var segments: [SegmentRecord] = []
  package var tensors: [TensorRecord] = []

  package struct Bundle: Equatable, Sendable {
    package var frameHash: UInt64
    package var fileCount: Int
    /// Of each file; empty if they are not stored.
    package var sha256: [[UInt8]] = []
  }

  package init(header: MemberHeader, frameByteCount: UInt64, checksum: Checksum128, sha256: [UInt8]?) {
    self.header = header
    self.frameByteCount = frameByteCount
    self.checksum = checksum
    self.sha256 = sha256
  }

  /// The length is always known here.
  package var byteCount: UInt64 { header.byteCount ?? 0 }

  func write(_ writer: inout ByteWriter) {
    writer.integer((bundle == nil ? header.type : .bundle).rawValue)
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
    if let bundle {
      writer.integer(bundle.frameHash)
      writer.varint(UInt64(bundle.fileCount))
      for sha256 in bundle.sha256 { writer.array(sha256) }
    } else if let sha256 {
      writer.array(sha256)
    }
    writer.varint(UInt64(header.bases.count))
    for base in header.bases { base.write(&writer) }
    writer.varint(UInt64(segments.count))
    writer.varint(UInt64(tensors.count))
    for segment in segments { segment.write(&writer) }
  }

  /// The record and its segments, and the number of its tensors, which are read next or, from version 0.2 on, last.
  static func read(
    _ reader: inout ByteReader, _ version: FormatVersion
  ) throws(SwzipError) -> (member: MemberRecord, tensorCount: Int) {
    let type = try MemberHeader.readType(&reader, version)
    let flags = try reader.integer(UInt8.self)
    guard flags & 0xF0 == 0 else { throw reader.failure(.reservedBits, .unsupported) }
    guard flags & MemberHeader.knowsLength != 0 else { throw reader.failure(.indexAgrees) }
    let mode = try reader.integer(UInt16.self)
    guard mode & ~0o777 == 0, flags & MemberHeader.hasMode != 0 || mode == 0 else { throw reader.failure(.limit) }
    var header = MemberHeader()
    header.mode = flags & MemberHeader.hasMode != 0 ? mode : nil
    header.name = try MemberName.read(&reader, byteCount: try reader.count(itemBytes: 1, atMost: Limits.nameBytes))
    if type == .link {
      let byteCount = try reader.count(itemBytes: 1, atMost: Limits.nameBytes)
      header.link = String(nameBytes: try reader.array(byteCount))
    }
    if flags & MemberHeader.hasTime != 0 { header.time = try FileTime.read(&reader, version) }
    header.byteCount = try reader.varint()
    let frameUnits = try reader.varint()
    guard frameUnits >= 1, frameUnits < 1 << 24 else { throw reader.failure(.limit) }
    header.storesSHA256 = flags & MemberHeader.hasSHA256 != 0
    let checksum = Checksum128(low: try reader.integer(UInt64.self), high: try reader.integer(UInt64.self))
    let bundle = type == .bundle ? try Bundle.read(&reader, storesSHA256: header.storesSHA256) : nil
    let sha256 = header.storesSHA256 && bundle == nil ? try reader.array(32) : nil
    for _ in 0..<(try reader.count(itemBytes: 42, atMost: Limits.basesPerMember)) {
      header.bases.append(try BaseRecord.read(&reader))
    }
    try header.checkLink(reader)
    if type == .bundle { try header.checkBundle(reader.failure(.blockHeader)) }
    var member = MemberRecord(
      header: header, frameByteCount: frameUnits * 16, checksum: checksum, sha256: sha256)
    member.bundle = bundle
    let segmentCount = try reader.count(itemBytes: SegmentRecord.leastBytes, atMost: .max)
    let tensorCount = try reader.count(itemBytes: TensorRecord.leastBytes, atMost: Limits.tensors)
    member.segments.reserveCapacity(segmentCount)
    var covered: UInt64 = 0
    for _ in 0..<segmentCount {
      let segment = try SegmentRecord.read(&reader)
      guard segment.byteCount <= member.byteCount - covered else { throw reader.failure(.tiling) }
      covered += segment.byteCount
      member.segments.append(segment)
    }
    guard covered == member.byteCount, type != .link || tensorCount == 0 else { throw reader.failure(.tiling) }
    return (member, tensorCount)
  }
}

extension MemberRecord.Bundle {
  fileprivate static func read(_ reader: inout ByteReader, storesSHA256: Bool) throws(SwzipError) -> Self {
    var bundle = Self(frameHash: try reader.integer(UInt64.self), fileCount: 0)
    let count = try reader.varint()
    guard count >= 1, count <= UInt64(Limits.members) else { throw reader.failure(.limit) }
    bundle.fileCount = Int(count)
    guard storesSHA256 else { return bundle }
    guard bundle.fileCount <= reader.remaining / 32 else { throw reader.failure(.truncated) }
    for _ in 0..<count { bundle.sha256.append(try reader.array(32)) }
    return bundle
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

  /// About what it takes in the directory.
  package var indexByteCount: Int { name.utf8.count + 8 + 2 * shape.count }

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

  /// As version 0.1 lists it; see `TensorColumns`.
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
