/// A range of a member that becomes one segment: what an input's parser says of it.
package struct SegmentRange: Equatable, Sendable {
  package var offset: UInt64
  package var byteCount: Int
  package var elementType: ElementType
  /// Values a row, 0 where there are no rows.
  package var rowLength: Int
  /// An earlier range of the container with the same bytes.
  package var copyOf: (member: UInt64, offset: UInt64)?

  package init(offset: UInt64, byteCount: Int, elementType: ElementType, rowLength: Int = 0) {
    self.offset = offset
    self.byteCount = byteCount
    self.elementType = elementType
    self.rowLength = rowLength
  }

  package static func == (a: Self, b: Self) -> Bool {
    a.offset == b.offset && a.byteCount == b.byteCount && a.elementType == b.elementType && a.rowLength == b.rowLength
      && a.copyOf?.member == b.copyOf?.member && a.copyOf?.offset == b.copyOf?.offset
  }
}

/// How a segment is coded. Made from its bytes, then shared by the threads that encode its blocks.
package final class SegmentPlan: @unchecked Sendable {  // not changed after init
  package let header: SegmentHeader
  package let effort: Effort
  private let float: FloatPlan?

  /// Plans `bytes`, all of the range. Cost: a sample of about a fifth of a float segment.
  package init(
    _ range: SegmentRange, _ bytes: UnsafeRawBufferPointer, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.effort = effort
    let type = range.elementType
    let whole = range.byteCount % type.width == 0
    let codec: CodecID =
      if range.copyOf != nil { .copy } else if type == .bytes || !whole {
        .bytes
      } else if FloatKind(type, mantissaBits: effort.mantissaBits(of: type)) != nil { .float } else { .planes }
    var header = SegmentHeader(
      memberOffset: range.offset, byteCount: UInt64(range.byteCount), blockValues: 0,
      elementType: whole ? type : .bytes, codec: codec)
    header.blockValues = UInt32(Self.blockValues(range.byteCount / header.width, codec, type))
    float =
      try codec == .float
      ? unsafe FloatPlan(
        bytes, kind: FloatKind(type, mantissaBits: effort.mantissaBits(of: type))!, rowLength: range.rowLength,
        effort: effort, scratch: scratch) : nil
    if let float {
      header.blockValues = UInt32(float.blockValues)
      header.rowLength = UInt32(float.rowLength)
      header.mantissaBits = effort.mantissaBits(of: type)
      header.windowBase = float.windowBase
      if !(effort.usesFixed4 && type == .bf16) { header.tables = float.codes }
    }
    if let copy = range.copyOf { header.references = [.earlier(member: copy.member, offset: copy.offset)] }
    self.header = header
  }

  private static func blockValues(_ count: Int, _ codec: CodecID, _ type: ElementType) -> Int {
    if codec != .bytes, type.isBlock {
      let largest = Limits.recordBlockBytes / type.width
      let blocks = (count + largest - 1) / largest
      return (count + blocks - 1) / blocks
    }
    let largest = codec == .bytes ? Limits.blockValues : Limits.writtenBlockValues
    let blocks = (count + largest - 1) / largest
    return min(count, ((count + blocks - 1) / blocks + 255) & ~255)
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
    let raw = 32 + count * header.width + 64
    if let float { return max(raw, FloatBlock.bound(count, kind: float.kind)) }
    guard header.codec == CodecID.planes.rawValue else { return raw }
    if let layout = header.elementType.block { return max(raw, FieldsBlock.bound(count, layout)) }
    return max(raw, PlanesBlock.bound(count, width: header.width))
  }

  /// Encodes block `index` from `source`, its original bytes, into `frame` (at least `frameBound` bytes).
  package func encode(
    _ index: Int, _ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> BlockTableEntry {
    var (mode, flags, byteCount) = unsafe payload(source, into: frame, scratch: scratch)
    if byteCount >= (32 + source.count + 15) & ~15, mode != .raw {
      (mode, flags, byteCount) = unsafe (.raw, 0, BytesBlock.encodeRaw(source, into: frame))
    }
    return unsafe BlockHeader.seal(
      UnsafeMutableRawBufferPointer(rebasing: frame[..<byteCount]), mode: mode, flags: flags,
      decodedHash: xxh3(source), valueCount: source.count / header.width, number: UInt32(index))
  }

  private func payload(
    _ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> (BlockMode, UInt8, Int) {
    if header.codec == CodecID.copy.rawValue {
      unsafe BytesBlock.clearParameters(frame)
      return (.copy, 0, 32)
    }
    if let count = unsafe BytesBlock.encodeConstant(source, width: header.width, into: frame) {
      return (.constant, 0, count)
    }
    if let float {
      if effort.usesFixed4, header.elementType == .bf16 {
        return unsafe (.fixed4, 0, FloatBlock.encodeFixed4(source, plan: float, into: frame))
      }
      if let (count, flags) = unsafe FloatBlock.encode(
        source, plan: float, into: frame, scratch: scratch, effort: effort)
      {
        return (.huffman, flags, count)
      }
      return unsafe bytesPayload(source, into: frame, scratch: scratch)
    }
    if header.codec == CodecID.planes.rawValue {
      if let layout = header.elementType.block {
        let (count, flags) = unsafe FieldsBlock.encode(source, layout, into: frame, scratch: scratch, effort: effort)
        return (.planes, flags, count)
      }
      return unsafe (
        .planes, 0, PlanesBlock.encode(source, width: header.width, into: frame, scratch: scratch, effort: effort)
      )
    }
    return unsafe bytesPayload(source, into: frame, scratch: scratch)
  }

  private func bytesPayload(
    _ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> (BlockMode, UInt8, Int) {
    if effort.usesLz4 {
      if let count = unsafe BytesBlock.encodeLz4(source, into: frame, by: scratch.compressors) {
        return (.lz4, 0, count)
      }
    } else if let count = unsafe BytesBlock.encodeZstd(
      source, level: effort.zstdLevel, into: frame, by: scratch.compressors)
    {
      return (.zstd, 0, count)
    }
    return unsafe (.raw, 0, BytesBlock.encodeRaw(source, into: frame))
  }
}
