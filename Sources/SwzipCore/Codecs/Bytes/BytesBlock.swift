/// Modes raw, constant, zstd and lz4 (spec/codecs/bytes.md). Encoders write from offset 32 of a frame and return its size.
package enum BytesBlock {
  /// By that of the four modes that serves best.
  static func encode(_ block: PlainBlock) -> BlockPayload { encodeConstant(block) ?? encodeCompressed(block) }

  /// Nil unless all values are equal.
  static func encodeConstant(_ block: PlainBlock) -> BlockPayload? {
    unsafe encodeConstant(block.values, width: block.width, into: block.frame)
      .map { BlockPayload(.constant, byteCount: $0) }
  }

  /// By any but constant.
  static func encodeCompressed(_ block: PlainBlock) -> BlockPayload {
    let (values, frame, compressors) = unsafe (block.values, block.frame, block.scratch.compressors)
    let levels = block.effort.plainLevels
    guard let zstd = unsafe encodeZstd(values, levels: levels, into: frame, by: compressors) else {
      return unsafe BlockPayload(.raw, byteCount: encodeRaw(values, into: frame))
    }
    // At level 1 lz4, which unpacks faster, serves where it is as small.
    if block.effort.usesLz4 {
      let count = unsafe encodeLz4(values, into: frame, by: compressors)
      if let count, count <= zstd + zstd / 512 { return BlockPayload(.lz4, byteCount: count) }
      _ = unsafe encodeZstd(values, levels: levels, into: frame, by: compressors)
    }
    return BlockPayload(.zstd, byteCount: zstd)
  }

  package static func encodeRaw(_ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer) -> Int {
    unsafe clearParameters(frame)
    unsafe UnsafeMutableRawBufferPointer(rebasing: frame[32...]).copyMemory(from: source)
    return unsafe padFrame(frame.baseAddress!, from: 32 + source.count)
  }

  /// Nil unless all values are equal.
  package static func encodeConstant(
    _ source: UnsafeRawBufferPointer, width: Int, into frame: UnsafeMutableRawBufferPointer
  ) -> Int? {
    guard unsafe isConstant(source, width: width) else { return nil }
    unsafe clearParameters(frame)
    unsafe UnsafeMutableRawBufferPointer(rebasing: frame[32...]).copyMemory(
      from: UnsafeRawBufferPointer(rebasing: source[..<width]))
    return unsafe padFrame(frame.baseAddress!, from: 32 + width)
  }

  package static func isConstant(_ source: UnsafeRawBufferPointer, width: Int) -> Bool {
    // Each value equals its predecessor; the first differing byte ends it.
    var offset = width
    while offset + 8 <= source.count {
      guard
        unsafe source.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          == source.loadUnaligned(fromByteOffset: offset - width, as: UInt64.self)
      else { return false }
      offset += 8
    }
    while offset < source.count {
      guard unsafe source[offset] == source[offset - width] else { return false }
      offset += 1
    }
    return true
  }

  /// By that of some levels of zstd that makes least. Nil where it saves less than a 64th.
  package static func encodeZstd(
    _ source: UnsafeRawBufferPointer, levels: [Int32], into frame: UnsafeMutableRawBufferPointer,
    by compressors: Compressors
  ) -> Int? {
    let room = min(frame.count - 48, source.count - source.count / 64)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[32..<(32 + max(room, 0))])
    return unsafe finish(frame, compressors.zstd(source, into: target, levels: levels))
  }

  package static func encodeLz4(
    _ source: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer, by compressors: Compressors
  ) -> Int? {
    let room = min(frame.count - 48, source.count - source.count / 64)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[32..<(32 + max(room, 0))])
    return unsafe finish(frame, compressors.lz4(source, into: target))
  }

  private static func finish(_ frame: UnsafeMutableRawBufferPointer, _ payload: Int?) -> Int? {
    guard let payload else { return nil }
    unsafe clearParameters(frame)
    unsafe frame.storeBytes(of: UInt32(payload).littleEndian, toByteOffset: 28, as: UInt32.self)
    return unsafe padFrame(frame.baseAddress!, from: 32 + payload)
  }

  package static func clearParameters(_ frame: UnsafeMutableRawBufferPointer) {
    for index in 26..<32 { unsafe frame[index] = 0 }
  }

  static func decode(_ block: CodedBlock) throws(SwzipError) {
    try block.checkReserved()
    try unsafe decode(
      block.mode, block.frame, width: block.segment.width, into: block.out, at: block.position,
      by: block.scratch.compressors)
  }

  /// Decodes a block of one of the four modes into `out`, exactly its size.
  package static func decode(
    _ mode: BlockMode, _ frame: UnsafeRawBufferPointer, width: Int, into out: UnsafeMutableRawBufferPointer,
    at position: UInt64, by compressors: Compressors
  ) throws(SwzipError) {
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard unsafe frame[26] == 0, unsafe frame[27] == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let parameter = unsafe UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 28, as: UInt32.self))
    let payload = mode == .raw ? out.count : mode == .constant ? width : Int(parameter)
    guard mode == .zstd || mode == .lz4 || parameter == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    guard (32 + payload + 15) & ~15 == frame.count else { throw failure }
    for index in (32 + payload)..<frame.count {
      guard unsafe frame[index] == 0 else { throw SwzipError(.corrupt, .padding, at: position + UInt64(index)) }
    }
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: frame[32..<(32 + payload)])
    switch mode {
    case .raw: unsafe out.copyMemory(from: bytes)
    case .constant: unsafe fill(out, with: bytes)
    case .zstd: try unsafe compressors.unzstd(bytes, into: out, at: position)
    default: try unsafe compressors.unlz4(bytes, into: out, at: position)
    }
  }

  /// Repeats `value` through `out`: the filled part doubles.
  private static func fill(_ out: UnsafeMutableRawBufferPointer, with value: UnsafeRawBufferPointer) {
    guard let start = out.baseAddress else { return }
    unsafe out.copyMemory(from: value)
    var filled = value.count
    while filled < out.count {
      let count = min(filled, out.count - filled)
      unsafe (start + filled).copyMemory(from: start, byteCount: count)
      filled += count
    }
  }
}
