internal import CSwzipKernels

/// What the coded blocks of a segment are decoded by: tables of its coder, entries of its palette.
package final class SymbolTables {
  package let huffman = DecodeTables()
  package let rans = RansDecodeTables()
  private var paletteMemory: Memory?

  /// Takes those of a segment, none of which is built yet.
  func begin(_ header: SegmentHeader, shift: UInt32) throws(SwzipError) {
    try huffman.begin(header.tables, shift: shift, valueCount: header.valueCount)
    if let coding = header.rans { try rans.begin(coding, shift: shift) }
    guard let palette = header.palette, palette.count > 0 else { return }
    if paletteMemory == nil { paletteMemory = try Memory(Palette.entriesByteCount) }
    unsafe palette.writeEntries(to: paletteEntries)
  }

  /// From here on several threads may use them.
  func buildAll() {
    huffman.buildAll()
    rans.buildAll()
  }

  /// Of a segment whose palette has values.
  var paletteEntries: UnsafeMutablePointer<UInt8> {
    unsafe paletteMemory!.base.assumingMemoryBound(to: UInt8.self)
  }
}
