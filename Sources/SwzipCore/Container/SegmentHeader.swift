/// What the segment frame says (spec/FORMAT.md, section 4.2).
package struct SegmentHeader: Equatable, Sendable {
  /// 9-bit fields end at 511: a window of 255 that begins here reaches all above.
  package static let largestWindowBase = 256

  package var memberOffset: UInt64
  package var byteCount: UInt64
  package var blockValues: UInt32
  /// Row length in values for sorted rows, 0 = no block is sorted.
  package var rowLength: UInt32 = 0
  package var elementType: ElementType
  package var codec: UInt8
  package var mantissaBits: UInt8 = 0
  package var windowBase: UInt16 = 0
  package var tables: [CodeLengths] = []
  package var references: [Reference] = []

  package init(
    memberOffset: UInt64, byteCount: UInt64, blockValues: UInt32, elementType: ElementType, codec: CodecID
  ) {
    self.memberOffset = memberOffset
    self.byteCount = byteCount
    self.blockValues = blockValues
    self.elementType = elementType
    self.codec = codec.rawValue
  }

  /// Bytes of one value.
  package var width: Int { codec == CodecID.bytes.rawValue ? 1 : elementType.width }
  package var valueCount: UInt64 { byteCount / UInt64(width) }
  package var blockCount: UInt64 { (valueCount + UInt64(blockValues) - 1) / UInt64(blockValues) }

  /// Values of a block.
  package func valueCount(ofBlock index: UInt64) -> Int {
    Int(min(UInt64(blockValues), valueCount - index * UInt64(blockValues)))
  }

  package func frame(number: Int) -> (bytes: [UInt8], hash: UInt64) {
    var body = ByteWriter()
    body.integer(memberOffset)
    body.integer(byteCount)
    body.integer(blockValues)
    body.integer(rowLength)
    body.integer(elementType.rawValue)
    body.integer(codec)
    body.integer(mantissaBits)
    body.integer(UInt8(tables.count))
    body.integer(windowBase)
    body.integer(UInt8(references.count))
    body.integer(UInt8(0))
    for table in tables { table.write(&body) }
    for reference in references { reference.write(&body) }
    Extensions.write(&body)
    return Frame.make(.segment, tag: UInt32(number), body: body)
  }

  /// Reads what follows the frame's header.
  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> SegmentHeader {
    let memberOffset = try reader.integer(UInt64.self)
    let byteCount = try reader.integer(UInt64.self)
    let blockValues = try reader.integer(UInt32.self)
    let rowLength = try reader.integer(UInt32.self)
    guard let elementType = ElementType(rawValue: try reader.integer(UInt8.self)) else {
      throw reader.failure(.reservedBits, .unsupported)
    }
    let codec = try reader.integer(UInt8.self)
    let mantissaBits = try reader.integer(UInt8.self)
    let tableCount = try reader.integer(UInt8.self)
    let windowBase = try reader.integer(UInt16.self)
    let referenceCount = try reader.integer(UInt8.self)
    try reader.reserved(1)
    var segment = SegmentHeader(
      memberOffset: memberOffset, byteCount: byteCount, blockValues: blockValues, elementType: elementType,
      codec: .bytes)
    segment.codec = codec
    segment.rowLength = rowLength
    segment.mantissaBits = mantissaBits
    segment.windowBase = windowBase
    try segment.checkShape(reader.failure(.blockHeader))
    guard tableCount <= Limits.tablesPerSegment, referenceCount <= Limits.referencesPerSegment else {
      throw reader.failure(.limit)
    }
    guard CodecID(rawValue: codec) != nil else { return segment }  // what follows is the codec's own
    for _ in 0..<tableCount { segment.tables.append(try CodeLengths.read(&reader)) }
    for _ in 0..<referenceCount { segment.references.append(try Reference.read(&reader)) }
    try Extensions.read(&reader)
    try reader.padding()
    let symbols = FloatKind(elementType, mantissaBits: mantissaBits)?.symbolCount ?? 256
    guard codec != CodecID.float.rawValue || segment.tables.allSatisfy({ $0.fits(symbols) }) else {
      throw reader.failure(.codeLengths)
    }
    if codec == CodecID.copy.rawValue, referenceCount != 1 { throw reader.failure(.reference) }
    return segment
  }

  private func checkShape(_ failure: SwzipError) throws(SwzipError) {
    guard byteCount > 0, byteCount <= UInt64(Int64.max), memberOffset <= UInt64(Int64.max) - byteCount,
      byteCount % UInt64(width) == 0
    else { throw failure }
    let isRecords = codec != CodecID.bytes.rawValue && elementType.isBlock
    let unit = isRecords ? width : 1
    let most = isRecords ? Limits.recordBlockBytes : Limits.blockValues
    let least = isRecords ? Limits.smallestRecordBlockBytes : Limits.smallestBlockValues
    guard blockValues >= 1, Int(blockValues) <= most / unit,
      Int(blockValues) * unit >= least || valueCount <= UInt64(blockValues)
    else { throw SwzipError(.corrupt, .limit, at: failure.position) }
    guard let known = CodecID(rawValue: codec) else { return }
    if known == .float {
      guard let kind = FloatKind(elementType, mantissaBits: mantissaBits) else {
        throw failure
      }
      guard kind.hasWindow ? windowBase <= Self.largestWindowBase : windowBase == 0 else { throw failure }
      guard rowLength % 32 == 0, rowLength <= blockValues else { throw failure }
    } else {
      guard rowLength == 0, mantissaBits == 0, windowBase == 0 else { throw failure }
    }
  }
}

/// Content that a segment refers to (spec/FORMAT.md, section 4.2).
package enum Reference: Equatable, Sendable {
  /// An earlier range of this container.
  case earlier(member: UInt64, offset: UInt64)
  /// A range of one of the member's bases.
  case base(number: UInt64, offset: UInt64)

  package func write(_ writer: inout ByteWriter) {
    let (kind, number, offset): (UInt8, UInt64, UInt64) =
      switch self {
      case .earlier(let member, let offset): (0, member, offset)
      case .base(let number, let offset): (1, number, offset)
      }
    writer.integer(kind)
    writer.varint(number)
    writer.varint(offset)
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> Reference {
    let kind = try reader.integer(UInt8.self)
    let number = try reader.varint()
    let offset = try reader.varint()
    switch kind {
    case 0: return .earlier(member: number, offset: offset)
    case 1: return .base(number: number, offset: offset)
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }
}
