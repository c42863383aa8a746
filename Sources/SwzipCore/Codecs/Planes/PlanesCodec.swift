extension CodecID {
  package static let planes = CodecID(rawValue: 2)
}

extension BlockMode {
  package static let planes = BlockMode(rawValue: 6)
}

/// A plane for each byte of a value, or for each field of a block type (spec/codecs/planes.md).
package struct PlanesCoding: PlainCodec {
  package static let id = CodecID.planes
  package static let name = "planes"
  package static let modes = [BlockMode.planes]

  package init() {}

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    if let layout = block.segment.elementType.block {
      try unsafe FieldsBlock.decode(
        block.frame, flags: block.flags, layout, into: block.out, scratch: block.scratch, position: block.position)
    } else {
      try block.checkReserved()
      try unsafe PlanesBlock.decode(
        block.frame, width: block.segment.width, into: block.out, scratch: block.scratch, position: block.position)
    }
    return nil
  }

  /// About the bits that F32 values whose lower halves are zero take so, by a sample from their middle, beside those of codec
  /// float, which keeps each mantissa whole; nil for other values. Few bits are left of a mantissa that was rounded.
  static func upperHalves(of values: UnsafeRawBufferPointer, _ type: ElementType) -> (planes: UInt64, float: UInt64)? {
    let count = min(values.count / 4, mostSampled)
    guard type == .f32, count >= leastSampled else { return nil }
    let start = (values.count / 4 - count) / 2 * 4
    // In bounds: so many values begin there.
    let areRounded = (0..<count).allSatisfy { unsafe values[start + 4 * $0] == 0 && values[start + 4 * $0 + 1] == 0 }
    guard areRounded else { return nil }
    let sample = unsafe [UInt8](values[start..<(start + 4 * count)])
    let places = BytePlaces(sample, at: 0)
    let scale = UInt64(values.count / 4)
    func all(_ bits: UInt64) -> UInt64 { bits * scale / UInt64(count) }
    return (
      all(places.information(2, of: 4) + places.information(3, of: 4)),
      all(FloatReading(.f32, phase: 0).bits(of: sample, at: 0))
    )
  }

  /// Fewer values tell too little.
  private static let leastSampled = 256
  private static let mostSampled = 1 << 16

  /// Of values of any kind: what no other codec is made for.
  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    PlanesPlan(type: segment.type, blockValues: segment.blockValues())
  }
}

private struct PlanesPlan: CodecPlan {
  let type: ElementType
  let blockValues: Int
  var coding: any Coding { PlanesCoding() }

  func bound(_ valueCount: Int) -> Int {
    type.block.map { FieldsBlock.bound(valueCount, $0) } ?? PlanesBlock.bound(valueCount, width: type.width)
  }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    if let constant = BytesBlock.encodeConstant(block) { return constant }
    guard let layout = type.block else {
      return unsafe BlockPayload(
        .planes,
        byteCount: PlanesBlock.encode(
          block.values, width: block.width, into: block.frame, scratch: block.scratch, effort: block.effort))
    }
    let (byteCount, flags) = unsafe FieldsBlock.encode(
      block.values, layout, into: block.frame, scratch: block.scratch, effort: block.effort)
    return BlockPayload(.planes, flags: flags, byteCount: byteCount)
  }
}
