internal import SwzipCore

/// The scratch of a container's readers, kept from one read to the next: as many as ever worked at once.
final class WorkerPool: Sendable {
  private let idle = Guarded<[ReadWorker]>([])

  /// Lends `count` workers to `body`.
  func lend(_ count: Int, to body: ([ReadWorker]) throws(SwzipError) -> Void) throws(SwzipError) {
    var workers: [ReadWorker] = []
    // One by one into an array of its own: a slice would share the pool's memory with who holds no lock.
    idle.withLock { idle in while workers.count < count, let worker = idle.popLast() { workers.append(worker) } }
    defer { idle.withLock { [workers] in $0 += workers } }
    while workers.count < count { workers.append(try ReadWorker()) }
    try body(workers)
  }
}

/// Scratch of one thread.
final class ReadWorker: @unchecked Sendable {  // one thread at a time, by the worker's number
  let scratch: DecodeScratch
  private var rangeMemory: Memory?
  private var referenceMemory: [Memory?] = Array(repeating: nil, count: Limits.referencesPerSegment)

  init() throws(SwzipError) { scratch = try DecodeScratch() }

  /// Room for what a job reads by reference `number`.
  func referenced(_ number: Int, _ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    unsafe try Self.room(byteCount, in: &referenceMemory[number])
  }

  private static func room(_ byteCount: Int, in memory: inout Memory?) throws(SwzipError)
    -> UnsafeMutableRawBufferPointer
  {
    if memory?.byteCount ?? 0 < byteCount { memory = try Memory(byteCount) }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: memory!.bytes[..<byteCount])
  }

  /// A range of a container with slack behind it: where it lies if the source lends it, else read into this worker's memory.
  func bytes(_ range: Range<UInt64>, of source: any RandomSource) throws(SwzipError) -> LentBytes {
    let count = Int(range.upperBound - range.lowerBound)
    if let lent = try source.borrow(at: range.lowerBound, count: count), lent.slack >= Limits.slack { return lent }
    if rangeMemory?.byteCount ?? 0 < count + Limits.slack { rangeMemory = try Memory(count + Limits.slack) }
    let memory = rangeMemory!
    guard
      try unsafe source.read(
        at: range.lowerBound, into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])) == count
    else { throw SwzipError(.corrupt, .truncated, at: range.lowerBound) }
    return unsafe LentBytes(memory.prefix(count), slack: memory.byteCount - count, owner: memory)
  }
}
