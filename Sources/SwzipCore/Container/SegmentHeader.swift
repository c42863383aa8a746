/// What the segment frame says (spec/FORMAT.md, section 4.2): a range of values, and how they are coded.
package struct SegmentHeader: Equatable, Sendable {
  package var memberOffset: UInt64
  package var byteCount: UInt64
  package var blockValues: UInt32
  package var elementType: ElementType
  package var coding: any Coding
  package var references: [Reference]

  package init(
    memberOffset: UInt64, byteCount: UInt64, blockValues: UInt32, elementType: ElementType, coding: any Coding,
    references: [Reference] = []
  ) {
    self.memberOffset = memberOffset
    self.byteCount = byteCount
    self.blockValues = blockValues
    self.elementType = elementType
    self.coding = coding
    self.references = references
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.memberOffset == b.memberOffset && a.byteCount == b.byteCount && a.blockValues == b.blockValues
      && a.elementType == b.elementType && a.references == b.references && a.coding.equals(b.coding)
  }

  package var codec: CodecID { coding.codec }
  /// Whether blocks hold values in little-endian order, and are big-endian once they are decoded.
  package var swapsBytes: Bool { elementType.isSwapped && coding.swapsBytes }
  /// Bytes of one value.
  package var width: Int { codec == .bytes ? 1 : elementType.width }
  /// Whether the segment's references determine its values.
  package var refers: Bool { coding.referenceCount != nil }
  /// Bytes of the range that each reference names.
  package var referencedByteCount: UInt64 { valueCount * UInt64(referenceWidth) }
  /// Bytes of a value in those ranges.
  package var referenceWidth: Int { coding.referenceWidth ?? width }
  /// What a decoder of the segment holds at most, in bytes: this and its tables and classes, less than
  /// `Limits.decoderBytes` in all.
  package var decoderByteCount: Int {
    // Those of a single block are made in the scratch of the thread that decodes it.
    2048 + coding.tableCount * (blockCount > 1 ? Limits.tableBytes : Limits.wireTableBytes)
      + coding.fields.coder.columnCount
  }
  package var valueCount: UInt64 { byteCount / UInt64(width) }
  package var blockCount: UInt64 { (valueCount + UInt64(blockValues) - 1) / UInt64(blockValues) }

  /// Values of a block.
  package func valueCount(ofBlock index: UInt64) -> Int {
    Int(min(UInt64(blockValues), valueCount - index * UInt64(blockValues)))
  }

  package func frame(number: Int) -> (bytes: [UInt8], hash: UInt64) {
    let fields = coding.fields
    var body = ByteWriter()
    body.integer(memberOffset)
    body.integer(byteCount)
    body.integer(blockValues)
    body.integer(fields.rowLength)
    body.integer(elementType.rawValue)
    body.integer(codec.rawValue)
    body.integer(fields.mantissaBits)
    body.integer(UInt8(fields.coder.tableCount))
    body.integer(fields.windowBase)
    body.integer(UInt8(references.count))
    body.integer(fields.coder.number)
    fields.coder.write(&body)
    for reference in references { reference.write(&body) }
    coding.writeParameters(&body)
    Extensions().write(&body)
    return Frame.make(.segment, tag: UInt32(number), body: body)
  }

  /// Reads what follows the frame's header. Of a codec that is not in the registry only what all segments have.
  package static func read(
    _ reader: inout ByteReader, _ registry: CodecRegistry = .standard
  ) throws(SwzipError) -> SegmentHeader {
    let memberOffset = try reader.integer(UInt64.self)
    let byteCount = try reader.integer(UInt64.self)
    let blockValues = try reader.integer(UInt32.self)
    var fields = CodingFields()
    fields.rowLength = try reader.integer(UInt32.self)
    guard let elementType = ElementType(rawValue: try reader.integer(UInt8.self)) else {
      throw reader.failure(.reservedBits, .unsupported)
    }
    let codec = CodecID(rawValue: try reader.integer(UInt8.self))
    fields.mantissaBits = try reader.integer(UInt8.self)
    let tableCount = Int(try reader.integer(UInt8.self))
    fields.windowBase = try reader.integer(UInt16.self)
    let referenceCount = Int(try reader.integer(UInt8.self))
    let coder = try reader.integer(UInt8.self)
    var segment = SegmentHeader(
      memberOffset: memberOffset, byteCount: byteCount, blockValues: blockValues, elementType: elementType,
      coding: UnknownCoding(codec: codec))
    try segment.checkShape(reader.failure(.blockHeader))
    guard tableCount <= Limits.tablesPerSegment, referenceCount <= Limits.referencesPerSegment else {
      throw reader.failure(.limit)
    }
    guard let known = registry[codec] else { return segment }  // what follows is the codec's own
    fields.coder = try SymbolCoder.read(
      &reader, number: coder, tables: tableCount, rowLength: Int(fields.rowLength))
    for _ in 0..<referenceCount { segment.references.append(try Reference.read(&reader)) }
    let coding = try known.init(reading: &reader, fields, of: segment)
    segment.coding = coding
    _ = try Extensions.read(&reader)
    try reader.padding()
    guard referenceCount == coding.referenceCount ?? referenceCount,
      // Ranges that are referred to may be wider than the segment.
      segment.valueCount <= UInt64(Int64.max) / UInt64(segment.referenceWidth)
    else { throw reader.failure(.reference) }
    return segment
  }

  private func checkShape(_ failure: SwzipError) throws(SwzipError) {
    guard byteCount > 0, byteCount <= UInt64(Int64.max), memberOffset <= UInt64(Int64.max) - byteCount,
      byteCount % UInt64(width) == 0
    else { throw failure }
    let isPlain = codec == .bytes
    let isRecords = !isPlain && elementType.isBlock
    let unit = isRecords ? width : 1
    let most = isRecords ? Limits.recordBlockBytes : isPlain ? Limits.plainBlockBytes : Limits.blockValues
    let least = isRecords ? Limits.smallestRecordBlockBytes : Limits.smallestBlockValues
    guard blockValues >= 1, Int(blockValues) <= most / unit,
      Int(blockValues) * unit >= least || valueCount <= UInt64(blockValues)
    else { throw SwzipError(.corrupt, .limit, at: failure.position) }
  }
}

/// What every segment frame has room for, whether its codec uses it or not.
package struct CodingFields {
  package var rowLength: UInt32 = 0
  package var mantissaBits: UInt8 = 0
  package var windowBase: UInt16 = 0
  package var coder = SymbolCoder.huffman([])

  package init() {}

  /// Throws unless the fields are those of a codec that uses none. Tables there may be.
  package func checkUnused(_ failure: SwzipError) throws(SwzipError) {
    guard rowLength == 0, coder.number == 0 else { throw failure }
    try checkNoFloat(failure)
  }

  /// Throws unless the fields that only floats have are zero.
  func checkNoFloat(_ failure: SwzipError) throws(SwzipError) {
    guard mantissaBits == 0, windowBase == 0 else { throw failure }
  }

  /// Huffman's sub-streams hold whole chunks of 32 values of a row; rANS wants whole rows in a block.
  func checkRows(of segment: SegmentHeader, _ failure: SwzipError) throws(SwzipError) {
    guard rowLength > 0 else { return }
    guard rowLength <= segment.blockValues,
      coder.rans != nil ? segment.blockValues % rowLength == 0 : rowLength % 32 == 0
    else { throw failure }
  }
}
