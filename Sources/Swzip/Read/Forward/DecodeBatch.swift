internal import SwzipCore

/// Blocks that are decoded together, and their output. Frames lie in the window, which does not move meanwhile. What decoders
/// and jobs take counts too: a container may have very many segments of few bytes, each with tables.
final class DecodeBatch {
  private(set) var jobs: [DecodeJob] = []
  private(set) var outByteCount = 0
  /// What the jobs and the decoders of their segments hold at most.
  private(set) var decoderByteCount = 0
  private var memory: Memory?

  var isEmpty: Bool { jobs.isEmpty }

  /// A segment begins whose decoder holds so many bytes.
  func beginSegment(decoderByteCount: Int) { self.decoderByteCount += decoderByteCount }

  func add(_ job: DecodeJob) {
    outByteCount += job.outByteCount
    decoderByteCount += DecodeJob.byteCount
    jobs.append(job)
  }

  /// Makes room for the output.
  func prepare() throws(SwzipError) {
    if memory?.byteCount ?? 0 < outByteCount { memory = try Memory(outByteCount) }
  }

  /// All jobs have run: only their output is still needed.
  func releaseJobs() {
    jobs.removeAll(keepingCapacity: true)
    decoderByteCount = 0
  }

  func restart() {
    releaseJobs()
    outByteCount = 0
  }

  var output: UnsafeRawBufferPointer { unsafe memory!.prefix(outByteCount) }

  func output(_ offset: Int, _ count: Int) -> UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory!.bytes[offset..<(offset + count)])
  }
}

/// One block to decode.
@safe struct DecodeJob {
  /// With the closures that it holds.
  static let byteCount = 512

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
