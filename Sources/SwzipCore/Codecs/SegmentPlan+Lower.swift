extension SegmentPlan {
  /// Blocks of a longer segment that are tried.
  private static let triedBlocks = 2

  /// The plan of a level, or of a lower one where some of the segment's blocks, coded by both, say that it is smaller.
  package static func best(
    _ range: SegmentRange, _ bytes: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer? = nil, effort: Effort,
    scratch: EncodeScratch
  ) throws(SwzipError) -> SegmentPlan {
    var best = try unsafe SegmentPlan(range, bytes, base: base, effort: effort, scratch: scratch)
    let lower = effort.lower
    guard !range.refers, range.elementType != .bytes, !lower.isEmpty else { return best }
    var least = try unsafe best.trialByteCount(bytes, scratch)
    for effort in lower {
      let plan = try unsafe SegmentPlan(range, bytes, effort: effort, scratch: scratch)
      let size = try unsafe plan.trialByteCount(bytes, scratch)
      if size < least { (best, least) = (plan, size) }
    }
    return best
  }

  /// The size of the segment, scaled from that of some of its blocks.
  private func trialByteCount(_ bytes: UnsafeRawBufferPointer, _ scratch: EncodeScratch) throws(SwzipError) -> Int {
    let count = blockCount
    let tried = count <= 2 * Self.triedBlocks ? Array(0..<count) : (0..<Self.triedBlocks).map { $0 * count / 2 }
    let frame = try Memory(frameBound + Limits.slack)
    var (packed, seen) = (0, 0)
    for block in tried {
      let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[self.bytes(ofBlock: block)])
      packed += unsafe encode(block, source, into: frame.bytes, scratch: scratch).frameByteCount
      seen += source.count
    }
    return packed * bytes.count / max(seen, 1) + header.frame(number: 0).bytes.count
  }
}
