/// What the segment frame says (spec/FORMAT.md, section 4.2).
package struct SegmentHeader: Equatable, Sendable {
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
  /// Set where symbols are coded by rANS instead of Huffman; `tables` is empty then.
  package var rans: RansCoding?
  package var references: [Reference] = []
  /// Set in codec symbols.
  package var palette: Palette?
  /// Set in codec cast.
  package var cast: CastKind?
  /// T of codec delta: the exponent of the base whose context is the first.
  package var topExponent: UInt8 = 0
  /// Of codec delta.
  package var prediction = Prediction.same
  /// Q of codec delta: contexts below it are quiet.
  package var quietContexts: UInt8 = 0

  package init(
    memberOffset: UInt64, byteCount: UInt64, blockValues: UInt32, elementType: ElementType, codec: CodecID
  ) {
    self.memberOffset = memberOffset
    self.byteCount = byteCount
    self.blockValues = blockValues
    self.elementType = elementType
    self.codec = codec.rawValue
  }

  /// Whether blocks hold values in little-endian order, and are big-endian once they are decoded.
  package var swapsBytes: Bool {
    elementType.isSwapped && codec != CodecID.bytes.rawValue && codec != CodecID.copy.rawValue
  }
  /// Bytes of one value.
  package var width: Int { codec == CodecID.bytes.rawValue ? 1 : elementType.width }
  /// Whether the segment's references determine its values.
  package var refers: Bool { CodecID(rawValue: codec)?.refers ?? false }
  /// Bytes of the range that each reference names.
  package var referencedByteCount: UInt64 { valueCount * UInt64(referenceWidth) }
  /// Bytes of a value in those ranges.
  package var referenceWidth: Int {
    cast?.reference.width ?? (codec == CodecID.delta.rawValue ? prediction.referenceWidth(elementType) : width)
  }
  /// What a decoder of the segment holds at most, in bytes: this and its tables, palette and classes, less than
  /// `Limits.decoderBytes` in all.
  package var decoderByteCount: Int {
    let tables = self.tables.count + (rans?.tables.count ?? 0) + (palette == nil ? 0 : 1)
    // Those of a single block are made in the scratch of the thread that decodes it.
    let each = blockCount > 1 ? Limits.tableBytes : Limits.wireTableBytes
    return 2048 + tables * each + (rans?.columns.count ?? 0)
  }
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
    body.integer(UInt8(rans?.tables.count ?? tables.count))
    body.integer(windowBase)
    body.integer(UInt8(references.count))
    body.integer(UInt8(rans == nil ? 0 : 1))
    for table in tables { table.write(&body) }
    rans?.write(&body)
    for reference in references { reference.write(&body) }
    palette?.write(&body)
    if let cast { body.integer(cast.reference.rawValue) }
    if codec == CodecID.delta.rawValue {
      body.integer(topExponent)
      prediction.write(&body)
      body.integer(quietContexts)
    }
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
    let coder = try reader.integer(UInt8.self)
    var segment = SegmentHeader(
      memberOffset: memberOffset, byteCount: byteCount, blockValues: blockValues, elementType: elementType,
      codec: .bytes)
    segment.codec = codec
    segment.rowLength = rowLength
    segment.mantissaBits = mantissaBits
    segment.windowBase = windowBase
    try segment.checkShape(rans: coder == 1, reader.failure(.blockHeader))
    guard tableCount <= Limits.tablesPerSegment, referenceCount <= Limits.referencesPerSegment else {
      throw reader.failure(.limit)
    }
    guard CodecID(rawValue: codec) != nil else { return segment }  // what follows is the codec's own
    switch coder {
    case 0:
      segment.tables.reserveCapacity(Int(tableCount))
      for _ in 0..<tableCount { segment.tables.append(try CodeLengths.read(&reader)) }
    case 1:
      segment.rans = try RansCoding.read(
        &reader, tables: Int(tableCount), rowLength: Int(rowLength), ofDelta: codec == CodecID.delta.rawValue)
    default: throw reader.failure(.reservedBits, .unsupported)
    }
    for _ in 0..<referenceCount { segment.references.append(try Reference.read(&reader)) }
    if codec == CodecID.symbols.rawValue { segment.palette = try Palette.read(&reader, width: segment.width) }
    if codec == CodecID.cast.rawValue {
      guard let type = ElementType(rawValue: try reader.integer(UInt8.self)) else {
        throw reader.failure(.reservedBits, .unsupported)
      }
      segment.cast = CastKind(elementType, from: type)
      guard segment.cast != nil else { throw reader.failure(.reference) }
    }
    if codec == CodecID.delta.rawValue {
      segment.topExponent = try reader.integer(UInt8.self)
      guard segment.topExponent <= Limits.topExponent else { throw reader.failure(.limit) }
      segment.prediction = try Prediction.read(&reader)
      guard segment.prediction.predicts(elementType) else { throw reader.failure(.blockHeader) }
      segment.quietContexts = try reader.integer(UInt8.self)
    }
    try Extensions.read(&reader)
    try reader.padding()
    try segment.checkTables(reader.failure(.codeLengths))
    let references = codec == CodecID.delta.rawValue ? segment.prediction.referenceCount : 1
    if segment.refers, referenceCount != references { throw reader.failure(.reference) }
    // Ranges that are referred to may be wider than the segment.
    guard segment.valueCount <= UInt64(Int64.max) / UInt64(segment.referenceWidth) else {
      throw reader.failure(.reference)
    }
    return segment
  }

  /// Tables have only symbols that mean something.
  private func checkTables(_ failure: SwzipError) throws(SwzipError) {
    if codec == CodecID.delta.rawValue {
      guard let kind = DeltaKind(elementType), let rans, kind.fits(rans, quietContexts: Int(quietContexts)) else {
        throw failure
      }
      return
    }
    let symbols = palette?.symbolCount ?? FloatKind(elementType, mantissaBits: mantissaBits)?.symbolCount ?? 256
    guard tables.allSatisfy({ $0.fits(symbols) }), rans?.tables.allSatisfy({ $0.fits(symbols) }) ?? true else {
      throw failure
    }
    guard let palette else { return }
    // Whole symbols, and whole rows of them, in every block but the last.
    guard blockCount == 1 || blockValues % UInt32(palette.valuesPerSymbol) == 0,
      rowLength == 0 || palette.symbolCount(of: Int(blockValues)) % Int(rowLength) == 0,
      rowLength == 0 || rans != nil || palette.isPerRow
    else { throw failure }
    if palette.isPerRow {
      guard rowLength > 0, width == 2 || width == 4 else { throw failure }
    }
  }

  private func checkShape(rans: Bool, _ failure: SwzipError) throws(SwzipError) {
    guard byteCount > 0, byteCount <= UInt64(Int64.max), memberOffset <= UInt64(Int64.max) - byteCount,
      byteCount % UInt64(width) == 0
    else { throw failure }
    let isRecords = codec != CodecID.bytes.rawValue && elementType.isBlock
    let unit = isRecords ? width : 1
    let isPlain = codec == CodecID.bytes.rawValue
    let most = isRecords ? Limits.recordBlockBytes : isPlain ? Limits.plainBlockBytes : Limits.blockValues
    let least = isRecords ? Limits.smallestRecordBlockBytes : Limits.smallestBlockValues
    guard blockValues >= 1, Int(blockValues) <= most / unit,
      Int(blockValues) * unit >= least || valueCount <= UInt64(blockValues)
    else { throw SwzipError(.corrupt, .limit, at: failure.position) }
    guard let known = CodecID(rawValue: codec) else { return }
    if known == .float {
      guard let kind = FloatKind(elementType, mantissaBits: mantissaBits) else {
        throw failure
      }
      guard windowBase <= kind.largestWindowBase else { throw failure }
      try checkRows(rans: rans, failure)
    } else if known == .delta {
      guard mantissaBits == 0, windowBase == 0, DeltaKind(elementType) != nil else { throw failure }
      try checkRows(rans: true, failure)
    } else if known == .symbols {
      guard rowLength <= blockValues, mantissaBits == 0, windowBase == 0 else { throw failure }
    } else {
      guard !rans, rowLength == 0, mantissaBits == 0, windowBase == 0 else { throw failure }
    }
  }
}

extension SegmentHeader {
  /// Huffman's sub-streams hold whole chunks of 32 values of a row; rANS wants whole rows in a block.
  private func checkRows(rans: Bool, _ failure: SwzipError) throws(SwzipError) {
    guard rowLength > 0 else { return }
    guard rowLength <= blockValues, rans ? blockValues % rowLength == 0 : rowLength % 32 == 0 else { throw failure }
  }
}

/// Content that a segment refers to (spec/FORMAT.md, section 4.2).
package enum Reference: Equatable, Sendable {
  /// An earlier range of this container.
  case earlier(member: UInt64, offset: UInt64)
  /// A range of one of the member's bases.
  case base(number: UInt64, offset: UInt64)

  /// The member of the container; nil for a base.
  package var earlierMember: UInt64? { if case .earlier(let member, _) = self { member } else { nil } }

  /// The same of a range that begins so many bytes further on.
  package func advanced(by byteCount: UInt64) -> Reference {
    switch self {
    case .earlier(let member, let offset): .earlier(member: member, offset: offset + byteCount)
    case .base(let number, let offset): .base(number: number, offset: offset + byteCount)
    }
  }

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
