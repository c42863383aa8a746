internal import CSwzipKernels

/// Blocks of codec lattice (spec/codecs/lattice.md): symbols, then patches.
enum LatticeBlock {
  private static let patchesFlag: UInt8 = 128

  /// What patches of a block of `valueCount` values take in its frame at most.
  static func patchBound(_ valueCount: Int, width: Int) -> Int { size(of: valueCount / 16 + 1, width: width) }

  /// Puts patches behind the payload of a block.
  static func add(_ positions: [UInt32], of block: PlainBlock, to payload: inout BlockPayload) {
    guard !positions.isEmpty else { return }
    let (frame, width) = unsafe (block.frame, block.width)
    let end = unsafe ValuePatches.write(
      positions, of: block.values, width: width, into: frame, at: payload.byteCount)
    payload.byteCount += size(of: positions.count, width: width)
    for index in end..<(payload.byteCount - 4) { unsafe frame[index] = 0 }
    unsafe frame.storeBytes(
      of: UInt32(positions.count).littleEndian, toByteOffset: payload.byteCount - 4, as: UInt32.self)
    payload.flags |= patchesFlag
  }

  /// Bytes of so many patches, the number behind them.
  private static func size(of patches: Int, width: Int) -> Int {
    (ValuePatches.byteCount(patches, width: width) + 4 + 15) & ~15
  }

  static func decode(_ block: CodedBlock, by coding: LatticeCoding, _ tables: SymbolTables) throws(SwzipError) {
    let lattice = coding.lattice
    let count = block.valueCount
    let hasPatches = block.flags & patchesFlag != 0
    let patches = hasPatches ? try unsafe patches(block.frame, count, width: block.segment.width, block) : 0
    let inner =
      unsafe hasPatches
      ? UnsafeRawBufferPointer(
        rebasing: block.frame.dropLast(size(of: patches, width: block.segment.width))) : block.frame
    let room = unsafe (lattice.withKernel { unsafe swzip_lattice_room($0, UInt32(count)) } + 63) & ~63
    let memory = try unsafe block.scratch.values(room + count + Limits.slack)
    let symbols: UnsafeMutablePointer<UInt8>
    switch coding.inner {
    case .symbols(let coder, let rowLength):
      try block.scratch.prepare(count, through: SymbolsCoding.Area.symbols)
      unsafe symbols = block.scratch.area(SymbolsCoding.Area.symbols)
      let end = try unsafe SymbolsBlock.decodeSymbols(
        inner, by: coder, rowLength: Int(rowLength), count: lattice.book.symbolCount(of: count), tables: tables,
        into: symbols, flags: patchesFlag, scratch: block.scratch, position: block.position)
      guard (end + 15) & ~15 == inner.count else { throw block.failure(.frameSize) }
      try unsafe checkPadding(inner, end..<inner.count, at: block.position)
    case .float(let float):
      try block.scratch.prepare(count, through: FloatBlock.Area.symbols)
      let codes = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[room..<(room + count)])
      _ = try unsafe FloatBlock.decode(
        block.mode, inner, ignoring: patchesFlag, by: float, tables: tables, into: codes, scratch: block.scratch,
        streaming: false, position: block.position)
      unsafe symbols = codes.baseAddress!.assumingMemoryBound(to: UInt8.self)
    }
    let entries = unsafe UnsafeRawPointer(tables.entries).assumingMemoryBound(to: Float.self)
    unsafe lattice.withKernel {
      unsafe swzip_lattice_values(
        $0, entries, UInt32(max(lattice.book.codesPerSymbol, 1)), symbols,
        block.index * UInt64(block.segment.blockValues), UInt32(count), block.out.baseAddress!, memory.baseAddress!)
    }
    if hasPatches { try patch(block, inner.count, patches) }
  }

  /// How many patches stand at the end of a frame.
  private static func patches(
    _ frame: UnsafeRawBufferPointer, _ count: Int, width: Int, _ block: CodedBlock
  ) throws(SwzipError) -> Int {
    let patches = unsafe Int(
      UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: frame.count - 4, as: UInt32.self)))
    guard patches >= 1, patches <= count / 16, size(of: patches, width: width) <= frame.count - 32 else {
      throw block.failure(.patches)
    }
    return patches
  }

  /// Puts patches, from `start` of the frame on, over values.
  private static func patch(_ block: CodedBlock, _ start: Int, _ patches: Int) throws(SwzipError) {
    let (frame, width) = unsafe (block.frame, block.segment.width)
    try unsafe ValuePatches.apply(
      frame, at: start, patches, to: block.out, width: width, position: block.position)
    let end = start + ValuePatches.byteCount(patches, width: width)
    try unsafe checkPadding(frame, end..<(frame.count - 4), at: block.position)
  }
}
