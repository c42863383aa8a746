/// A segment inside a segment's frame, and its blocks, as a container would have them (spec/codecs/lattice.md).
struct EmbeddedSegment: Equatable, Sendable {
  let type: ElementType
  /// The values that it decodes to.
  let values: [UInt8]
  /// Its frames.
  let bytes: [UInt8]

  /// What may be inside another segment: nothing that has an embedded segment or a reference itself.
  private static let registry = CodecRegistry([
    SymbolsCoding.self, BytesCoding.self, FloatCoding.self, PlanesCoding.self,
  ])

  init(
    encoding values: [UInt8], _ type: ElementType, rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    let range = SegmentRange(offset: 0, byteCount: values.count, elementType: type, rowLength: rowLength)
    let memory = try Memory(values.count + Limits.slack)
    unsafe memory.bytes.copyBytes(from: values)
    let source = unsafe memory.prefix(values.count)
    let plan = try unsafe SegmentPlan(range, source, effort: effort, scratch: scratch, registry: Self.registry)
    var frames = plan.header.frame(number: 0).bytes
    let frame = try Memory(plan.frameBound + Limits.slack)
    for block in 0..<plan.blockCount {
      let part = unsafe UnsafeRawBufferPointer(rebasing: source[plan.bytes(ofBlock: block)])
      let entry = unsafe plan.encode(block, part, into: frame.bytes, scratch: scratch)
      unsafe frames += frame.bytes[..<entry.frameByteCount]
    }
    (self.type, self.values, bytes) = (type, values, frames)
  }

  private init(type: ElementType, values: [UInt8], bytes: [UInt8]) {
    (self.type, self.values, self.bytes) = (type, values, bytes)
  }

  /// Reads and decodes one of `count` values.
  static func read(
    _ reader: inout ByteReader, count: Int, of types: [ElementType]
  ) throws(SwzipError) -> EmbeddedSegment {
    let position = reader.position
    let head = try reader.frame(at: position)
    var inner = unsafe ByteReader(head.span.bytes, at: position)
    let record = try inner.record()
    let header = try SegmentHeader.read(&inner, registry)
    guard record.kind == .segment, record.tag == 0, types.contains(header.elementType), header.memberOffset == 0,
      header.references.isEmpty,
      header.byteCount == UInt64(count * header.elementType.width), registry[header.codec] != nil
    else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    let decoder = SegmentDecoder()
    decoder.begin(header)
    let scratch = try DecodeScratch()
    let out = try Memory(Int(header.byteCount) + Limits.slack)
    var bytes = head
    var place = 0
    for block in 0..<header.blockCount {
      let start = reader.position
      let frame = try reader.frame(at: start)
      let byteCount = header.valueCount(ofBlock: block) * header.width
      // Decoders read beyond a payload.
      let padded = try Memory(frame.count + Limits.slack)
      unsafe padded.bytes.copyBytes(from: frame)
      try unsafe decoder.decode(
        padded.prefix(frame.count), block: block,
        into: UnsafeMutableRawBufferPointer(rebasing: out.bytes[place..<(place + byteCount)]), policy: .strict,
        scratch: scratch, position: start)
      bytes += frame
      place += byteCount
    }
    return unsafe EmbeddedSegment(
      type: header.elementType, values: [UInt8](out.prefix(Int(header.byteCount))), bytes: bytes)
  }
}

extension ByteReader {
  /// A whole frame, its hash not checked.
  fileprivate mutating func frame(at position: UInt64) throws(SwzipError) -> [UInt8] {
    let word = try array(Frame.headerBytes)
    let units = Int(word[0]) | Int(word[1]) << 8 | Int(word[2]) << 16
    guard units > 1 else { throw SwzipError(.corrupt, .frameSize, at: position) }
    return word + (try array(16 * (units - 1)))
  }
}
