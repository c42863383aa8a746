internal import CSwzipKernels

extension CodecID {
  package static let lattice = CodecID(rawValue: 7)
}

/// Floats that are codes of a small book times the scales of groups (spec/codecs/lattice.md).
package struct LatticeCoding: Codec {
  package static let id = CodecID.lattice
  package static let name = "lattice"
  package static let modes: [BlockMode] = [.huffman, .rans, .nodes]

  let lattice: Lattice
  let coder: SymbolCoder
  /// Symbols a row of rANS; 0 without rows.
  let rowLength: UInt32

  init(_ lattice: Lattice, _ coder: SymbolCoder, rowLength: UInt32) {
    (self.lattice, self.coder, self.rowLength) = (lattice, coder, rowLength)
  }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    try fields.checkNoFloat(failure)
    guard let type = Lattice.kernelType(segment.elementType.native), fields.rowLength <= segment.blockValues,
      fields.coder.rans?.coversClasses ?? true
    else { throw failure }
    lattice = try Lattice.read(&reader, type: type, valueCount: segment.valueCount)
    (coder, rowLength) = (fields.coder, fields.rowLength)
    let (book, blockValues) = (lattice.book, Int(segment.blockValues))
    guard coder.fits(book.symbolCount), segment.blockCount == 1 || blockValues % book.codesPerSymbol == 0,
      rowLength == 0 || coder.rans != nil && book.symbolCount(of: blockValues) % Int(rowLength) == 0
    else { throw reader.failure(.codeLengths) }
  }

  package var fields: CodingFields {
    var fields = CodingFields()
    (fields.rowLength, fields.coder) = (rowLength, coder)
    return fields
  }

  package func writeParameters(_ writer: inout ByteWriter) { lattice.write(&writer) }

  /// The numbers of groups count as so many tables.
  package var tableCount: Int { coder.tableCount + 1 + lattice.byteCount / Limits.tableBytes }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    try tables.begin(coder, valueCount: valueCount)
    let entries = try unsafe tables.makeEntries(Lattice.entriesByteCount)
    unsafe lattice.writeEntries(to: UnsafeMutableRawPointer(entries).assumingMemoryBound(to: Float.self))
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    guard block.mode == coder.mode else { throw block.failure(.blockHeader) }
    let tables = try block.tables()
    try block.scratch.prepare(block.valueCount, through: SymbolsCoding.Area.symbols)
    try LatticeBlock.decode(block, by: self, tables)
    return nil
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    try LatticePlan(segment)
  }
}
