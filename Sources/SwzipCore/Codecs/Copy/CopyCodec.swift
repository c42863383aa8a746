extension CodecID {
  package static let copy = CodecID(rawValue: 3)
}

extension BlockMode {
  package static let copy = BlockMode(rawValue: 7)
}

/// The same bytes as an earlier range or a base (spec/codecs/copy.md).
package struct CopyCoding: PlainCodec {
  package static let id = CodecID.copy
  package static let name = "copy"
  package static let modes = [BlockMode.copy]

  package init() {}

  package var referenceCount: Int? { 1 }
  package var swapsBytes: Bool { false }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    try CopyBlock.decode(block)
    return nil
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    guard case .copy(let reference) = segment.range.derivation else { return nil }
    return CopyPlan(blockValues: segment.blockValues(), references: [reference])
  }
}

private struct CopyPlan: CodecPlan {
  let blockValues: Int
  let references: [Reference]
  var coding: any Coding { CopyCoding() }

  func bound(_ valueCount: Int) -> Int { 0 }
  func encode(_ block: PlainBlock) -> BlockPayload? { CopyBlock.encode(block) }
}

/// Blocks of mode copy.
enum CopyBlock {
  static func encode(_ block: PlainBlock) -> BlockPayload {
    unsafe BytesBlock.clearParameters(block.frame)
    return BlockPayload(.copy, byteCount: BlockHeader.byteCount)
  }

  static func check(_ block: CodedBlock) throws(SwzipError) {
    try block.checkReserved(BlockHeader.byteCount)
    guard unsafe block.frame.count == BlockHeader.byteCount else { throw block.failure(.frameSize) }
  }

  /// Copies what the first reference names.
  static func decode(_ block: CodedBlock) throws(SwzipError) {
    try check(block)
    let source = try unsafe block.read(reference: 0, into: block.out)
    if unsafe source.bytes.baseAddress != UnsafeRawPointer(block.out.baseAddress) {
      unsafe block.out.copyMemory(from: source.bytes)
    }
  }
}
