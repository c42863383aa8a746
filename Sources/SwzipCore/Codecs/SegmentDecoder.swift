internal import Synchronization

/// Which hashes are compared before a block is released (spec/FORMAT.md, section 4.3).
public enum CheckPolicy: Sendable {
  /// Stored hash, then the decoded one.
  case strict
  /// The decoded hash, bound by the block table; the stored hash only to name the culprit.
  case loader
}

/// Copies a range of what a segment refers to by its reference `number`, at an offset relative to that range's start; or
/// lends as many bytes where they lie.
package typealias ReferenceReader = (
  _ number: Int, _ offset: UInt64, _ target: UnsafeMutableRawBufferPointer
) throws(SwzipError) -> LentBytes?

/// Decodes the blocks of one segment: its header checked, its tables built when the first block needs them. Blocks of one
/// segment may be decoded by several threads at once, each with a scratch of its own.
package final class SegmentDecoder: @unchecked Sendable {  // not changed after `begin`, but for tables, by one thread
  package private(set) var header: SegmentHeader
  private var kind: FloatKind?
  private var deltaKind: DeltaKind?
  private let tables = SymbolTables()
  private let tableState = Atomic<UInt8>(noTables)
  private static let noTables: UInt8 = 0
  private static let building: UInt8 = 1
  private static let ready: UInt8 = 2

  package init() {
    header = SegmentHeader(memberOffset: 0, byteCount: 1, blockValues: 1, elementType: .bytes, codec: .bytes)
  }

  /// Starts a segment. Reuses the memory of the last one's tables.
  package func begin(_ header: SegmentHeader) {
    self.header = header
    kind =
      header.codec == CodecID.float.rawValue ? FloatKind(header.elementType, mantissaBits: header.mantissaBits) : nil
    deltaKind = header.codec == CodecID.delta.rawValue ? DeltaKind(header.elementType) : nil
    tableState.store(Self.noTables, ordering: .releasing)
  }

  /// Whether the tables take memory now.
  package var holdsTables: Bool { tableState.load(ordering: .acquiring) == Self.ready }

  /// What coded blocks need. Not made in `begin`: segments whose blocks are all stored otherwise need none. Where there is only
  /// one block it is made in the scratch, as far as the block needs it: a container may have very many such segments.
  private func tables(_ scratch: DecodeScratch) throws(SwzipError) -> SymbolTables {
    guard header.blockCount > 1 else {
      try scratch.tables.begin(header, shift: kind?.shift ?? 0)
      return scratch.tables
    }
    try buildTables()
    return tables
  }

  private func buildTables() throws(SwzipError) {
    guard !holdsTables else { return }
    while true {
      let (isOurs, found) = tableState.compareExchange(
        expected: Self.noTables, desired: Self.building, ordering: .acquiringAndReleasing)
      if isOurs { break }
      if found == Self.ready { return }
      // Another thread builds them, which takes microseconds.
    }
    do throws(SwzipError) {
      try tables.begin(header, shift: kind?.shift ?? 0)
      tables.buildAll()
    } catch {
      tableState.store(Self.noTables, ordering: .releasing)
      throw error
    }
    tableState.store(Self.ready, ordering: .releasing)
  }

  /// Decodes block `index`. `frame`: its bytes, with `Limits.slack` readable bytes behind; `out`: exactly its values.
  /// `streaming`: `out` belongs to something large that is not read soon. Nothing in `out` may be used after a throw.
  package func decode(
    _ frame: UnsafeRawBufferPointer, block index: UInt64, into out: UnsafeMutableRawBufferPointer,
    policy: CheckPolicy, entry: BlockTableEntry? = nil, streaming: Bool = false, scratch: DecodeScratch,
    position: UInt64, reference: ReferenceReader? = nil
  ) throws(SwzipError) {
    let block = try unsafe BlockHeader.read(
      UnsafeRawBufferPointer(rebasing: frame[..<min(32, frame.count)]), at: position)
    let valueCount = header.valueCount(ofBlock: index)
    guard block.frame.byteCount == frame.count, block.valueCount == valueCount,
      out.count == valueCount * header.width, frame.count <= (out.count + 15) & ~15 + Limits.blockOverhead
    else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    if let entry, !entry.agrees(with: block) { throw SwzipError(.corrupt, .indexAgrees, at: position) }
    func checkStored() throws(SwzipError) {
      guard
        unsafe Frame.hash(of: frame, tag: block.frame.tag, ordinal: UInt32(truncatingIfNeeded: index))
          == block.frame.storedHash
      else { throw SwzipError(.corrupt, .storedHash, at: position) }
    }
    if policy == .strict { try checkStored() }
    do throws(SwzipError) {
      var hash = try unsafe decodePayload(
        block, index, frame, into: out, streaming: streaming, scratch: scratch, position: position, reference: reference
      )
      if header.swapsBytes {
        unsafe swapBytes(of: header.elementType, UnsafeRawBufferPointer(out), into: out)
        hash = unsafe xxh3(UnsafeRawBufferPointer(out))
      }
      guard hash == block.decodedHash else { throw SwzipError(.corrupt, .decodedHash, at: position) }
    } catch {
      // The loader's policy: damage in storage, or a fault of encoder or decoder?
      if policy == .loader, error.kind == .corrupt { try checkStored() }
      throw error
    }
  }

  private func decodePayload(
    _ block: BlockHeader, _ index: UInt64, _ frame: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
    streaming: Bool,
    scratch: DecodeScratch, position: UInt64, reference: ReferenceReader?
  ) throws(SwzipError) -> UInt64 {
    guard let codec = CodecID(rawValue: header.codec), let mode = BlockMode(rawValue: block.mode) else {
      throw SwzipError(.unsupported, .unknownCodec, at: position)
    }
    guard codec.allows(mode) else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    let layout = mode == .planes ? header.elementType.block : nil
    if mode == .huffman || mode == .rans {
      guard (mode == .rans) == (header.rans != nil) else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    } else if layout == nil, mode != .sparse, block.flags != 0 {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let isCoded = mode == .huffman || mode == .rans || mode == .sparse || mode == .delta
    let tables = isCoded ? try self.tables(scratch) : self.tables
    let width = header.width
    if codec != .bytes {
      try scratch.prepare(
        block.valueCount,
        planes: mode == .planes
          ? layout == nil ? width : 0
          : mode == .sparse || mode == .rans || mode == .delta || codec == .symbols
            ? 7 : mode == .cast || kind?.isWide == true ? 2 : 1)
    }
    switch mode {
    case .huffman where codec == .symbols, .rans where codec == .symbols:
      try unsafe SymbolsBlock.decode(
        mode, frame, of: header, tables: tables, into: out, scratch: scratch, position: position)
    case .raw, .constant, .zstd, .lz4:
      try unsafe BytesBlock.decode(mode, frame, width: width, into: out, at: position, by: scratch.compressors)
    case .sparse:
      try unsafe SparseBlock.decode(frame, width: width, into: out, scratch: scratch, position: position) {
        mode, inner, values throws(SwzipError) in
        switch mode {
        case .raw:
          try unsafe BytesBlock.decode(mode, inner, width: width, into: values, at: position, by: scratch.compressors)
        case .huffman where header.rans == nil:
          _ = try unsafe FloatBlock.decode(
            inner, of: header, kind: kind!, tables: tables.huffman, into: values, scratch: scratch, streaming: false,
            position: position)
        case .rans where header.rans != nil:
          _ = try unsafe FloatBlock.decodeRans(
            inner, of: header, kind: kind!, tables: tables.rans, into: values, scratch: scratch, streaming: false,
            position: position)
        default: throw SwzipError(.corrupt, .blockHeader, at: position)
        }
      }
    case .huffman:
      return try unsafe FloatBlock.decode(
        frame, of: header, kind: kind!, tables: tables.huffman, into: out, scratch: scratch, streaming: streaming,
        position: position)
    case .rans:
      return try unsafe FloatBlock.decodeRans(
        frame, of: header, kind: kind!, tables: tables.rans, into: out, scratch: scratch, streaming: streaming,
        position: position)
    case .fixed4:
      guard header.elementType.native == .bf16, header.mantissaBits == 0 else {
        throw SwzipError(.corrupt, .blockHeader, at: position)
      }
      return try unsafe FloatBlock.decodeFixed4(frame, into: out, streaming: streaming, position: position)
    case .planes:
      if let layout {
        try unsafe FieldsBlock.decode(
          frame, flags: block.flags, layout, into: out, scratch: scratch, position: position)
      } else {
        try unsafe PlanesBlock.decode(frame, width: width, into: out, scratch: scratch, position: position)
      }
    case .cast:
      let kind = header.cast!
      let source = try unsafe referenced(index, block, reference, scratch, position)[0]
      try unsafe CastBlock.decode(
        frame, kind: kind, reference: source.bytes, into: out, scratch: scratch, position: position)
    case .delta:
      let base = try unsafe predicted(index, block, reference, scratch, position)
      try unsafe DeltaBlock.decode(
        frame, of: header, kind: deltaKind!, tables: tables.rans,
        base: base.bytes, into: out, scratch: scratch, position: position)
    case .copy:
      for index in 26..<32 {
        guard unsafe frame[index] == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
      }
      guard frame.count == 32 else { throw SwzipError(.corrupt, .frameSize, at: position) }
      if header.prediction == .same {
        guard let reference = unsafe reference else { throw SwzipError(.base, .baseMissing, at: position) }
        let lent = try unsafe reference(0, index * UInt64(header.blockValues) * UInt64(width), out)
        if let lent { unsafe out.copyMemory(from: lent.bytes) }
      } else {
        try unsafe out.copyMemory(from: predicted(index, block, reference, scratch, position).bytes)
      }
    }
    return unsafe xxh3(UnsafeRawBufferPointer(out))
  }

  /// What a block's values are differences to, in the scratch.
  private func predicted(
    _ index: UInt64, _ block: BlockHeader, _ reference: ReferenceReader?, _ scratch: DecodeScratch, _ position: UInt64
  ) throws(SwzipError) -> LentBytes {
    let references = try unsafe referenced(index, block, reference, scratch, position)
    guard header.prediction != .same else { return references[0] }
    let target = try unsafe scratch.predicted(block.valueCount * header.width)
    unsafe header.prediction.predict(header.elementType, from: references.map { unsafe $0.bytes }, into: target)
    return unsafe LentBytes(UnsafeRawBufferPointer(target), owner: scratch)
  }

  /// The bytes that a block refers to, by reference, in the scratch.
  private func referenced(
    _ index: UInt64, _ block: BlockHeader, _ reference: ReferenceReader?, _ scratch: DecodeScratch, _ position: UInt64
  ) throws(SwzipError) -> [LentBytes] {
    guard let reference = unsafe reference else { throw SwzipError(.base, .baseMissing, at: position) }
    let bytes = block.valueCount * header.referenceWidth
    let memory = try unsafe scratch.nonZeros(header.references.count * bytes)
    var found: [LentBytes] = []
    for number in header.references.indices {
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(number * bytes)..<((number + 1) * bytes)])
      let offset = index * UInt64(Int(header.blockValues) * header.referenceWidth)
      let lent = try unsafe reference(number, offset, target)
      unsafe found.append(lent ?? LentBytes(UnsafeRawBufferPointer(target), owner: scratch))
    }
    return found
  }
}
