internal import SwzipCore

/// Codes a block from the middle of a segment, to tell what the segment will take.
struct SegmentTrial {
  let effort: Effort
  private let worker: PackWorker

  init(_ effort: Effort) throws(SwzipError) {
    self.effort = effort
    worker = try PackWorker(verify: false, effort: effort)
  }

  /// The size of the segment, scaled from the block's. `bases`: of the member, by number; `files`: of the
  /// container, where other ones than `source` are referred to.
  func byteCount(
    of range: SegmentRange, in source: any RandomSource, bases: [any RandomSource] = [], files: MemberSources? = nil
  ) throws(SwzipError) -> (byteCount: UInt64, codec: CodecID) {
    let sample = part(of: range)
    let bytes = try memory(sample.offset, sample.byteCount, source)
    let references = try sample.open(bases: bases) { number throws(SwzipError) in try files?.source(number) ?? source }
    let baseBytes = try sample.predicted(from: references)
    let values = unsafe bytes.prefix(sample.byteCount)
    let baseValues = unsafe baseBytes?.prefix(sample.base(of: 0..<sample.byteCount).upperBound)
    let plan = try unsafe SegmentPlan(sample, values, base: baseValues, effort: effort, scratch: worker.scratch)
    let frame = try Memory(plan.frameBound + Limits.slack)
    var packed = 0
    for block in 0..<plan.blockCount {
      let place = plan.bytes(ofBlock: block)
      packed += try unsafe worker.encode(
        plan, block, UnsafeRawBufferPointer(rebasing: values[place]), references: references,
        base: baseValues.map { unsafe UnsafeRawBufferPointer(rebasing: $0[sample.base(of: place)]) }, into: frame.bytes
      ).frameByteCount
    }
    let scaled = UInt64(packed) * UInt64(range.byteCount) / UInt64(sample.byteCount)
    return (scaled + UInt64(plan.header.frame(number: 0).bytes.count), plan.header.codec)
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
    sample.derivation = range.derivation.advanced(by: skipped, range.elementType)
    return sample
  }

  private func memory(_ offset: UInt64, _ count: Int, _ source: any RandomSource) throws(SwzipError) -> Memory {
    let memory = try Memory(count)
    guard try unsafe source.read(at: offset, into: memory.bytes) == count else { throw PlannedMember.changed }
    return memory
  }
}
