internal import SwzipCore

/// The scratch of a container's readers, kept from one read to the next: as many as ever worked at once.
final class ReadWorkers: Sendable {
  private let idle = Guarded<[ReadWorker]>([])

  /// Lends `count` workers to `body`.
  func lend(_ count: Int, to body: ([ReadWorker]) throws(SwzipError) -> Void) throws(SwzipError) {
    var workers = idle.withLock { idle in
      let lent = Array(idle.suffix(count))
      idle.removeLast(lent.count)
      return lent
    }
    defer { idle.withLock { [workers] in $0 += workers } }
    while workers.count < count { workers.append(try ReadWorker()) }
    try body(workers)
  }
}

/// Scratch of one thread.
final class ReadWorker: @unchecked Sendable {  // one thread at a time, by the worker's number
  let scratch: DecodeScratch
  private var partialMemory: Memory?
  private var frameMemory: Memory?

  init() throws(SwzipError) { scratch = try DecodeScratch() }

  func partial(_ byteCount: Int) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
    if partialMemory?.byteCount ?? 0 < byteCount { partialMemory = try Memory(byteCount) }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: partialMemory!.bytes[..<byteCount])
  }

  /// The frame of a block: where it lies if the source is memory, else read into this worker's.
  func frame(
    of segment: OpenSegment, _ index: Int, _ source: any RandomSource
  ) throws(SwzipError) -> LentBytes {
    let (position, count) = (segment.positions[index], segment.entries[index].frameByteCount)
    if let lent = try source.borrow(at: position, count: count), lent.slack >= Limits.slack { return lent }
    if frameMemory?.byteCount ?? 0 < count + Limits.slack { frameMemory = try Memory(count + Limits.slack) }
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: frameMemory!.bytes[..<count])
    guard try unsafe source.read(at: position, into: target) == count else {
      throw SwzipError(.corrupt, .truncated, at: position)
    }
    return unsafe LentBytes(UnsafeRawBufferPointer(target), owner: frameMemory!)
  }
}
