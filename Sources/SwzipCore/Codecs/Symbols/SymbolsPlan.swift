internal import CSwzipKernels

/// How the blocks of a segment of codec symbols are coded: its palette, geometry and tables.
final class SymbolsPlan: CodecPlan {
  let palette: Palette
  let blockValues: Int
  let symbols: SymbolsCoder
  private let finder: PaletteFinder?
  let rowPalettes: RowPalettes?
  /// The segment's row length, in symbols.
  let rowLength: Int

  /// Plans `values` with the palette of `finder`, or of bytes without one; rows of `rowLength` values (0: no rows).
  init(
    _ values: UnsafeRawBufferPointer, of type: ElementType, finder: PaletteFinder?, rowPalettes: RowPalettes?,
    rowLength: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) {
    self.finder = finder
    self.rowPalettes = rowPalettes
    let palette = finder?.palette ?? (rowPalettes == nil ? .bytes : .rows(width: type.width))
    self.palette = palette
    let (width, perSymbol) = (palette.width, palette.valuesPerSymbol)
    let count = values.count / width
    let shape = SymbolsCoder.Shape(
      count, perSymbol: perSymbol, rowLength: rowLength, exactly: rowPalettes?.rowLength,
      largest: effort.ransBlockValues(width: perSymbol > 1 ? 1 : width))
    let blockValues = shape.blockValues
    self.blockValues = blockValues
    var source = RansPlan.Source(
      count: palette.symbolCount(of: count), blockValues: blockValues / perSymbol
    ) { block in
      let start = block * blockValues
      let part = unsafe UnsafeRawBufferPointer(
        rebasing: values[(start * width)..<(min(count, start + blockValues) * width)])
      _ = unsafe Self.load(part, finder, rowPalettes, into: scratch.symbols)
    }
    source.scores = Self.scores(palette, of: type)
    symbols = try SymbolsCoder(source, row: shape.row, effort: effort, scratch: scratch)
    self.rowLength = rowPalettes?.rowLength ?? symbols.rowLength
  }

  /// The size of each symbol's values without their signs: what rows and columns differ in.
  private static func scores(_ palette: Palette, of type: ElementType) -> [UInt8] {
    guard palette.count > 0 else {
      switch type {
      case .i8: return (0..<256).map { UInt8(min(255, 2 * Int(Int8(bitPattern: UInt8($0)).magnitude))) }
      case _ where palette.isPerRow: return (0..<256).map { UInt8(min(255, 2 * abs($0 - 128))) }
      case .f8e4m3fnuz, .f8e5m2fnuz: return (0..<256).map { UInt8($0 & 127) }
      default: return (0..<256).map { UInt8($0) }
      }
    }
    // A palette's values, their sign bit cleared where the type has one.
    let keys = (0..<palette.count).map { index in
      let bits = palette.values[(index * palette.width)..<((index + 1) * palette.width)].littleEndianInteger
      return type.isSigned ? type.magnitude(bits) : bits
    }
    return SymbolsCoder.scores(keys, perSymbol: palette.valuesPerSymbol)
  }

  var coding: any Coding { SymbolsCoding(palette, symbols.coder, rowLength: UInt32(rowLength)) }

  func bound(_ valueCount: Int) -> Int { SymbolsBlock.bound(palette.symbolCount(of: valueCount), palette) }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    if let constant = BytesBlock.encodeConstant(block) { return constant }
    return unsafe SymbolsBlock.encode(
      block.values, block: block.index, plan: self, into: block.frame, scratch: block.scratch)
  }

  /// Writes the symbols of a block into the scratch; returns the palettes of its rows, empty without any, nil for a block with
  /// rows of too many values.
  func load(_ block: UnsafeRawBufferPointer, scratch: EncodeScratch) -> [UInt8]? {
    unsafe Self.load(block, finder, rowPalettes, into: scratch.symbols)
  }

  private static func load(
    _ block: UnsafeRawBufferPointer, _ finder: PaletteFinder?, _ rowPalettes: RowPalettes?,
    into symbols: UnsafeMutablePointer<UInt8>
  ) -> [UInt8]? {
    if let rowPalettes {
      if let palettes = unsafe rowPalettes.symbols(block, into: symbols) { return palettes }
      // Not coded so: symbols that are the same each time.
      unsafe symbols.update(repeating: 128, count: block.count / rowPalettes.width)
      return nil
    }
    if let finder {
      unsafe finder.symbols(block, into: symbols)
    } else {
      unsafe UnsafeMutableRawPointer(symbols).copyMemory(from: block.baseAddress!, byteCount: block.count)
    }
    return []
  }
}
