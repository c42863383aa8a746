internal import SwzipCore

/// Codes a block from the middle of a segment, to tell what the segment will take.
struct SegmentTrial {
  let effort: Effort
  private let worker: PackWorker

  init(_ effort: Effort) throws(SwzipError) {
    self.effort = effort
    worker = try PackWorker(verify: false, effort: effort)
  }

  /// The size of the segment, scaled from the block's. `base`: where a delta reads; what it reads in the container is in
  /// `source` too.
  func byteCount(
    of range: SegmentRange, in source: any RandomSource, base: (any RandomSource)? = nil
  ) throws(SwzipError) -> (byteCount: UInt64, codec: CodecID) {
    let sample = part(of: range)
    let bytes = try memory(sample.offset, sample.byteCount, source)
    let references = try sample.open(base: base) { _ in source }
    let baseBytes = try sample.predicted(from: references)
    let values = unsafe bytes.prefix(sample.byteCount)
    let baseValues = unsafe baseBytes?.prefix(sample.byteCount)
    let plan = try unsafe SegmentPlan(sample, values, base: baseValues, effort: effort, scratch: worker.scratch)
    let frame = try Memory(plan.frameBound + Limits.slack)
    var packed = 0
    for block in 0..<plan.blockCount {
      let place = plan.bytes(ofBlock: block)
      packed += try unsafe worker.encode(
        plan, block, UnsafeRawBufferPointer(rebasing: values[place]), references: references,
        base: baseValues.map { unsafe UnsafeRawBufferPointer(rebasing: $0[place]) }, into: frame.bytes
      ).frameByteCount
    }
    let scaled = UInt64(packed) * UInt64(range.byteCount) / UInt64(sample.byteCount)
    return (scaled + UInt64(plan.header.frame(number: 0).bytes.count), plan.header.codec)
  }

  /// The size of a segment without a base: of one that another file of the container may determine half of, its lower halves.
  func sizeAlone(_ range: SegmentRange, in source: any RandomSource) throws(SwzipError) -> UInt64 {
    range.isWidened ? UInt64(range.byteCount / 2) : try byteCount(of: range, in: source).byteCount
  }

  /// Whole rows from the middle, about a block.
  private func part(of range: SegmentRange) -> SegmentRange {
    let width = range.elementType.width
    let unit = max(range.rowLength, 256) * width
    let most =
      (range.elementType.isBlock ? Limits.recordBlockBytes : Limits.writtenBlockValues(width: width) * width) / unit
      * unit
    var sample = range
    sample.byteCount = min(range.byteCount, max(most, unit))
    let skipped = UInt64((range.byteCount - sample.byteCount) / 2 / unit * unit)
    sample.offset += skipped
    if let cast = range.castOf {
      sample.castOf?.offset = cast.offset + skipped / UInt64(width) * UInt64(cast.elementType.width)
    }
    if let delta = range.deltaOf { sample.deltaOf = delta.advanced(by: skipped, elementType: range.elementType) }
    return sample
  }

  private func memory(_ offset: UInt64, _ count: Int, _ source: any RandomSource) throws(SwzipError) -> Memory {
    let memory = try Memory(count)
    guard try unsafe source.read(at: offset, into: memory.bytes) == count else { throw PlannedMember.changed }
    return memory
  }
}
