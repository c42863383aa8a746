internal import CSwzipKernels

/// Writes the rANS part of blocks: states, row classes and words (spec/codecs/rans.md).
struct RansEncoder {
  private let rowBits: Int
  private let memory: Memory

  init(_ coding: RansCoding) throws(SwzipError) {
    rowBits = coding.rowBits
    memory = try Memory(MemoryLayout<swzip_rans_encode_table>.stride * coding.tables.count)
    for (index, table) in coding.tables.enumerated() {
      unsafe swzip_rans_encode_table_build(table.frequencies, tables + index)
    }
  }

  private var tables: UnsafeMutablePointer<swzip_rans_encode_table> {
    unsafe memory.base.assumingMemoryBound(to: swzip_rans_encode_table.self)
  }

  /// Writes `count` symbols, else the scratch's, and bytes 26 to 31 of the frame; returns the end of the words. `classes`: of
  /// the block's rows. `numbers`: the table of each symbol, nil for the first.
  func write(
    _ count: Int, symbols: UnsafePointer<UInt8>? = nil, classes: [UInt8], numbers: UnsafePointer<UInt8>?,
    to frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> Int {
    let start = frame.baseAddress!
    var offset = RansStreams.fixedBytes
    if rowBits > 0 {
      unsafe RansStreams.packClasses(classes, bits: rowBits, to: frame.mutable(offset))
      offset += (classes.count * rowBits + 7) / 8
    }
    offset = unsafe padFrame(start, from: offset)
    // Words are written downwards from the end of their room. Frames may lie at odd addresses.
    let room = unsafe UnsafeMutableRawPointer(scratch.words + RansStreams.wordsBound(count))
    var states = [UInt32](repeating: 0, count: Int(SWZIP_STREAMS))
    unsafe swzip_rans_states_begin(&states)
    let words = unsafe swzip_rans_encode(
      symbols ?? UnsafePointer(scratch.symbols), count, numbers, tables, &states,
      room.assumingMemoryBound(to: UInt16.self))
    unsafe states.withUnsafeBytes { unsafe (start + 32).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    unsafe (start + offset).copyMemory(from: room - 2 * words, byteCount: 2 * words)
    unsafe frame.storeBytes(of: 0, toByteOffset: 26, as: UInt16.self)
    unsafe frame.storeBytes(of: UInt32(words).littleEndian, toByteOffset: 28, as: UInt32.self)
    return offset + 2 * words
  }
}
