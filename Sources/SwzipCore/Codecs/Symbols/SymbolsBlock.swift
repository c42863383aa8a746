internal import CSwzipKernels

/// Blocks of codec symbols (spec/codecs/symbols.md): modes huffman, nodes and rans without raw bits.
enum SymbolsBlock {
  private static let wideFlag: UInt8 = 1

  /// Room that a frame may take while it is being written.
  static func bound(_ symbolCount: Int, _ palette: Palette) -> Int {
    RansStreams.bound(symbolCount) + NodeLists.slack + (palette.isPerRow ? symbolCount * palette.width / 2 : 0)
  }

  /// Writes the payload; nil where another mode must serve.
  static func encode(
    _ source: UnsafeRawBufferPointer, block: Int, plan: SymbolsPlan, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch
  ) -> BlockPayload? {
    let count = plan.palette.symbolCount(of: source.count / plan.palette.width)
    let start = frame.baseAddress!
    guard let palettes = unsafe plan.load(source, scratch: scratch), palettes.count <= source.count / 2 else {
      return nil
    }
    if let rans = plan.rans {
      let end = unsafe rans.writeSymbols(block: block, count: count, to: frame, scratch: scratch)
      return unsafe BlockPayload(.rans, byteCount: append(palettes, to: frame, at: end))
    }
    let geometry = swzip_geometry_unsorted(UInt32(count))
    let tables = plan.tables!
    var missing: UInt32 = 0
    if tables.usesNodes {
      let byteCount = unsafe NodeLists.encode(
        scratch.symbols, geometry: geometry, tables: tables, into: frame, at: NodeLists.fieldsEnd, scratch: scratch,
        missing: &missing)
      guard missing == 0 else { return nil }
      let end = unsafe padFrame(start, from: NodeLists.fieldsEnd + byteCount)
      return unsafe BlockPayload(.nodes, byteCount: append(palettes, to: frame, at: end))
    }
    let numbers = unsafe tables.choose(scratch.symbols, geometry, frame: frame, scratch: scratch)
    let streams = unsafe HuffmanStreams.encode(
      scratch.symbols, geometry: geometry, tables: tables.tables(numbers), into: start + 64, scratch: scratch,
      missing: &missing)
    guard missing == 0, let wire = streams.wire else { return nil }
    var offset = 64
    if wire.wide {
      unsafe (start + 96).copyMemory(from: start + 64, byteCount: streams.byteCount)
      offset = 96
    }
    unsafe frame.storeBytes(of: wire.base.littleEndian, toByteOffset: 26, as: UInt16.self)
    unsafe streams.write(to: start + 32, base: wire.base, wide: wire.wide)
    let end = unsafe padFrame(start, from: offset + streams.byteCount)
    return unsafe BlockPayload(
      .huffman, flags: wire.wide ? wideFlag : 0, byteCount: append(palettes, to: frame, at: end))
  }

  private static func append(_ palettes: [UInt8], to frame: UnsafeMutableRawBufferPointer, at offset: Int) -> Int {
    unsafe UnsafeMutableRawBufferPointer(rebasing: frame[offset...]).copyBytes(from: palettes)
    return unsafe padFrame(frame.baseAddress!, from: offset + palettes.count)
  }

  /// Decodes the symbols of a block and puts their values into `out`.
  static func decode(
    _ frame: UnsafeRawBufferPointer, by coding: SymbolsCoding, tables: SymbolTables,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    let palette = coding.palette
    let rowLength = Int(coding.rowLength)
    let count = palette.symbolCount(of: out.count / palette.width)
    let isBytes = palette.values.isEmpty && !palette.isPerRow
    let symbols =
      unsafe isBytes ? out.baseAddress!.assumingMemoryBound(to: UInt8.self) : scratch.area(SymbolsCoding.Area.symbols)
    var end: Int
    if let rans = coding.coder.rans {
      end = try unsafe decodeRans(
        frame, by: rans, rowLength: rowLength, count: count, tables: tables.rans, into: scratch.tile, scratch: scratch,
        position: position)
      // The kernel writes whole units: not into the caller's memory.
      unsafe symbols.update(from: scratch.tile, count: count)
    } else if case .nodes = coding.coder {
      end = try unsafe decodeNodes(
        frame, count: count, trees: tables.nodes, into: symbols,
        spare: isBytes ? scratch.area(SymbolsCoding.Area.symbols) : nil, scratch: scratch, position: position)
    } else {
      end = try unsafe decodeHuffman(
        frame, count: count, tables: tables.huffman, into: symbols, scratch: scratch, position: position)
    }
    if palette.isPerRow {
      let start = (end + 15) & ~15
      guard start <= frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
      try unsafe checkPadding(frame, end..<start, at: position)
      end = try unsafe RowPalettes.expand(
        symbols, frame, at: start, rowLength: rowLength, width: palette.width, into: out, position: position)
    } else if !isBytes {
      unsafe swzip_palette_expand(
        symbols, tables.entries, palette.valuesPerSymbol * palette.width,
        out.baseAddress!.assumingMemoryBound(to: UInt8.self), out.count)
    }
    guard (end + 15) & ~15 == frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    try unsafe checkPadding(frame, end..<frame.count, at: position)
  }

  /// Returns the end of the words.
  private static func decodeRans(
    _ frame: UnsafeRawBufferPointer, by coding: RansCoding, rowLength: Int, count: Int, tables: RansDecodeTables,
    into symbols: UnsafeMutablePointer<UInt8>, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    guard frame.count >= RansStreams.fixedBytes, unsafe frame[25] == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let part = try unsafe RansFrame(frame, count: count, rowLength: rowLength, coding: coding, position: position)
    let classes = unsafe scratch.area(SymbolsCoding.Area.rowClasses)
    unsafe part.unpackClasses(frame, by: coding, into: classes)
    let numbers = unsafe RansStreams.numbers(
      classes, count: count, rowLength: rowLength, coding: coding, map: tables.map,
      into: scratch.area(SymbolsCoding.Area.tableNumbers))
    try unsafe part.decode(
      frame, count: count, numbers: numbers, tables: tables, into: symbols, position: position)
    return part.words.upperBound
  }

  /// Returns the end of the lists.
  private static func decodeNodes(
    _ frame: UnsafeRawBufferPointer, count: Int, trees: NodeTrees, into symbols: UnsafeMutablePointer<UInt8>,
    spare: UnsafeMutablePointer<UInt8>?, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    let lists = try unsafe NodeLists(frame, tableCount: trees.count, position: position)
    guard unsafe frame[25] == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    let end = NodeLists.fieldsEnd + lists.byteCount
    guard end <= frame.count else { throw SwzipError(.corrupt, .subStreams, at: position) }
    try unsafe lists.decode(
      frame.pointer(NodeLists.fieldsEnd), geometry: swzip_geometry_unsorted(UInt32(count)), trees: trees,
      into: symbols, count: count, spare: spare, room: scratch.tile, position: position)
    return end
  }

  /// Returns the end of the sub-streams.
  private static func decodeHuffman(
    _ frame: UnsafeRawBufferPointer, count: Int, tables: DecodeTables, into symbols: UnsafeMutablePointer<UInt8>,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard frame.count >= 64 else { throw failure }
    let flags = unsafe frame[25]
    guard flags & ~wideFlag == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    let wide = flags & wideFlag != 0
    let offset = 32 + StreamDirectory.deltaBytes(wide: wide)
    guard frame.count >= offset else { throw failure }
    let base = unsafe UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self))
    let streams = unsafe StreamDirectory(reading: frame, at: 32, base: base, wide: wide)
    let end = offset + streams.byteCount
    guard end <= frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    guard streams.agrees(with: swzip_geometry_unsorted(UInt32(count))) else {
      throw SwzipError(.corrupt, .subStreams, at: position)
    }
    func table(_ group: Int) throws(SwzipError) -> UnsafePointer<swzip_decode_table> {
      let number = unsafe Int(frame[28 + group])
      guard number < tables.count else { throw failure }
      return unsafe UnsafePointer(tables.at(number))
    }
    try unsafe streams.decode(
      frame.pointer(offset), count: count, tables: (table(0), table(1), table(2), table(3)), tile: scratch.tile,
      into: symbols)
    return end
  }
}
