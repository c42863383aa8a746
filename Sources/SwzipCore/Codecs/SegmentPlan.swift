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
    let isCopy = if case .copy = range.derivation { true } else { false }
    let swapped = type.isSwapped && !isCopy ? try Memory(bytes.count) : nil
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
