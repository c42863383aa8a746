internal import CSwzipKernels

extension CodecID {
  package static let float = CodecID(rawValue: 1)
}

extension BlockMode {
  package static let fixed4 = BlockMode(rawValue: 5)
  package static let sparse = BlockMode(rawValue: 9)
}

/// Floats as symbols and raw bits (spec/codecs/float.md).
package struct FloatCoding: Codec {
  package static let id = CodecID.float
  package static let name = "float"
  package static let modes: [BlockMode] = [.huffman, .rans, .nodes, .fixed4, .sparse]

  package var kind: FloatKind
  package var windowBase: UInt16
  package var coder: SymbolCoder
  /// Values a row: of sorted rows, or of those that have classes; 0 where there are none.
  package var rowLength: UInt32

  package init(_ kind: FloatKind, windowBase: UInt16 = 0, _ coder: SymbolCoder, rowLength: UInt32 = 0) {
    self.kind = kind
    self.windowBase = windowBase
    self.coder = coder
    self.rowLength = rowLength
  }

  /// How the symbols of a block are cut into groups.
  func geometry(_ count: Int, isSorted: Bool) -> swzip_geometry {
    isSorted
      ? swzip_geometry_sorted(UInt32(count) / rowLength, rowLength) : swzip_geometry_unsorted(UInt32(count))
  }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    guard let kind = FloatKind(segment.elementType, mantissaBits: fields.mantissaBits),
      fields.windowBase <= kind.largestWindowBase, fields.coder.rans?.coversClasses ?? true
    else { throw failure }
    try fields.checkRows(of: segment, failure)
    guard fields.coder.fits(kind.symbolCount) else { throw reader.failure(.codeLengths) }
    self.init(kind, windowBase: fields.windowBase, fields.coder, rowLength: fields.rowLength)
  }

  package var fields: CodingFields {
    var fields = CodingFields()
    (fields.mantissaBits, fields.windowBase) = (kind.mantissaBits, windowBase)
    (fields.rowLength, fields.coder) = (rowLength, coder)
    return fields
  }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    try tables.begin(coder, shift: kind.shift, valueCount: valueCount)
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    switch block.mode {
    case .fixed4:
      try block.checkReserved()
      guard kind.hasFixed4 else { throw block.failure(.blockHeader) }
      return try unsafe FloatBlock.decodeFixed4(
        block.frame, into: block.out, streaming: block.streaming, position: block.position)
    case .sparse:
      let tables = try block.tables()
      try block.scratch.prepare(block.valueCount, through: FloatBlock.Area.signs)
      try unsafe SparseBlock.decode(
        block.frame, width: kind.width, into: block.out, scratch: block.scratch, position: block.position
      ) { mode, inner, values throws(SwzipError) in
        if mode == .raw {
          try unsafe BytesBlock.decode(
            mode, inner, width: kind.width, into: values, at: block.position, by: block.scratch.compressors)
        } else {
          _ = try unsafe FloatBlock.decode(
            mode, inner, by: self, tables: tables, into: values, scratch: block.scratch, streaming: false,
            position: block.position)
        }
      }
      return nil
    default:
      try block.scratch.prepare(
        block.valueCount,
        through: block.mode == .rans ? FloatBlock.Area.symbols : block.mode == .nodes ? .listed : .high)
      return try unsafe FloatBlock.decode(
        block.mode, block.frame, by: self, tables: block.tables(), into: block.out, scratch: block.scratch,
        streaming: block.streaming, position: block.position)
    }
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    let (type, values, effort, scratch) = unsafe (segment.type, segment.values, segment.effort, segment.scratch)
    guard let kind = unsafe FloatKind.best(for: values, type, effort: effort) else { return nil }
    // Classes of rows and a sign that is left out save less than two bits a value.
    if let bits = unsafe PlanesCoding.upperHalves(of: values, type),
      bits.planes + 2 * UInt64(values.count / 4) < bits.float
    {
      return nil
    }
    let isSparse =
      unsafe !(effort.usesFixed4 && kind.hasFixed4)
      && SparseBlock.pays(
        values, width: kind.width, symbolsTellZeros: effort.usesRans || kind.isUnsigned, scratch: scratch)
    guard isSparse else {
      return try unsafe FloatPlan(
        values, kind: kind, rowLength: segment.range.rowLength, effort: effort, scratch: scratch)
    }
    let blockValues = segment.blockValues(effort.ransBlockValues(width: kind.width))
    return try unsafe FloatPlan(
      sparse: values, kind: kind, blockValues: (blockValues + 255) & ~255, effort: effort, scratch: scratch)
  }
}
