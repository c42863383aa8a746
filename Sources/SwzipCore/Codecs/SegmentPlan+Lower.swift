extension SegmentPlan {
  /// Bytes of a longer segment on which levels are tried.
  private static let triedBytes = 1 << 17

  /// The plan of a level, or of a lower one where a trial on the segment, or on a part from its middle, says that it is smaller.
  package static func best(
    _ range: SegmentRange, _ bytes: UnsafeRawBufferPointer, base: UnsafeRawBufferPointer? = nil, effort: Effort,
    scratch: EncodeScratch
  ) throws(SwzipError) -> SegmentPlan {
    let lower = effort.lower
    // At the default level a trial of a longer segment takes more time than it saves bytes.
    let isTried = effort.level > 3 || bytes.count <= triedBytes
    guard range.derivation == .plain, range.elementType != .bytes, !lower.isEmpty, isTried else {
      return try unsafe SegmentPlan(range, bytes, base: base, effort: effort, scratch: scratch)
    }
    var (part, tried) = unsafe (range, bytes)
    let row = max(range.rowLength, 1) * range.elementType.width
    if bytes.count >= 2 * triedBytes, row <= triedBytes {
      let start = bytes.count / 2 / row * row
      part.byteCount = triedBytes / row * row
      unsafe tried = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + part.byteCount)])
    }
    var best = try unsafe SegmentPlan(part, tried, effort: effort, scratch: scratch)
    var least = try unsafe best.byteCount(of: tried, outOf: bytes.count, scratch)
    for effort in lower {
      let plan = try unsafe SegmentPlan(part, tried, effort: effort, scratch: scratch)
      let size = try unsafe plan.byteCount(of: tried, outOf: bytes.count, scratch)
      // A part has less to learn from than the whole: what saves less than a 500th of it may lose.
      if size + (part == range ? 0 : size / 500) < least { (best, least) = (plan, size) }
    }
    if part == range { return best }
    return try unsafe SegmentPlan(range, bytes, effort: best.effort, scratch: scratch)
  }

  /// Bytes of the frames of a segment of `whole` bytes, of which `bytes` are a part: it has its tables once.
  private func byteCount(
    of bytes: UnsafeRawBufferPointer, outOf whole: Int, _ scratch: EncodeScratch
  ) throws(SwzipError) -> Int {
    let frame = try Memory(frameBound + Limits.slack)
    let blocks = (0..<blockCount).reduce(0) { sum, block in
      let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[self.bytes(ofBlock: block)])
      return unsafe sum + encode(block, source, into: frame.bytes, scratch: scratch).frameByteCount
    }
    return header.frame(number: 0).bytes.count + blocks * whole / max(bytes.count, 1)
  }
}
