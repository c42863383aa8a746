extension CodecID {
  package static let symbols = CodecID(rawValue: 4)
}

/// Few values, and bytes, as symbols (spec/codecs/symbols.md).
package struct SymbolsCoding: Codec {
  package static let id = CodecID.symbols
  package static let name = "symbols"
  package static let modes: [BlockMode] = [.huffman, .rans, .nodes]

  /// What decoding its blocks takes in the scratch.
  enum Area: Int, ScratchArea {
    case tableNumbers, rowClasses, symbols
  }

  package var palette: Palette
  package var coder: SymbolCoder
  /// Symbols a row; 0 without rows.
  package var rowLength: UInt32

  package init(_ palette: Palette, _ coder: SymbolCoder, rowLength: UInt32 = 0) {
    self.palette = palette
    self.coder = coder
    self.rowLength = rowLength
  }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    try fields.checkNoFloat(failure)
    guard !segment.elementType.isBlock, fields.rowLength <= segment.blockValues,
      fields.coder.rans?.coversClasses ?? true
    else { throw failure }
    self.init(
      try Palette.read(&reader, width: segment.width), fields.coder, rowLength: fields.rowLength)
    guard coder.fits(palette.symbolCount), hasWholeRows(segment) else { throw reader.failure(.codeLengths) }
  }

  /// Whether every block but the last has whole symbols, and whole rows of them.
  private func hasWholeRows(_ segment: SegmentHeader) -> Bool {
    guard segment.blockCount == 1 || segment.blockValues % UInt32(palette.valuesPerSymbol) == 0 else { return false }
    guard rowLength > 0 else { return !palette.isPerRow }
    return palette.symbolCount(of: Int(segment.blockValues)) % Int(rowLength) == 0
      && (palette.isPerRow ? palette.width == 2 || palette.width == 4 : coder.rans != nil)
  }

  package var fields: CodingFields {
    var fields = CodingFields()
    (fields.rowLength, fields.coder) = (rowLength, coder)
    return fields
  }

  package func writeParameters(_ writer: inout ByteWriter) { palette.write(&writer) }

  package var tableCount: Int { coder.tableCount + 1 }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    try tables.begin(coder, valueCount: valueCount)
    if palette.count > 0 { unsafe palette.writeEntries(to: try tables.makeEntries(Palette.entriesByteCount)) }
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    guard block.mode == coder.mode else { throw block.failure(.blockHeader) }
    let tables = try block.tables()
    try block.scratch.prepare(block.valueCount, through: Area.symbols)
    try unsafe SymbolsBlock.decode(
      block.frame, by: self, tables: tables, into: block.out, scratch: block.scratch, position: block.position)
    return nil
  }

  /// Of few distinct values, in the segment or in each row, and of bytes that are no floats.
  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    let (type, values) = unsafe (segment.type, segment.values)
    guard type != .bytes, !type.isBlock else { return nil }
    let finder = unsafe PaletteFinder(values, width: type.width)
    let rowPalettes =
      unsafe finder == nil && segment.effort.usesRowPalettes
      ? RowPalettes(values, of: type, rowLength: segment.range.rowLength) : nil
    guard finder != nil || rowPalettes != nil || (type.width == 1 && FloatKind(type, mantissaBits: 1) == nil) else {
      return nil
    }
    return try unsafe SymbolsPlan(
      values, of: type, finder: finder, rowPalettes: rowPalettes, rowLength: segment.range.rowLength,
      effort: segment.effort, scratch: segment.scratch)
  }
}
