/// Whether larger blocks of plain bytes pay: where matches lie further apart than a block is long.
enum PlainBlocks {
  /// They have to save that share: what reads a part of a block decodes all of it.
  /// Little, for a level is not to exceed one stream of zstd.
  private static let leastGain = 512

  /// Tried by a fast level of zstd on the first of the larger blocks.
  static func pay(_ bytes: UnsafeRawBufferPointer, _ compressors: Compressors) throws(SwzipError) -> Bool {
    guard bytes.count > Limits.blockValues else { return false }
    let part = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(Limits.writtenPlainBlockBytes))
    let target = try Memory(part.count)
    let whole = unsafe compressors.zstd(part, into: target.bytes, level: 3) ?? part.count
    var pieces = 0
    for start in stride(from: 0, to: part.count, by: Limits.blockValues) {
      let piece = unsafe UnsafeRawBufferPointer(rebasing: part[start...].prefix(Limits.blockValues))
      pieces += unsafe compressors.zstd(piece, into: target.bytes, level: 3) ?? piece.count
    }
    return whole + whole / leastGain < pieces
  }
}
