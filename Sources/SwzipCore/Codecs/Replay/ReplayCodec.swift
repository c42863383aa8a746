extension CodecID {
  package static let replay = CodecID(rawValue: 8)
}

extension BlockMode {
  package static let replay = BlockMode(rawValue: 13)
}

/// Quants that are computed from the values that they were made of (spec/codecs/replay.md).
package struct ReplayCoding: Codec {
  package static let id = CodecID.replay
  package static let name = "replay"
  package static let modes = [BlockMode.replay]
  /// Scale, minimum, scales and minima of groups, gaps, changes.
  static let contexts = 6

  package let kind: ReplayKind
  package let rans: RansCoding

  package init(_ kind: ReplayKind, _ rans: RansCoding) {
    self.kind = kind
    self.rans = rans
  }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    guard let rans = fields.coder.rans, rans.columns.isEmpty, rans.rowBits == 0,
      rans.tableOfContext.count == Self.contexts, fields.rowLength == 0
    else { throw failure }
    try fields.checkNoFloat(failure)
    guard let type = ElementType(rawValue: try reader.integer(UInt8.self)), try reader.integer(UInt8.self) == 0 else {
      throw reader.failure(.reservedBits, .unsupported)
    }
    guard let kind = ReplayKind(segment.elementType, from: type) else { throw reader.failure(.reference) }
    guard segment.blockValues <= kind.mostValues else { throw reader.failure(.limit) }
    self.init(kind, rans)
  }

  package var fields: CodingFields {
    var fields = CodingFields()
    fields.coder = .rans(rans)
    return fields
  }

  package func writeParameters(_ writer: inout ByteWriter) {
    writer.integer(kind.source.rawValue)
    writer.integer(UInt8(0))  // the formula of the type; others may come
  }

  package var referenceCount: Int? { 1 }
  package var referenceWidth: Int? { kind.referenceWidth }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    try tables.begin(.rans(rans), valueCount: valueCount)
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    try ReplayBlock.decode(block, by: self)
    return nil
  }

  /// Writes the table of each symbol of a block that has so many of each context.
  func fill(_ tables: UnsafeMutablePointer<UInt8>, _ runs: [Int]) {
    var at = unsafe tables
    for (run, table) in zip(runs, rans.tableOfContext) {
      unsafe at.update(repeating: table, count: run)
      unsafe at += run
    }
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    guard case .replay(let reference, let type) = segment.range.derivation, let base = unsafe segment.base,
      let kind = ReplayKind(segment.type, from: type)
    else { return nil }
    return try unsafe ReplayPlan(segment, base, kind, reference)
  }
}

extension SegmentHeader {
  /// Set in codec replay.
  package var replay: ReplayKind? { (coding as? ReplayCoding)?.kind }
}
