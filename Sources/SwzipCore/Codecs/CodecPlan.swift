/// How a codec codes the blocks of one segment. Made from its values, then shared by the threads that encode them.
package protocol CodecPlan {
  var coding: any Coding { get }
  var blockValues: Int { get }
  var references: [Reference] { get }

  /// Room that the frame of a block of so many values may take while it is being written, if more than raw.
  func bound(_ valueCount: Int) -> Int
  /// Writes the payload of a block into its frame; nil where modes that all blocks may have are to serve.
  func encode(_ block: PlainBlock) -> BlockPayload?
}

extension CodecPlan {
  package var references: [Reference] { [] }
}

/// What is in a frame from byte 24 on.
package struct BlockPayload {
  package var mode: BlockMode
  package var flags: UInt8
  /// Of the whole frame.
  package var byteCount: Int

  package init(_ mode: BlockMode, flags: UInt8 = 0, byteCount: Int) {
    self.mode = mode
    self.flags = flags
    self.byteCount = byteCount
  }
}

/// A block while it is encoded: what its codec is given.
@safe package struct PlainBlock {
  /// Its number in the segment.
  package let index: Int
  /// In little-endian order, if the codec wants that.
  package let values: UnsafeRawBufferPointer
  /// Bytes of one.
  package let width: Int
  /// The bytes that a cast refers to, or the values that a delta's differ from.
  let reference: UnsafeRawBufferPointer?
  package let frame: UnsafeMutableRawBufferPointer
  package let scratch: EncodeScratch
  let effort: Effort
}

/// A segment that is to be planned: what codecs are asked about.
@safe package struct PlainSegment {
  package let range: SegmentRange
  /// The element type in little-endian order; bytes where they are no whole number of values.
  package let type: ElementType
  /// Values of that type.
  package let values: UnsafeRawBufferPointer
  /// As many values that they differ from, if there are such.
  let base: UnsafeRawBufferPointer?
  package let effort: Effort
  package let scratch: EncodeScratch

  /// Values of equal blocks: of a block type as many as may be, else at most `largest`, or what is written as a rule.
  package func blockValues(_ largest: Int? = nil) -> Int {
    let count = range.byteCount / type.width
    guard !type.isBlock else { return share(of: count, Limits.recordBlockBytes / type.width) }
    return min(count, (share(of: count, largest ?? Limits.writtenBlockValues(width: type.width)) + 255) & ~255)
  }

  /// The same of plain bytes.
  func blockBytes(_ largest: Int) -> Int { min(range.byteCount, (share(of: range.byteCount, largest) + 255) & ~255) }

  private func share(of count: Int, _ most: Int) -> Int {
    let blocks = (count + most - 1) / most
    return (count + blocks - 1) / blocks
  }
}
