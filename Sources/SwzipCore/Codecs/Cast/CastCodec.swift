extension CodecID {
  package static let cast = CodecID(rawValue: 5)
}

extension BlockMode {
  package static let cast = BlockMode(rawValue: 10)
}

extension CastKind: Codec {
  package static let id = CodecID.cast
  package static let name = "cast"
  package static let modes = [BlockMode.cast]

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    try fields.checkUnused(reader.failure(.blockHeader))
    guard let type = ElementType(rawValue: try reader.integer(UInt8.self)) else {
      throw reader.failure(.reservedBits, .unsupported)
    }
    guard let kind = CastKind(segment.elementType, from: type) else { throw reader.failure(.reference) }
    self = kind
  }

  package func writeParameters(_ writer: inout ByteWriter) { writer.integer(reference.rawValue) }

  package var referenceCount: Int? { 1 }
  package var referenceWidth: Int? { reference.width }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    try block.checkReserved(28)
    try block.scratch.prepare(block.valueCount, through: CastBlock.Area.high)
    try unsafe CastBlock.decode(
      block.frame, kind: self, reference: block.referenced()[0].bytes, into: block.out, scratch: block.scratch,
      position: block.position)
    return nil
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    guard case .cast(let reference, let type) = segment.range.derivation,
      let kind = CastKind(segment.type, from: type)
    else { return nil }
    return CastPlan(kind: kind, blockValues: segment.blockValues(), references: [reference])
  }
}

extension SegmentHeader {
  /// Set in codec cast.
  package var cast: CastKind? { coding as? CastKind }
}

private struct CastPlan: CodecPlan {
  let kind: CastKind
  let blockValues: Int
  let references: [Reference]
  var coding: any Coding { kind }

  func bound(_ valueCount: Int) -> Int { CastBlock.bound(valueCount, kind: kind) }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    guard let reference = unsafe block.reference else { return nil }
    return unsafe CastBlock.encode(
      block.values, reference, kind: kind, into: block.frame, scratch: block.scratch, effort: block.effort
    ).map { BlockPayload(.cast, byteCount: $0) }
  }
}
