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
  private let float: FloatPlan?
  private let symbols: SymbolsPlan?
  private let delta: DeltaPlan?

  /// Plans `bytes`, all of the range. `base`: as many bytes of values that they differ from, if there are such. Cost: a
  /// sample of about a fifth of a float segment.
  package init(
    _ range: SegmentRange, _ bytes: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer? = nil, effort: Effort,
    scratch: EncodeScratch
  ) throws(SwzipError) {
    self.effort = effort
    if let differing = range.deltaOf, let base = unsafe base {
      let plan = try unsafe DeltaPlan(
        bytes, base, of: range.elementType, rowLength: range.rowLength, scratch: scratch)
      (delta, float, symbols) = (plan, nil, nil)
      header = plan.header(range, differing)
      return
    }
    delta = nil
    let type = range.elementType.native
    let whole = range.byteCount % type.width == 0
    let swapped =
      try range.elementType.isSwapped && whole && range.copyOf == nil ? Memory(bytes.count) : nil
    if let swapped { unsafe swapBytes(of: range.elementType, bytes, into: swapped.bytes) }
    let bytes = unsafe swapped?.prefix(bytes.count) ?? bytes
    let cast = range.castOf.flatMap { CastKind(type, from: $0.elementType) }
    let finder =
      unsafe range.copyOf == nil && cast == nil && type != .bytes && whole
      ? PaletteFinder(bytes, width: type.width) : nil
    let isPlain = range.copyOf == nil && cast == nil && finder == nil && whole && type != .bytes
    let rowPalettes =
      unsafe isPlain && effort.usesRowPalettes ? RowPalettes(bytes, of: type, rowLength: range.rowLength) : nil
    let repeats =
      unsafe isPlain && rowPalettes == nil
      && Repeats.found(in: bytes, width: type.width, effort: effort, scratch: scratch)
    let codec: CodecID =
      if range.copyOf != nil { .copy } else if cast != nil { .cast } else if type == .bytes || !whole || repeats {
        .bytes
      } else if finder != nil || rowPalettes != nil || (type.width == 1 && FloatKind(type, mantissaBits: 1) == nil) {
        .symbols
      } else if FloatKind(type, mantissaBits: effort.mantissaBits(of: type)) != nil { .float } else { .planes }
    var header = SegmentHeader(
      memberOffset: range.offset, byteCount: UInt64(range.byteCount), blockValues: 0,
      elementType: whole ? range.elementType : .bytes, codec: codec)
    let growsPlain =
      codec == .bytes ? try unsafe PlainBlocks.pay(bytes, scratch.compressors) : false
    header.blockValues = UInt32(
      Self.blockValues(range.byteCount / header.width, codec, header.elementType, effort, growsPlain: growsPlain))
    let kind = codec == .float ? unsafe FloatKind.best(for: bytes, type, effort: effort) : nil
    let fixed4 = effort.usesFixed4 && type == .bf16
    let isSparse =
      codec == .float && !fixed4
      ? unsafe SparseBlock.pays(bytes, width: type.width, symbolsTellZeros: effort.usesRans || kind!.isUnsigned) : false
    float =
      try isSparse
      ? unsafe FloatPlan(
        sparse: bytes, kind: kind!,
        blockValues: (Int(header.blockValues) + 255) & ~255, effort: effort, scratch: scratch)
      : codec == .float
        ? unsafe FloatPlan(
          bytes, kind: kind!, rowLength: range.rowLength,
          effort: effort, scratch: scratch) : nil
    symbols =
      try codec == .symbols
      ? unsafe SymbolsPlan(
        bytes, of: type, finder: finder, rowPalettes: rowPalettes, rowLength: range.rowLength, effort: effort,
        scratch: scratch) : nil
    if let symbols {
      header.blockValues = UInt32(symbols.blockValues)
      header.palette = symbols.palette
      header.tables = symbols.tables?.codes ?? []
      header.rans = symbols.rans?.coding
      header.rowLength = UInt32(symbols.rowLength)
    }
    if let float {
      header.blockValues = UInt32(float.blockValues)
      header.rowLength = UInt32(float.rowLength)
      header.mantissaBits = float.kind.mantissaBits
      header.windowBase = float.windowBase
      header.rans = float.rans?.coding
      if !fixed4 { header.tables = float.tables?.codes ?? [] }
    }
    if let cast, let source = range.castOf {
      header.cast = cast
      header.references = [.earlier(member: source.member, offset: source.offset)]
    }
    if let copy = range.copyOf { header.references = [copy] }
    self.header = header
  }

  private static func blockValues(
    _ count: Int, _ codec: CodecID, _ type: ElementType, _ effort: Effort, growsPlain: Bool
  ) -> Int {
    if codec != .bytes, type.isBlock {
      let largest = Limits.recordBlockBytes / type.width
      let blocks = (count + largest - 1) / largest
      return (count + blocks - 1) / blocks
    }
    let largest =
      codec == .bytes
      ? growsPlain ? Limits.writtenPlainBlockBytes : Limits.blockValues
      : codec == .float ? effort.ransBlockValues(width: type.width) : Limits.writtenBlockValues(width: type.width)
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
    if let float {
      let inner =
        float.rans == nil ? FloatBlock.bound(count, kind: float.kind) : FloatBlock.ransBound(count, kind: float.kind)
      return max(raw, float.isSparse ? SparseBlock.bound(count, inner: inner) : inner)
    }
    if let delta { return max(raw, DeltaBlock.bound(count, width: delta.kind.width)) }
    if let cast = header.cast { return max(raw, CastBlock.bound(count, kind: cast)) }
    if let symbols { return max(raw, SymbolsBlock.bound(symbols.palette.symbolCount(of: count), symbols.palette)) }
    guard header.codec == CodecID.planes.rawValue else { return raw }
    if let layout = header.elementType.block { return max(raw, FieldsBlock.bound(count, layout)) }
    return max(raw, PlanesBlock.bound(count, width: header.width))
  }

  /// Encodes block `index` from `source`, its original bytes, into `frame` (at least `frameBound` bytes). `reference`: the
  /// bytes that a cast refers to, or values that a delta's differ from, of this block's values.
  package func encode(
    _ index: Int, _ source: UnsafeRawBufferPointer, reference: UnsafeRawBufferPointer? = nil,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> BlockTableEntry {
    let values = unsafe header.swapsBytes ? scratch.swapped(source, header.elementType) : source
    var (mode, flags, byteCount) = unsafe payload(index, values, reference, into: frame, scratch: scratch)
    if byteCount >= (32 + source.count + 15) & ~15, mode != .raw {
      (mode, flags, byteCount) = unsafe (.raw, 0, BytesBlock.encodeRaw(values, into: frame))
    }
    return unsafe BlockHeader.seal(
      UnsafeMutableRawBufferPointer(rebasing: frame[..<byteCount]), mode: mode, flags: flags,
      decodedHash: xxh3(source), valueCount: source.count / header.width, number: UInt32(index))
  }

  private func payload(
    _ index: Int, _ source: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer?,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> (BlockMode, UInt8, Int) {
    if header.codec == CodecID.copy.rawValue {
      unsafe BytesBlock.clearParameters(frame)
      return (.copy, 0, 32)
    }
    if let cast = header.cast, let reference = unsafe reference {
      if let count = unsafe CastBlock.encode(
        source, reference, kind: cast, into: frame, scratch: scratch, effort: effort)
      {
        return (.cast, 0, count)
      }
    }
    if let delta, let reference = unsafe reference {
      if unsafe equalBytes(source, reference) {
        unsafe BytesBlock.clearParameters(frame)
        return (.copy, 0, 32)
      }
      if let count = unsafe DeltaBlock.encode(
        source, reference, block: index, plan: delta, into: frame, scratch: scratch)
      {
        return (.delta, 0, count)
      }
      return unsafe bytesPayload(source, into: frame, scratch: scratch)
    }
    if let count = unsafe BytesBlock.encodeConstant(source, width: header.width, into: frame) {
      return (.constant, 0, count)
    }
    if let float {
      if effort.usesFixed4, header.elementType.native == .bf16 {
        return unsafe (.fixed4, 0, FloatBlock.encodeFixed4(source, plan: float, into: frame))
      }
      if float.isSparse {
        let coded = unsafe SparseBlock.encode(
          source, width: header.width, into: frame, scratch: scratch, effort: effort
        ) { values, inner in
          unsafe codedFloats(index, values, float, into: inner, scratch: scratch)
        }
        guard let coded else { return unsafe bytesPayload(source, into: frame, scratch: scratch) }
        return (.sparse, coded.flags, coded.byteCount)
      }
      if let coded = unsafe codedFloats(index, source, float, into: frame, scratch: scratch) { return coded }
      return unsafe bytesPayload(source, into: frame, scratch: scratch)
    }
    if let symbols {
      if let coded = unsafe SymbolsBlock.encode(source, block: index, plan: symbols, into: frame, scratch: scratch) {
        return coded
      }
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

  /// Values as symbols and raw bits; nil where that does not do.
  private func codedFloats(
    _ index: Int, _ values: UnsafeRawBufferPointer, _ float: FloatPlan, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch
  ) -> (mode: BlockMode, flags: UInt8, byteCount: Int)? {
    if let rans = float.rans {
      return unsafe FloatBlock.encodeRans(
        values, block: index, plan: rans, kind: float.kind, windowBase: float.windowBase, into: frame, scratch: scratch,
        effort: effort
      ).map { (.rans, $0.flags, $0.byteCount) }
    }
    return unsafe FloatBlock.encode(values, plan: float, into: frame, scratch: scratch, effort: effort)
      .map { (.huffman, $0.flags, $0.byteCount) }
  }

  private func bytesPayload(
    _ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> (BlockMode, UInt8, Int) {
    let zstd = unsafe BytesBlock.encodeZstd(source, levels: effort.plainLevels, into: frame, by: scratch.compressors)
    // At level 1 lz4, which unpacks faster, serves where it is as small.
    if effort.usesLz4, let zstd {
      let count = unsafe BytesBlock.encodeLz4(source, into: frame, by: scratch.compressors)
      if let count, count <= zstd + zstd / 512 { return (.lz4, 0, count) }
      _ = unsafe BytesBlock.encodeZstd(source, levels: effort.plainLevels, into: frame, by: scratch.compressors)
    }
    if let zstd { return (.zstd, 0, zstd) }
    return unsafe (.raw, 0, BytesBlock.encodeRaw(source, into: frame))
  }
}
