/// How the values of a segment are coded: its codec's parameters in the segment frame, and what follows from them.
package protocol Coding: Equatable, Sendable {
  var codec: CodecID { get }

  // MARK: the segment frame

  /// Those of the parameters that every frame has room for.
  var fields: CodingFields { get }
  /// Writes the others, which follow the references.
  func writeParameters(_ writer: inout ByteWriter)
  /// How many references determine the segment's values; nil where none does.
  var referenceCount: Int? { get }
  /// Bytes of a value in the ranges that are referred to; nil for as many as the segment's have.
  var referenceWidth: Int? { get }
  /// Whether blocks hold values in little-endian order, whatever that of the element type.
  var swapsBytes: Bool { get }

  // MARK: blocks

  /// Tables that decoders hold for a segment; a palette counts as one.
  var tableCount: Int { get }
  /// Takes the tables of a segment of so many values, when a block first needs them.
  func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError)
  /// Modes that blocks may have besides those that all may have; nil where the codec is not known.
  var modes: [BlockMode]? { get }
  /// Decodes a block of one of the codec's own modes. Returns the hash of its values, if that was made on the way.
  func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64?
}

extension Coding {
  package var fields: CodingFields { CodingFields() }
  package func writeParameters(_ writer: inout ByteWriter) {}
  package var referenceCount: Int? { nil }
  package var referenceWidth: Int? { nil }
  package var swapsBytes: Bool { true }
  package var tableCount: Int { fields.coder.tableCount }
  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {}

  func equals(_ other: any Coding) -> Bool { self == other as? Self }
}

/// A codec that this version knows: how its segments are read, decoded and written. `CodecRegistry` lists all.
package protocol Codec: Coding {
  static var id: CodecID { get }
  static var name: String { get }
  static var modes: [BlockMode] { get }

  /// Reads the parameters that follow the references, and checks them and `fields`. Nothing else is known of how `segment`,
  /// whose shape is checked, is coded.
  init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError)

  /// How the codec codes a segment; nil where that is for those that are asked after it.
  static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)?
}

extension Codec {
  package var codec: CodecID { Self.id }
  package var modes: [BlockMode]? { Self.modes }
}

/// A codec without parameters.
package protocol PlainCodec: Codec {
  init()
}

extension PlainCodec {
  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    try fields.checkUnused(reader.failure(.blockHeader))
    self.init()
  }
}

/// How a segment of a codec that this version does not know is coded.
struct UnknownCoding: Coding {
  let codec: CodecID
  var modes: [BlockMode]? { nil }

  func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? { throw block.failure(.unknownCodec, .unsupported) }
}
