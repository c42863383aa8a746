internal import CLz4
internal import CZstd

/// libzstd and liblz4 by the rules of spec/codecs/bytes.md. One object a thread.
@safe package final class Compressors {
  // Made when first needed, freed in deinit only.
  private var encoder: OpaquePointer?
  private var decoder: OpaquePointer?

  package init() {}

  deinit {
    unsafe ZSTD_freeCCtx(encoder)
    unsafe ZSTD_freeDCtx(decoder)
  }

  /// One zstd frame with its content size. Nil where it does not fit `target`.
  package func zstd(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, level: Int32
  ) -> Int? {
    if unsafe encoder == nil { unsafe encoder = ZSTD_createCCtx() }
    guard unsafe encoder != nil else { return nil }  // no memory for it: another mode serves
    unsafe ZSTD_CCtx_reset(encoder, ZSTD_reset_session_and_parameters)
    unsafe ZSTD_CCtx_setParameter(encoder, ZSTD_c_compressionLevel, level)
    if level > 6, source.count > Limits.blockValues {
      // Tables of at most 6 MiB a thread, not of 16 to 80: within what a thread may take. That costs less than a hundredth.
      unsafe ZSTD_CCtx_setParameter(encoder, ZSTD_c_chainLog, 20)
      unsafe ZSTD_CCtx_setParameter(encoder, ZSTD_c_hashLog, level > 9 ? 19 : 20)
    }
    let count = unsafe ZSTD_compress2(encoder, target.baseAddress, target.count, source.baseAddress, source.count)
    return ZSTD_isError(count) == 0 ? count : nil
  }

  /// By that of some levels that makes least: a higher one does not always make less.
  package func zstd(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, levels: [Int32]
  ) -> Int? {
    var (last, best): (Int?, (level: Int32, count: Int)?)
    for level in levels {
      last = unsafe zstd(source, into: target, level: level)
      if let count = last, count <= best?.count ?? .max { best = (level, count) }
    }
    guard let best, best.level != levels.last else { return last }
    return unsafe zstd(source, into: target, level: best.level)
  }

  /// Decodes one frame that must give exactly `target.count` bytes.
  package func unzstd(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, at position: UInt64
  ) throws(SwzipError) {
    let failure = SwzipError(.corrupt, .compressedPayload, at: position)
    guard unsafe ZSTD_getFrameContentSize(frame.baseAddress, frame.count) == UInt64(target.count),
      unsafe ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count,
      unsafe ZSTD_getDictID_fromFrame(frame.baseAddress, frame.count) == 0, unsafe window(frame) <= 1 << 24
    else { throw failure }
    if unsafe decoder == nil { unsafe decoder = ZSTD_createDCtx() }
    guard unsafe decoder != nil else { throw SwzipError(.memory, .outOfMemory) }
    let count = unsafe ZSTD_decompressDCtx(
      decoder, target.baseAddress, target.count, frame.baseAddress, frame.count)
    guard count == target.count else { throw failure }
  }

  /// Window size that a frame's header declares (RFC 8878, 3.1.1.1); a single segment needs none but its content.
  private func window(_ frame: UnsafeRawBufferPointer) -> UInt64 {
    guard unsafe frame[4] & 0x20 == 0 else { return 0 }
    let descriptor = unsafe UInt64(frame[5])
    let base = UInt64(1) << (10 + descriptor >> 3)
    return base + base / 8 * (descriptor & 7)
  }

  package func lz4(_ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer) -> Int? {
    let count = unsafe LZ4_compress_default(
      source.baseAddress, target.baseAddress, Int32(source.count), Int32(target.count))
    return count > 0 ? Int(count) : nil
  }

  package func unlz4(
    _ block: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer, at position: UInt64
  ) throws(SwzipError) {
    let count = unsafe LZ4_decompress_safe(
      block.baseAddress, target.baseAddress, Int32(block.count), Int32(target.count))
    guard count == target.count else { throw SwzipError(.corrupt, .compressedPayload, at: position) }
  }
}
