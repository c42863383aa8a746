internal import CSwzipKernels

/// Blocks of codec symbols (spec/codecs/symbols.md): modes huffman, nodes and rans without raw bits.
enum SymbolsBlock {
  /// Room that a frame may take while it is being written.
  static func bound(_ symbolCount: Int, _ palette: Palette) -> Int {
    SymbolsCoder.bound(symbolCount) + (palette.isPerRow ? symbolCount * palette.width / 2 : 0)
  }

  /// Writes the payload; nil where another mode must serve.
  static func encode(
    _ source: UnsafeRawBufferPointer, block: Int, plan: SymbolsPlan, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch
  ) -> BlockPayload? {
    let count = plan.palette.symbolCount(of: source.count / plan.palette.width)
    guard let palettes = unsafe plan.load(source, scratch: scratch), palettes.count <= source.count / 2 else {
      return nil
    }
    guard var payload = unsafe plan.symbols.encode(block: block, count: count, into: frame, scratch: scratch) else {
      return nil
    }
    payload.byteCount = unsafe append(palettes, to: frame, at: payload.byteCount)
    return payload
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
    var end = try unsafe decodeSymbols(
      frame, by: coding.coder, rowLength: rowLength, count: count, tables: tables, into: symbols,
      spare: isBytes ? scratch.area(SymbolsCoding.Area.symbols) : nil, scratch: scratch, position: position)
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

  /// Decodes the symbols that a block holds beside other parts, whose `flags` it may have; returns their end. The scratch is
  /// prepared. `spare`: room for whole units, where `symbols` has none.
  static func decodeSymbols(
    _ frame: UnsafeRawBufferPointer, by coder: SymbolCoder, rowLength: Int, count: Int, tables: SymbolTables,
    into symbols: UnsafeMutablePointer<UInt8>, spare: UnsafeMutablePointer<UInt8>? = nil, flags: UInt8 = 0,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    let known = if case .huffman = coder { flags | SymbolsCoder.wideFlag } else { flags }
    guard frame.count > 25, unsafe frame[25] & ~known == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    switch coder {
    case .rans(let rans):
      let end = try unsafe decodeRans(
        frame, by: rans, rowLength: rowLength, count: count, tables: tables.rans, into: scratch.tile, scratch: scratch,
        position: position)
      // The kernel writes whole units: not into the caller's memory.
      unsafe symbols.update(from: scratch.tile, count: count)
      return end
    case .nodes:
      return try unsafe decodeNodes(
        frame, count: count, trees: tables.nodes, into: symbols, spare: spare, scratch: scratch, position: position)
    case .huffman:
      return try unsafe decodeHuffman(
        frame, count: count, tables: tables.huffman, into: symbols, scratch: scratch, position: position)
    }
  }

  /// Returns the end of the words.
  private static func decodeRans(
    _ frame: UnsafeRawBufferPointer, by coding: RansCoding, rowLength: Int, count: Int, tables: RansDecodeTables,
    into symbols: UnsafeMutablePointer<UInt8>, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    guard frame.count >= RansStreams.fixedBytes else { throw SwzipError(.unsupported, .reservedBits, at: position) }
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
    let wide = unsafe frame[25] & SymbolsCoder.wideFlag != 0
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
