extension CodecID {
  package static let bytes = CodecID(rawValue: 0)
}

extension BlockMode {
  package static let raw = BlockMode(rawValue: 0)
  package static let constant = BlockMode(rawValue: 1)
  package static let zstd = BlockMode(rawValue: 2)
  package static let lz4 = BlockMode(rawValue: 3)
}

/// Bytes as they are (spec/codecs/bytes.md), whatever their element type. Blocks of all codecs may have its modes.
package struct BytesCoding: PlainCodec {
  package static let id = CodecID.bytes
  package static let name = "bytes"
  package static let modes: [BlockMode] = [.raw, .constant, .zstd, .lz4]

  package init() {}

  package var swapsBytes: Bool { false }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    try BytesBlock.decode(block)
    return nil
  }

  /// Of bytes that are no whole number of values, and of values that repeat as wholes.
  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    guard segment.type == .bytes || Repeats.found(in: segment) else { return nil }
    let grows = try unsafe PlainBlocks.pay(segment.values, segment.scratch.compressors)
    return BytesPlan(blockValues: segment.blockBytes(grows ? Limits.writtenPlainBlockBytes : Limits.blockValues))
  }
}

private struct BytesPlan: CodecPlan {
  let blockValues: Int
  var coding: any Coding { BytesCoding() }

  func bound(_ valueCount: Int) -> Int { 0 }
  func encode(_ block: PlainBlock) -> BlockPayload? { nil }
}
