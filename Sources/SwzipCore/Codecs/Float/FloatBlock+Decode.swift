internal import CSwzipKernels

/// Blocks of codec float (spec/codecs/float.md, fixed4.md).
package enum FloatBlock {
  static let sortedFlag: UInt8 = 2
  static let wideFlag: UInt8 = 1
  static let patchesFlag: UInt8 = 4

  /// Decodes a block of mode huffman into `out` and returns the hash of what it wrote. `frame` has `Limits.slack`
  /// readable bytes behind it.
  package static func decode(
    _ frame: UnsafeRawBufferPointer, by coding: FloatCoding, tables: DecodeTables,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, streaming: Bool, position: UInt64
  ) throws(SwzipError) -> UInt64 {
    let kind = coding.kind
    let count = out.count / kind.width
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard frame.count >= 64 else { throw failure }
    let flags = unsafe frame[25]
    guard flags & ~(sortedFlag | wideFlag | patchesFlag) == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let wide = flags & wideFlag != 0
    let sorted = flags & sortedFlag != 0
    var block = unsafe swzip_float_block()
    unsafe block.kind = kind.kernel
    unsafe block.count = UInt32(count)
    unsafe block.window_base = coding.windowBase
    unsafe block.frame_bytes = frame.count
    var offset = 32 + StreamDirectory.deltaBytes(wide: wide)
    guard frame.count >= offset else { throw failure }
    let base = unsafe UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self))
    let streams = unsafe StreamDirectory(reading: frame, at: 32, base: base, wide: wide)
    if sorted {
      let rowLength = Int(coding.rowLength)
      guard rowLength > 0, count % rowLength == 0, count / rowLength >= 8 else { throw failure }
      unsafe block.row_length = coding.rowLength
      unsafe block.row_groups = frame.pointer(offset)
      offset += (count / rowLength + 3) / 4
      guard offset <= frame.count else { throw failure }
    }
    offset += try unsafe chooseTables(
      frame, &block, kind: kind, tables: tables, inlineAt: offset, scratch: scratch,
      position: position)
    offset = try unsafe readPlanes(frame, &block, kind: kind, at: offset, scratch: scratch, position: position)
    unsafe block.streams = frame.pointer(offset)
    unsafe withUnsafeMutableBytes(of: &block.stream_offset) { target in
      unsafe withUnsafeBytes(of: streams.offsets) { unsafe target.copyMemory(from: $0) }
    }
    offset += streams.byteCount
    let geometry =
      sorted
      ? swzip_geometry_sorted(UInt32(count) / coding.rowLength, coding.rowLength)
      : swzip_geometry_unsorted(UInt32(count))
    guard offset <= frame.count, streams.agrees(with: geometry) else {
      throw SwzipError(.corrupt, .subStreams, at: position)
    }
    try unsafe readEnd(frame, &block, patches: flags & patchesFlag != 0, at: offset, position: position)
    var hash: UInt64 = 0
    // All offsets and counts above are checked against the frame; contents cannot lead the kernel astray.
    guard unsafe swzip_float_decode(&block, out.baseAddress!, scratch.tile, streaming, &hash) else { throw failure }
    return hash
  }

  /// Points the block at its raw plane and, for F32, decodes the sections of the lower bytes; returns their end.
  static func readPlanes(
    _ frame: UnsafeRawBufferPointer, _ block: inout swzip_float_block, kind: FloatKind, at start: Int,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    let count = unsafe Int(block.count)
    let offset = (start + 15) & ~15
    let end = offset + kind.rawPlaneBytes(count)
    guard end <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    try unsafe checkPadding(frame, start..<offset, at: position)
    unsafe block.raw_plane = frame.pointer(offset)
    guard kind.isWide else { return end }
    let low = try unsafe PlaneSection.decode(
      frame, at: end, count: count, into: scratch.plane(0), scratch: scratch, position: position)
    let high = try unsafe PlaneSection.decode(
      frame, at: low.end, count: count, into: scratch.plane(1), scratch: scratch, position: position)
    unsafe block.low_plane = unsafe (low.bytes, high.bytes)
    return high.end
  }

  /// Points the block at its patches and checks that only padding follows.
  static func readEnd(
    _ frame: UnsafeRawBufferPointer, _ block: inout swzip_float_block, patches: Bool, at start: Int, position: UInt64
  ) throws(SwzipError) {
    let count = unsafe Int(block.count)
    var offset = start
    if patches {
      if offset & 1 != 0 {
        guard offset < frame.count, unsafe frame[offset] == 0 else {
          throw SwzipError(.corrupt, .padding, at: position)
        }
        offset += 1
      }
      guard offset + 2 <= frame.count else { throw SwzipError(.corrupt, .patches, at: position) }
      let patchCount = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
      offset += 2
      guard patchCount <= count / 16, offset + 6 * patchCount <= frame.count,
        unsafe patchesAscend(frame, at: offset, patchCount, below: count)
      else { throw SwzipError(.corrupt, .patches, at: position) }
      unsafe block.patches = frame.pointer(offset)
      unsafe block.patch_count = UInt32(patchCount)
      offset += 6 * patchCount
    }
    guard (offset + 15) & ~15 == frame.count else { throw SwzipError(.corrupt, .frameSize, at: position) }
    try unsafe checkPadding(frame, offset..<frame.count, at: position)
  }

  /// Points the block at its tables; returns the bytes of the inline table, if there is one.
  private static func chooseTables(
    _ frame: UnsafeRawBufferPointer, _ block: inout swzip_float_block, kind: FloatKind, tables: DecodeTables,
    inlineAt offset: Int, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Int {
    var inlineBytes = 0
    for group in 28..<32 where unsafe frame[group] == 255 && inlineBytes == 0 {
      var reader = unsafe ByteReader(
        UnsafeRawBufferPointer(rebasing: frame[offset...]).bytes, at: position + UInt64(offset))
      let code = try CodeLengths.read(&reader)
      guard code.fits(kind.symbolCount) else { throw reader.failure(.codeLengths) }
      try unsafe scratch.inlineTables.begin([code], shift: kind.shift, valueCount: UInt64(block.count))
      inlineBytes = reader.offset
    }
    func table(_ group: Int) throws(SwzipError) -> UnsafePointer<swzip_decode_table> {
      let number = unsafe Int(frame[28 + group])
      if number == 255 { return unsafe UnsafePointer(scratch.inlineTables.at(0)) }
      guard number < tables.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
      return unsafe UnsafePointer(tables.at(number))
    }
    unsafe block.table = try unsafe (table(0), table(1), table(2), table(3))
    return inlineBytes
  }

  private static func patchesAscend(
    _ frame: UnsafeRawBufferPointer, at offset: Int, _ patchCount: Int, below count: Int
  ) -> Bool {
    var last = -1
    for index in 0..<patchCount {
      let unit = unsafe Int(
        UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 6 * index, as: UInt16.self)))
      let place = unsafe Int(
        UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 6 * index + 2, as: UInt16.self)))
      let position = unit * 256 + place
      guard place < 256, position > last, position < count else { return false }
      last = position
    }
    return true
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
