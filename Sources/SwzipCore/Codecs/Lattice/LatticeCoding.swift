internal import CSwzipKernels

extension CodecID {
  package static let lattice = CodecID(rawValue: 7)
}

/// Floats that are codes of a small book times the scales of groups (spec/codecs/lattice.md).
package struct LatticeCoding: Codec {
  package static let id = CodecID.lattice
  package static let name = "lattice"
  package static let modes: [BlockMode] = [.huffman, .rans, .nodes]

  /// How the codes of a block are coded.
  enum Inner: Equatable, Sendable {
    /// `rowLength`: symbols a row of rANS; 0 without rows.
    case symbols(SymbolCoder, rowLength: UInt32)
    /// As values of 8 bits.
    case float(FloatCoding)
  }

  let lattice: Lattice
  let inner: Inner

  init(_ lattice: Lattice, _ inner: Inner) { (self.lattice, self.inner) = (lattice, inner) }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    guard let type = Lattice.kernelType(segment.elementType.native), fields.coder.rans?.coversClasses ?? true else {
      throw failure
    }
    guard segment.references.isEmpty else { throw reader.failure(.reference) }
    lattice = try Lattice.read(&reader, type: type, valueCount: segment.valueCount)
    let (book, blockValues) = (lattice.book, Int(segment.blockValues))
    guard book.codesPerSymbol > 0 else {
      var codes = segment
      guard let type = book.elementType else { throw failure }
      codes.elementType = type
      inner = .float(try FloatCoding(reading: &reader, fields, of: codes))
      return
    }
    try fields.checkNoFloat(failure)
    let (coder, rowLength) = (fields.coder, fields.rowLength)
    guard coder.fits(book.symbolCount), segment.blockCount == 1 || blockValues % book.codesPerSymbol == 0,
      rowLength <= segment.blockValues,
      rowLength == 0 || coder.rans != nil && book.symbolCount(of: blockValues) % Int(rowLength) == 0
    else { throw reader.failure(.codeLengths) }
    inner = .symbols(coder, rowLength: rowLength)
  }

  package var fields: CodingFields {
    switch inner {
    case .float(let coding): return coding.fields
    case .symbols(let coder, let rowLength):
      var fields = CodingFields()
      (fields.rowLength, fields.coder) = (rowLength, coder)
      return fields
    }
  }

  package func writeParameters(_ writer: inout ByteWriter) { lattice.write(&writer) }

  /// The numbers of groups count as so many tables.
  package var tableCount: Int { fields.coder.tableCount + 1 + lattice.byteCount / Limits.tableBytes }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    switch inner {
    case .symbols(let coder, _): try tables.begin(coder, valueCount: valueCount)
    case .float(let coding): try coding.begin(tables, valueCount: valueCount)
    }
    let entries = try unsafe tables.makeEntries(Lattice.entriesByteCount)
    unsafe lattice.writeEntries(to: UnsafeMutableRawPointer(entries).assumingMemoryBound(to: Float.self))
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    guard block.mode == fields.coder.mode else { throw block.failure(.blockHeader) }
    try LatticeBlock.decode(block, by: self, block.tables())
    return nil
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    try LatticePlan(segment)
  }
}
