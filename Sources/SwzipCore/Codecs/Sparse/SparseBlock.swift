internal import CSwzipKernels

/// Blocks of mode sparse (spec/codecs/sparse.md): a mask of the values that are not zero, and these values coded as a block
/// of their own.
enum SparseBlock {
  /// Of the scratch, while a block is encoded, until its inner part is.
  private enum SignArea: Int, ScratchArea { case signs }

  /// Where the mask's section begins.
  private static let maskOffset = 32
  /// Some of the zeros are negative: a section of their signs follows the mask's.
  private static let signsFlag: UInt8 = 1

  /// The bits of a value besides its sign.
  static func magnitude(_ width: Int) -> UInt32 { UInt32.max >> UInt32(33 - 8 * width) }

  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, inner: Int) -> Int { maskOffset + 2 * PlaneSection.bound((count + 7) / 8) + inner }

  /// Whether a mask of the zeros pays: more than one value of a sample in sixteen is zero. Where symbols of less than a bit
  /// tell zeros too (rANS), and none is negative, their places must also have a pattern (2:4, whole rows): the mask's bytes take less than 0.9 of
  /// what as many zeros at random would.
  static func pays(
    _ values: UnsafeRawBufferPointer, width: Int, symbolsTellZeros: Bool, scratch: EncodeScratch
  ) -> Bool {
    let count = values.count / width
    let run = 64
    let runs = stride(from: 0, to: count, by: max(run, count / 128 / run * run)).map { $0..<min($0 + run, count) }
    var (seen, nonZeros): (UInt32, UInt32) = (0, 0)
    for range in runs {
      seen += UInt32(range.count)
      unsafe nonZeros += swzip_sparse_compact(
        values.baseAddress! + range.lowerBound * width, UInt32(range.count), UInt32(width), magnitude(width),
        scratch.mask, scratch.nonZeros.baseAddress!)
    }
    let zeros = seen - nonZeros
    guard zeros * 16 > seen else { return false }
    guard symbolsTellZeros else { return true }
    var counts = [UInt32](repeating: 0, count: 256)
    for range in runs {
      var pattern: UInt8 = 0
      for index in range {
        var bits = unsafe values[index * width + width - 1] & 0x7F
        for byte in 0..<(width - 1) { unsafe bits |= values[index * width + byte] }
        if unsafe bits == 0 && values[index * width + width - 1] != 0 { return true }
        pattern = pattern << 1 | (bits == 0 ? 1 : 0)
        if index & 7 == 7 { counts[Int(pattern)] += 1 }
      }
    }
    var single = [UInt32](repeating: 0, count: 256)
    (single[0], single[1]) = (zeros, nonZeros)
    return unsafe 10 * swzip_histogram_information(counts) < 9 * swzip_histogram_information(single)
  }

  /// Writes the payload; nil for a block of zeros. `code` writes the inner part, given its values; nil where they are to be
  /// stored raw.
  static func encode(
    _ source: UnsafeRawBufferPointer, width: Int, into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch,
    effort: Effort,
    code: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> BlockPayload?
  ) -> BlockPayload? {
    let count = source.count / width
    let mask = unsafe scratch.mask
    let values = unsafe scratch.nonZeros
    let kept = unsafe Int(
      swzip_sparse_compact(
        source.baseAddress!, UInt32(count), UInt32(width), magnitude(width), mask, values.baseAddress!))
    let nonZeros = unsafe UnsafeRawBufferPointer(rebasing: values[..<(kept * width)])
    guard kept > 0 else { return nil }
    unsafe BytesBlock.clearParameters(frame)
    unsafe frame.storeBytes(of: UInt32(kept).littleEndian, toByteOffset: 28, as: UInt32.self)
    var start = unsafe PlaneSection.encode(
      UnsafeRawBufferPointer(start: mask, count: (count + 7) / 8), into: frame.baseAddress!, at: maskOffset,
      scratch: scratch, effort: effort)
    let signs = unsafe scratch.area(SignArea.signs)
    let zeros = count - kept
    let negative = unsafe swzip_sparse_signs(source.baseAddress!, UInt32(count), UInt32(width), mask, signs) > 0
    if negative {
      start = unsafe PlaneSection.encode(
        UnsafeRawBufferPointer(start: signs, count: (zeros + 7) / 8), into: frame.baseAddress!, at: start,
        scratch: scratch, effort: effort)
    }
    let inner = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[start...])
    for index in 0..<24 { unsafe inner[index] = 0 }
    var coded = unsafe code(nonZeros, inner)
    if coded == nil || coded!.byteCount >= (32 + nonZeros.count + 15) & ~15 {
      coded = unsafe BlockPayload(.raw, byteCount: BytesBlock.encodeRaw(nonZeros, into: inner))
    }
    unsafe inner[24] = coded!.mode.rawValue
    unsafe inner[25] = coded!.flags
    return BlockPayload(.sparse, flags: negative ? signsFlag : 0, byteCount: start + coded!.byteCount)
  }

  /// Decodes the mask, has the inner part decoded by `decode` (mode, its frame, its values), and spreads the values.
  static func decode(
    _ frame: UnsafeRawBufferPointer, width: Int, into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch,
    position: UInt64,
    decode: (BlockMode, UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    let count = out.count / width
    guard frame.count >= 48 else { throw failure }
    guard unsafe frame[26] == 0, unsafe frame[27] == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let kept = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 28, as: UInt32.self)))
    let mask = try unsafe PlaneSection.decode(
      frame, at: maskOffset, count: (count + 7) / 8, into: scratch.area(FloatBlock.Area.mask), scratch: scratch,
      position: position)
    var clean = false
    guard unsafe Int(swzip_sparse_count(mask.bytes, UInt32(count), &clean)) == kept, clean, kept > 0 else {
      throw failure
    }
    let flags = unsafe frame[25]
    guard flags & ~signsFlag == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    var start = mask.end
    var signs: UnsafePointer<UInt8>?
    if flags & signsFlag != 0 {
      guard kept < count else { throw failure }
      let section = try unsafe PlaneSection.decode(
        frame, at: start, count: (count - kept + 7) / 8, into: scratch.area(FloatBlock.Area.signs), scratch: scratch,
        position: position)
      guard unsafe (count - kept) % 8 == 0 || section.bytes[(count - kept) / 8] >> UInt8((count - kept) % 8) == 0 else {
        throw failure
      }
      unsafe signs = section.bytes
      start = section.end
    }
    guard start + 32 <= frame.count else { throw failure }
    let inner = unsafe UnsafeRawBufferPointer(rebasing: frame[start...])
    for index in 0..<24 {
      guard unsafe inner[index] == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    }
    let mode = unsafe BlockMode(rawValue: inner[24])
    guard mode.isKnown else {
      throw SwzipError(.unsupported, .unknownCodec, at: position)
    }
    // Neither sorted rows nor zeros left out in here: the latter would need the mask's memory again.
    let innerFlags = unsafe inner[25]
    guard mode != .raw || innerFlags == 0 else { throw SwzipError(.unsupported, .reservedBits, at: position) }
    let refused =
      mode == .rans
      ? FloatFrame.skipsZerosFlag : mode == .huffman || mode == .nodes ? FloatFrame.sortedFlag : 0
    guard innerFlags & refused == 0 else { throw failure }
    // Room for the kernel's slack.
    let values = try unsafe scratch.values(kept * width + Limits.slack)
    try unsafe decode(mode, inner, UnsafeMutableRawBufferPointer(rebasing: values[..<(kept * width)]))
    unsafe swzip_sparse_expand(mask.bytes, UInt32(count), UInt32(width), values.baseAddress!, out.baseAddress!)
    if let signs = unsafe signs {
      unsafe swzip_sparse_set_signs(out.baseAddress!, UInt32(count), UInt32(width), mask.bytes, signs)
    }
  }
}
