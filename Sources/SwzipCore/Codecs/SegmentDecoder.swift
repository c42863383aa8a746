internal import Synchronization

/// Which hashes are compared before a block is released (spec/FORMAT.md, section 4.3).
@nonexhaustive public enum CheckPolicy: Sendable {
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
  private let tables = SymbolTables()
  private let hasTables = Atomic(false)
  /// Held by the thread that builds the tables.
  private let building = Guarded(())

  package init() {
    header = SegmentHeader(memberOffset: 0, byteCount: 1, blockValues: 1, elementType: .bytes, coding: BytesCoding())
  }

  /// Starts a segment. Reuses the memory of the last one's tables.
  package func begin(_ header: SegmentHeader) {
    self.header = header
    hasTables.store(false, ordering: .releasing)
  }

  /// Whether the tables take memory now.
  package var holdsTables: Bool { hasTables.load(ordering: .acquiring) }

  /// What coded blocks need. Not made in `begin`: segments whose blocks are all stored otherwise need none. Where there is only
  /// one block it is made in the scratch, as far as the block needs it: a container may have very many such segments.
  func tables(_ scratch: DecodeScratch) throws(SwzipError) -> SymbolTables {
    guard header.blockCount > 1 else {
      try header.coding.begin(scratch.tables, valueCount: header.valueCount)
      return scratch.tables
    }
    guard !holdsTables else { return tables }
    try building.withLock { _ throws(SwzipError) in
      guard !holdsTables else { return }
      try header.coding.begin(tables, valueCount: header.valueCount)
      tables.buildAll()
      hasTables.store(true, ordering: .releasing)
    }
    return tables
  }

  /// Decodes block `index`. `frame`: its bytes, with `Limits.slack` readable bytes behind; `out`: exactly its values.
  /// `streaming`: `out` belongs to something large that is not read soon. Nothing in `out` may be used after a throw.
  package func decode(
    _ frame: UnsafeRawBufferPointer, block index: UInt64, into out: UnsafeMutableRawBufferPointer,
    policy: CheckPolicy, entry: BlockTableEntry? = nil, streaming: Bool = false, scratch: DecodeScratch,
    position: UInt64, reference: ReferenceReader? = nil
  ) throws(SwzipError) {
    let block = try unsafe blockHeader(frame, index, entry, position)
    guard out.count == block.valueCount * header.width else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    if policy == .strict { try unsafe checkHash(frame, block, index, position) }
    do throws(SwzipError) {
      var hash = try unsafe decodePayload(
        CodedBlock(
          decoder: self, index: index, mode: BlockMode(rawValue: block.mode), flags: block.flags, frame: frame,
          out: out, streaming: streaming, scratch: scratch, position: position, reference: reference))
      if header.swapsBytes {
        unsafe swapBytes(of: header.elementType, UnsafeRawBufferPointer(out), into: out)
        hash = unsafe xxh3(UnsafeRawBufferPointer(out))
      }
      guard hash == block.decodedHash else { throw SwzipError(.corrupt, .decodedHash, at: position) }
    } catch {
      // The loader's policy: damage in storage, or a fault of encoder or decoder?
      if policy == .loader, error.kind == .corrupt { try unsafe checkHash(frame, block, index, position) }
      throw error
    }
  }

  /// Throws unless block `index` is as it was stored. Decodes nothing, and needs nothing that the segment refers to.
  package func checkStored(
    _ frame: UnsafeRawBufferPointer, block index: UInt64, entry: BlockTableEntry, position: UInt64
  ) throws(SwzipError) {
    try unsafe checkHash(frame, blockHeader(frame, index, entry, position), index, position)
  }

  private func blockHeader(
    _ frame: UnsafeRawBufferPointer, _ index: UInt64, _ entry: BlockTableEntry?, _ position: UInt64
  ) throws(SwzipError) -> BlockHeader {
    let block = try unsafe BlockHeader.read(
      UnsafeRawBufferPointer(rebasing: frame[..<min(32, frame.count)]), at: position)
    guard block.fits(header, index: index), block.frame.byteCount == frame.count else {
      throw SwzipError(.corrupt, .blockHeader, at: position)
    }
    if let entry, !entry.agrees(with: block) { throw SwzipError(.corrupt, .indexAgrees, at: position) }
    return block
  }

  private func checkHash(
    _ frame: UnsafeRawBufferPointer, _ block: BlockHeader, _ index: UInt64, _ position: UInt64
  ) throws(SwzipError) {
    guard
      unsafe Frame.hash(of: frame, tag: block.frame.tag, ordinal: UInt32(truncatingIfNeeded: index))
        == block.frame.storedHash
    else { throw SwzipError(.corrupt, .storedHash, at: position) }
  }

  private func decodePayload(_ block: CodedBlock) throws(SwzipError) -> UInt64 {
    guard let modes = header.coding.modes else { throw block.failure(.unknownCodec, .unsupported) }
    if BytesCoding.modes.contains(block.mode) {
      try BytesBlock.decode(block)
    } else if modes.contains(block.mode) {
      if let hash = try header.coding.decode(block) { return hash }
    } else {
      throw block.mode.isKnown ? block.failure(.blockHeader) : block.failure(.unknownCodec, .unsupported)
    }
    return unsafe xxh3(UnsafeRawBufferPointer(block.out))
  }
}
