internal import SwzipCore

/// Decodes blocks in batches, on several threads; what a batch gave is written while the next one is decoded.
final class DecodePipeline {
  private let workers: [DecodeScratch]
  private let output: MemberOutput
  private let control: Control?
  private var batch = DecodeBatch()
  private var pending: DecodeBatch?

  /// Bytes of output: so few that a block is still in the cache when it is hashed again and written, if threads wait for
  /// the next batch; more where they are made for each.
  let batchBytes: Int
  /// What the decoders of a batch hold at most, but for one segment.
  private static let batchDecoderBytes = 8 << 20

  init(threads: Int, _ control: Control?, _ output: MemberOutput) throws(SwzipError) {
    self.control = control
    batchBytes = threads > 1 && control?.runner == nil ? 8 << 20 : min(max(2, threads), 8) << 20
    workers = try (0..<max(1, threads)).map { _ throws(SwzipError) in try DecodeScratch() }
    self.output = output
  }

  /// A segment begins whose decoder holds so many bytes.
  func beginSegment(decoderByteCount: Int) throws(SwzipError) {
    if batch.decoderByteCount + decoderByteCount > Self.batchDecoderBytes { try flush() }
    batch.beginSegment(decoderByteCount: decoderByteCount)
  }

  /// Adds a block, whose frame stays where it is until `flush`.
  func add(
    _ frame: UnsafeRawBufferPointer, of decoder: SegmentDecoder, block: UInt64, position: UInt64, outByteCount: Int,
    _ reference: ReferenceReader?
  ) throws(SwzipError) {
    let isFull =
      batch.outByteCount + outByteCount > batchBytes || batch.decoderByteCount > Self.batchDecoderBytes
    if isFull { try flush() }
    unsafe batch.add(
      DecodeJob(
        decoder: decoder, block: block, frame: frame, position: position, outOffset: batch.outByteCount,
        outByteCount: outByteCount, reference: reference))
  }

  /// Decodes the batch; its output is written while the next one is decoded.
  func flush() throws(SwzipError) {
    guard !batch.isEmpty else { return }
    let before = pending
    pending = nil
    try batch.prepare()
    let current = batch
    try runJobs(threads: workers.count, count: 1 + current.jobs.count, control) { job, worker throws(SwzipError) in
      if job == 0 {
        if let before { try unsafe output.write(before.output) }
      } else {
        try current.jobs[job - 1].run(current, scratch: workers[worker])
      }
    }
    current.releaseJobs()
    pending = current
    batch = before ?? DecodeBatch()
    batch.restart()
  }

  /// Decodes and writes all that has been added.
  func settle() throws(SwzipError) {
    try flush()
    guard let done = pending else { return }
    pending = nil
    try unsafe output.write(done.output)
  }
}
