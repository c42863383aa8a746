/// A range of a member that becomes one segment: what an input's parser says of it.
package struct SegmentRange: Equatable, Sendable {
  package var offset: UInt64
  package var byteCount: Int
  package var elementType: ElementType
  /// Values a row, 0 where there are no rows.
  package var rowLength: Int
  /// A range with the same bytes, in the container or a base.
  package var copyOf: Reference?
  /// An earlier range of the container that determines the values.
  package var castOf: Cast?
  /// What these values differ from.
  package var deltaOf: Delta?

  /// Values that follow from ranges of as many.
  package struct Delta: Equatable, Sendable {
    package var prediction: Prediction
    /// In the order of the prediction.
    package var references: [Reference]

    package init(_ prediction: Prediction, _ references: [Reference]) {
      self.prediction = prediction
      self.references = references
    }

    /// The same for values that lie `byteCount` bytes further on.
    package func advanced(by byteCount: UInt64, elementType: ElementType) -> Delta {
      let ahead = byteCount / UInt64(elementType.width) * UInt64(prediction.referenceWidth(elementType))
      return Delta(prediction, references.map { $0.advanced(by: ahead) })
    }

    /// Another version of the values.
    package init(of reference: Reference) { self.init(.same, [reference]) }
  }

  package struct Cast: Equatable, Sendable {
    package var member: UInt64
    package var offset: UInt64
    package var elementType: ElementType

    package init(member: UInt64, offset: UInt64, elementType: ElementType) {
      self.member = member
      self.offset = offset
      self.elementType = elementType
    }
  }

  /// What a copy or delta refers to.
  package var references: [Reference] { deltaOf?.references ?? copyOf.map { [$0] } ?? [] }
  /// Whether earlier bytes of the container are needed to decode these.
  package var refersBack: Bool { castOf != nil || references.contains { $0.earlierMember != nil } }
  /// Whether bytes of a base are needed.
  package var needsBase: Bool { references.contains { $0.earlierMember == nil } }
  /// Whether the values are those of a narrower type, and the lower halves that it lacks.
  package var isWidened: Bool { castOf.map { $0.elementType.width < elementType.width } ?? false }
  /// The members of the container that these refer to.
  package var earlierMembers: Set<Int> {
    Set(castOf.map { [Int($0.member)] } ?? references.compactMap { $0.earlierMember.map { Int($0) } })
  }
  /// What these refer to in member `number` of the container.
  package func ranges(in number: Int) -> [Range<UInt64>] {
    if let castOf {
      let width = UInt64(castOf.elementType.width)
      let end = castOf.offset + UInt64(byteCount / elementType.width) * width
      return castOf.member == UInt64(number) ? [castOf.offset..<end] : []
    }
    let length = deltaOf.map { byteCount / elementType.width * $0.prediction.referenceWidth(elementType) } ?? byteCount
    return references.compactMap { reference in
      guard case .earlier(UInt64(number), let offset) = reference else { return nil }
      return offset..<(offset + UInt64(length))
    }
  }
  /// Whether other bytes are needed to decode these.
  package var refers: Bool { copyOf != nil || castOf != nil || deltaOf != nil }

  package init(offset: UInt64, byteCount: Int, elementType: ElementType, rowLength: Int = 0) {
    self.offset = offset
    self.byteCount = byteCount
    self.elementType = elementType
    self.rowLength = rowLength
  }
}

/// How a segment is coded. Made from its bytes, then shared by the threads that encode its blocks.
package final class SegmentPlan: @unchecked Sendable {  // not changed after init
  package let header: SegmentHeader
  package let effort: Effort
  private let plan: any CodecPlan

  /// Plans `bytes`, all of the range, by the first codec that takes them. `base`: as many bytes of values that they differ
  /// from, if there are such. Cost: a sample of about a fifth of a float segment.
  package init(
    _ range: SegmentRange, _ bytes: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer? = nil, effort: Effort,
    scratch: EncodeScratch, registry: CodecRegistry = .standard
  ) throws(SwzipError) {
    self.effort = effort
    let type = range.byteCount % range.elementType.width == 0 ? range.elementType : .bytes
    let swapped = type.isSwapped && range.copyOf == nil ? try Memory(bytes.count) : nil
    if let swapped { unsafe swapBytes(of: type, bytes, into: swapped.bytes) }
    let segment = unsafe PlainSegment(
      range: range, type: type.native, values: swapped?.prefix(bytes.count) ?? bytes, base: base, effort: effort,
      scratch: scratch)
    plan = try registry.plan(segment)
    header = SegmentHeader(
      memberOffset: range.offset, byteCount: UInt64(range.byteCount), blockValues: UInt32(plan.blockValues),
      elementType: type, coding: plan.coding, references: plan.references)
  }

  package var blockCount: Int { Int(header.blockCount) }

  /// Bytes of block `index` in the segment.
  package func bytes(ofBlock index: Int) -> Range<Int> {
    let start = index * Int(header.blockValues) * header.width
    return start..<(start + header.valueCount(ofBlock: UInt64(index)) * header.width)
  }

  /// Room that the frame of the largest block may take while it is being written.
  package var frameBound: Int {
    let count = Int(header.blockValues)
    return max(32 + count * header.width + 64, plan.bound(count))
  }

  /// Encodes block `index` from `source`, its original bytes, into `frame` (at least `frameBound` bytes). `reference`: the
  /// bytes that a cast refers to, or values that a delta's differ from, of this block's values.
  package func encode(
    _ index: Int, _ source: UnsafeRawBufferPointer, reference: UnsafeRawBufferPointer? = nil,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> BlockTableEntry {
    let values = unsafe header.swapsBytes ? scratch.swapped(source, header.elementType) : source
    let block = unsafe PlainBlock(
      index: index, values: values, width: header.width, reference: reference, frame: frame, scratch: scratch,
      effort: effort)
    var payload = plan.encode(block) ?? BytesBlock.encode(block)
    if payload.byteCount >= (32 + source.count + 15) & ~15, payload.mode != .raw {
      payload = unsafe BlockPayload(.raw, byteCount: BytesBlock.encodeRaw(values, into: frame))
    }
    return unsafe BlockHeader.seal(
      UnsafeMutableRawBufferPointer(rebasing: frame[..<payload.byteCount]), mode: payload.mode, flags: payload.flags,
      decodedHash: xxh3(source), valueCount: source.count / header.width, number: UInt32(index))
  }
}
