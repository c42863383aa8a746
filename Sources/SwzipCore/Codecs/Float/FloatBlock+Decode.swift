internal import CSwzipKernels

/// Blocks of codec float (spec/codecs/float.md, fixed4.md).
package enum FloatBlock {
  /// What decoding takes in the scratch, with the masks of zeros and the inner blocks of sparse ones.
  enum Area: Int, ScratchArea {
    case low, high, tableNumbers, rowClasses, mask, symbols, signs
    /// Symbols of mode nodes, which has no table numbers.
    static let listed = tableNumbers
  }

  /// Decodes a block of mode huffman, nodes or rans into `out` and returns the hash of what it wrote. `frame` has `Limits.slack`
  /// readable bytes behind it; `foreign`: flags that are another codec's.
  static func decode(
    _ mode: BlockMode, _ frame: UnsafeRawBufferPointer, ignoring foreign: UInt8 = 0, by coding: FloatCoding,
    tables: SymbolTables, into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, streaming: Bool,
    position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let count = out.count / coding.kind.width
    let parts = try unsafe FloatFrame(frame, mode, ignoring: foreign, by: coding, count: count, position: position)
    var block: swzip_float_block
    switch parts.content {
    case .huffman(let symbols, let raw):
      unsafe block = try unsafe Self.block(
        frame, raw, patches: parts.patches, by: coding, count: count, scratch: scratch, position: position)
      try unsafe add(symbols, of: frame, to: &block, by: coding, tables: tables.huffman, scratch: scratch)
    case .nodes(let part, let raw):
      unsafe block = try unsafe Self.block(
        frame, raw, patches: parts.patches, by: coding, count: count, scratch: scratch, position: position)
      let symbols = unsafe scratch.area(Area.listed)
      try unsafe part.lists.decode(
        frame.pointer(part.place.lowerBound), geometry: coding.geometry(count, isSorted: !part.rowGroups.isEmpty),
        trees: tables.nodes, into: symbols, count: count, room: scratch.tile, position: position)
      unsafe block.symbols = unsafe UnsafePointer(symbols)
      unsafe sort(&block, part.rowGroups, of: frame, by: coding)
    case .rans(let part, let raw):
      let symbols = try unsafe decodeSymbols(
        frame, part, by: coding, count: count, tables: tables.rans, scratch: scratch, position: position)
      guard let raw else {
        return try unsafe decodeSkippingZeros(
          frame, part, symbols, by: coding, into: out, scratch: scratch, position: position)
      }
      unsafe block = try unsafe Self.block(
        frame, raw, patches: parts.patches, by: coding, count: count, scratch: scratch, position: position)
      unsafe block.symbols = symbols
    }
    return try unsafe decode(&block, into: out.baseAddress!, scratch: scratch, streaming: streaming, position: position)
  }

  private static func sort(
    _ block: inout swzip_float_block, _ rowGroups: Range<Int>, of frame: UnsafeRawBufferPointer, by coding: FloatCoding
  ) {
    guard !rowGroups.isEmpty else { return }
    unsafe block.row_length = coding.rowLength
    unsafe block.row_groups = frame.pointer(rowGroups.lowerBound)
  }

  /// Points the block at its sub-streams and their tables.
  private static func add(
    _ symbols: FloatFrame.Huffman, of frame: UnsafeRawBufferPointer, to block: inout swzip_float_block,
    by coding: FloatCoding, tables: DecodeTables, scratch: DecodeScratch
  ) throws(SwzipError) {
    unsafe sort(&block, symbols.rowGroups, of: frame, by: coding)
    if let inline = symbols.inline {
      try unsafe scratch.inlineTables.begin([inline.code], shift: coding.kind.shift, valueCount: UInt64(block.count))
    }
    func table(_ group: Int) -> UnsafePointer<swzip_decode_table> {
      let number = symbols.tables[group]
      return unsafe UnsafePointer(
        number == FloatFrame.inlineTable ? scratch.inlineTables.at(0) : tables.at(Int(number)))
    }
    unsafe block.table = unsafe (table(0), table(1), table(2), table(3))
    unsafe block.streams = frame.pointer(symbols.place.lowerBound)
    unsafe withUnsafeMutableBytes(of: &block.stream_offset) { target in
      unsafe withUnsafeBytes(of: symbols.streams.offsets) { unsafe target.copyMemory(from: $0) }
    }
  }

  /// What the kernel is told of the raw bits and patches of `count` values; the sections of F32 are decoded for it.
  static func block(
    _ frame: UnsafeRawBufferPointer, _ raw: FloatFrame.Raw, patches: Range<Int>, by coding: FloatCoding, count: Int,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> swzip_float_block {
    var block = unsafe swzip_float_block()
    unsafe block.kind = coding.kind.kernel
    unsafe block.window_base = coding.windowBase
    unsafe block.count = UInt32(count)
    unsafe block.frame_bytes = frame.count
    unsafe block.raw_plane = frame.pointer(raw.plane.lowerBound)
    if let (low, high) = raw.low {
      let first = try unsafe PlaneSection.decode(
        frame, low, count: count, into: scratch.area(Area.low), scratch: scratch, position: position)
      let second = try unsafe PlaneSection.decode(
        frame, high, count: count, into: scratch.area(Area.high), scratch: scratch, position: position)
      unsafe block.low_plane = unsafe (first, second)
    }
    unsafe block.patches = frame.pointer(patches.lowerBound)
    unsafe block.patch_count = UInt32(patches.count / 6)
    return unsafe block
  }

  /// Decodes what `block` says, whose offsets and counts are checked against the frame: contents cannot lead the kernel
  /// astray.
  static func decode(
    _ block: inout swzip_float_block, into out: UnsafeMutableRawPointer, scratch: DecodeScratch, streaming: Bool,
    position: UInt64
  ) throws(SwzipError) -> UInt64 {
    var hash: UInt64 = 0
    guard unsafe swzip_float_decode(&block, out, scratch.tile, streaming, &hash) else {
      throw SwzipError(.corrupt, .blockHeader, at: position)
    }
    return hash
  }

  /// Decodes a block of mode fixed4.
  package static func decodeFixed4(
    _ frame: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer, streaming: Bool, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let count = out.count / 2
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard frame.count >= 48, unsafe frame[47] == 0 else { throw failure }
    guard unsafe frame[25] == 0, unsafe frame[26] == 0, unsafe frame[27] == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let escapes = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 28, as: UInt32.self)))
    let raw = (48 + (count + 63) / 64 * 32 + 15) & ~15
    let escapesAt = raw + (count + 255) / 256 * 256
    guard escapes <= count, (escapesAt + escapes + 15) & ~15 == frame.count else { throw failure }
    guard unsafe Int(swzip_fixed4_escapes(frame.pointer(48), UInt32(count))) == escapes else { throw failure }
    try unsafe checkPadding(frame, (escapesAt + escapes)..<frame.count, at: position)
    var hash: UInt64 = 0
    unsafe swzip_fixed4_decode(
      frame.pointer(48), frame.pointer(32), frame.pointer(raw), frame.pointer(escapesAt), UInt32(count),
      out.baseAddress!, streaming, &hash)
    return hash
  }
}

extension UnsafeRawBufferPointer {
  /// The address of a byte whose bounds the caller has checked.
  func pointer(_ offset: Int) -> UnsafePointer<UInt8> {
    unsafe baseAddress!.assumingMemoryBound(to: UInt8.self) + offset
  }
}
