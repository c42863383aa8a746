internal import SwzipCore

/// Blocks that are decoded together, and their output. Frames lie in the window, which does not move meanwhile.
final class DecodeBatch {
  private(set) var jobs: [DecodeJob] = []
  private(set) var outByteCount = 0
  var tableCount = 0
  private var memory: Memory?

  var isEmpty: Bool { jobs.isEmpty }

  func add(_ job: DecodeJob) {
    outByteCount += job.outByteCount
    jobs.append(job)
  }

  /// Makes room for the output.
  func prepare() throws(SwzipError) {
    if memory?.byteCount ?? 0 < outByteCount { memory = try Memory(outByteCount) }
  }

  func restart() {
    jobs.removeAll(keepingCapacity: true)
    outByteCount = 0
    tableCount = 0
  }

  var output: UnsafeRawBufferPointer { unsafe memory!.prefix(outByteCount) }

  func output(_ offset: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory!.bytes[offset..<(offset + count)])
  }
}

/// One block to decode.
@safe struct DecodeJob {
  let decoder: SegmentDecoder
  let block: UInt64
  let frame: UnsafeRawBufferPointer
  /// Of the frame in the container.
  let position: UInt64
  let outOffset: Int
  let outByteCount: Int
  let reference: ReferenceReader?

  func run(_ batch: DecodeBatch, scratch: DecodeScratch) throws(SwzipError) {
    try unsafe decoder.decode(
      frame, block: block, into: batch.output(outOffset, outByteCount), policy: .strict, scratch: scratch,
      position: position, reference: reference)
  }
}
