internal import CSwzipKernels

/// How the symbols of a segment's blocks are coded that have nothing beside them: by tables of Huffman, or by rANS.
struct SymbolsCoder {
  private let tables: HuffmanTables?
  private let rans: RansPlan?
  /// The segment's row length, in symbols; 0 where there are no rows.
  let rowLength: Int

  static let wideFlag: UInt8 = 1
  private static let symbolsPerTable = 65_536

  /// How a segment is cut: rows and blocks.
  struct Shape {
    /// In symbols.
    let row: Int
    let blockValues: Int

    /// `count` values, `perSymbol` a symbol, in rows of `rowLength` (0: no rows), or of `exactly`; blocks of at most `largest`.
    init(_ count: Int, perSymbol: Int, rowLength: Int, exactly: Int? = nil, largest: Int) {
      // Rows of symbols; runs of 512 where no row is a whole number of them.
      var row = rowLength % perSymbol == 0 ? rowLength / perSymbol : 0
      if row == 0 || row > largest / perSymbol { row = 512 }
      if row < 64 { row *= (63 + row) / row }
      if let exactly { row = exactly }
      self.row = row
      let rows = ((count + perSymbol - 1) / perSymbol + row - 1) / row
      let most = max(1, largest / (row * perSymbol))
      let blocks = (rows + most - 1) / most
      blockValues = (rows + blocks - 1) / blocks * row * perSymbol
    }
  }

  init(_ source: RansPlan.Source, row: Int, effort: Effort, scratch: EncodeScratch) throws(SwzipError) {
    if effort.usesRans {
      let plan = try RansPlan(source, rowLength: row, effort: effort, scratch: scratch)
      (tables, rans, rowLength) = (nil, plan, plan.rowLength)
    } else {
      let tables = try Self.huffmanTables(source, effort: effort, scratch: scratch)
      (self.tables, rans, rowLength) = (tables, nil, 0)
    }
  }

  var coder: SymbolCoder { SymbolCoder(tables, rans) }

  /// A measure of each symbol that grows with the scale of a row: the ranks of what its digits stand for, by these keys.
  static func scores(_ keys: [some Comparable], perSymbol: Int) -> [UInt8] {
    let ranks = keys.map { key in keys.reduce(0) { $0 + ($1 < key ? 1 : 0) } }
    return (0..<256).map { symbol in
      var (rest, sum) = (symbol, 0)
      for _ in 0..<perSymbol {
        sum += ranks[rest % ranks.count]
        rest /= ranks.count
      }
      return UInt8(min(255, perSymbol == 1 ? sum : 16 * sum / perSymbol))
    }
  }

  /// Histograms of the quarters of all blocks, neighbours joined where there are more than 16, clustered. Every symbol that
  /// occurs has a code.
  private static func huffmanTables(
    _ source: RansPlan.Source, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) -> HuffmanTables {
    let kept = min(source.counts.count, FloatPlan.mostGroups / 4)
    let histograms = Histograms(scratch.histograms, count: 4 * kept)
    for block in 0..<source.counts.count {
      source.load(block)
      let geometry = swzip_geometry_unsorted(UInt32(source.counts[block]))
      var from = 0
      for (group, values) in [geometry.values.0, geometry.values.1, geometry.values.2, geometry.values.3].enumerated() {
        unsafe swzip_histogram_add(
          scratch.symbols + from, Int(values), 1, histograms[4 * (block * kept / source.counts.count) + group])
        from += Int(values)
      }
    }
    return try HuffmanTables(
      Clusters(histograms, most: min(effort.tables, max(1, source.count / Self.symbolsPerTable))), least: 1,
      usesNodes: effort.usesNodes)
  }

  /// Room that a frame may take while it is being written.
  static func bound(_ symbolCount: Int) -> Int { RansStreams.bound(symbolCount) + NodeLists.slack }

  // MARK: encoding

  /// Writes the payload of the scratch's `count` symbols; nil where another mode must serve.
  func encode(
    block: Int, count: Int, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> BlockPayload? {
    let start = frame.baseAddress!
    if let rans {
      return unsafe BlockPayload(
        .rans, byteCount: rans.writeSymbols(block: block, count: count, to: frame, scratch: scratch))
    }
    let geometry = swzip_geometry_unsorted(UInt32(count))
    let tables = tables!
    var missing: UInt32 = 0
    if tables.usesNodes {
      let byteCount = unsafe NodeLists.encode(
        scratch.symbols, geometry: geometry, tables: tables, into: frame, at: NodeLists.fieldsEnd, scratch: scratch,
        missing: &missing)
      guard missing == 0 else { return nil }
      return unsafe BlockPayload(.nodes, byteCount: padFrame(start, from: NodeLists.fieldsEnd + byteCount))
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
    return unsafe BlockPayload(
      .huffman, flags: wire.wide ? Self.wideFlag : 0, byteCount: padFrame(start, from: offset + streams.byteCount))
  }
}
