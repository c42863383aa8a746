internal import CSwzipKernels

/// Blocks of codec lattice (spec/codecs/lattice.md): symbols, then patches.
enum LatticeBlock {
  private static let patchesFlag: UInt8 = 4

  /// Room that a frame may take while it is being written.
  static func bound(_ valueCount: Int, _ book: LatticeBook, width: Int) -> Int {
    SymbolsCoder.bound(book.symbolCount(of: valueCount)) + 64 + (4 + width) * (valueCount / 16 + 1)
  }

  /// Writes the payload; nil where another mode must serve.
  static func encode(_ block: PlainBlock, by plan: LatticePlan) -> BlockPayload? {
    let count = unsafe block.values.count / block.width
    let patches = unsafe plan.load(block.values, block: block.index, scratch: block.scratch)
    guard patches <= min(count / 16, EncodeScratch.missingCapacity) else { return nil }
    // Coding the symbols takes the list for itself.
    let positions = (0..<patches).map { unsafe block.scratch.missing[$0] }
    guard
      var payload = unsafe plan.symbols.encode(
        block: block.index, count: plan.lattice.book.symbolCount(of: count), into: block.frame, scratch: block.scratch)
    else { return nil }
    guard patches > 0 else { return payload }
    unsafe block.frame.storeBytes(of: UInt32(patches).littleEndian, toByteOffset: payload.byteCount, as: UInt32.self)
    var end = payload.byteCount + 4
    for position in positions {
      let start = Int(position) * block.width
      unsafe block.frame.storeBytes(of: position.littleEndian, toByteOffset: end, as: UInt32.self)
      unsafe UnsafeMutableRawBufferPointer(rebasing: block.frame[(end + 4)...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: block.values[start..<(start + block.width)]))
      end += 4 + block.width
    }
    payload.byteCount = unsafe padFrame(block.frame.baseAddress!, from: end)
    payload.flags |= patchesFlag
    return payload
  }

  static func decode(_ block: CodedBlock, by coding: LatticeCoding, _ tables: SymbolTables) throws(SwzipError) {
    let (frame, out, lattice) = unsafe (block.frame, block.out, coding.lattice)
    let count = block.valueCount
    let symbols = unsafe block.scratch.area(SymbolsCoding.Area.symbols)
    var end = try unsafe SymbolsBlock.decodeSymbols(
      frame, by: coding.coder, rowLength: Int(coding.rowLength), count: lattice.book.symbolCount(of: count),
      tables: tables, into: symbols, flags: patchesFlag, scratch: block.scratch, position: block.position)
    let first = block.index * UInt64(block.segment.blockValues)
    let room = unsafe lattice.withKernel { unsafe swzip_lattice_room($0, UInt32(count)) }
    let memory = try unsafe block.scratch.values(room).baseAddress!
    let entries = unsafe UnsafeRawPointer(tables.entries).assumingMemoryBound(to: Float.self)
    unsafe lattice.withKernel {
      unsafe swzip_lattice_values(
        $0, entries, UInt32(lattice.book.codesPerSymbol), symbols, first, UInt32(count), out.baseAddress!, memory)
    }
    if block.flags & patchesFlag != 0 {
      let start = (end + 15) & ~15
      guard start + 4 <= frame.count else { throw block.failure(.frameSize) }
      try unsafe checkPadding(frame, end..<start, at: block.position)
      end = try unsafe patch(out, width: block.segment.width, frame, at: start, block)
    }
    guard (end + 15) & ~15 == frame.count else { throw block.failure(.frameSize) }
    try unsafe checkPadding(frame, end..<frame.count, at: block.position)
  }

  /// Puts patches over values; returns where they end.
  private static func patch(
    _ out: UnsafeMutableRawBufferPointer, width: Int, _ frame: UnsafeRawBufferPointer, at start: Int, _ block: CodedBlock
  ) throws(SwzipError) -> Int {
    let count = out.count / width
    let patches = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: start, as: UInt32.self)))
    let end = start + 4 + patches * (4 + width)
    guard patches >= 1, patches <= count / 16, end <= frame.count else { throw block.failure(.patches) }
    var last = -1
    for offset in stride(from: start + 4, to: end, by: 4 + width) {
      let position = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
      guard position > last, position < count else { throw block.failure(.patches) }
      last = position
      unsafe UnsafeMutableRawBufferPointer(rebasing: out[(position * width)...]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: frame[(offset + 4)..<(offset + 4 + width)]))
    }
    return end
  }
}
