package import SwzipCore
internal import Synchronization

/// A base that is hashed as it is used, mostly from its beginning to its end: so it is read once, and decoded once. One thread
/// at a time hashes; the others leave it what they read, and go on.
package final class HashedBase: RandomSource {
  private struct Progress {
    var sum = SHA256Sum()
    /// So many bytes have been hashed.
    var end: UInt64 = 0

    /// Hashes what of some bytes follows those that have been hashed.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at position: UInt64) {
      let known = end - position
      guard known < UInt64(bytes.count) else { return }
      unsafe sum.add(UnsafeRawBufferPointer(rebasing: bytes[Int(known)...]))
      end = position + UInt64(bytes.count)
    }
  }

  private static let mostAhead = 32
  private static let mostAheadBytes = 4 << 20
  /// So little that is missing is read at once, such as a file's header.
  private static let nearBytes: UInt64 = 64 << 10
  private static let stepBytes = 1 << 20

  private let source: any RandomSource
  /// Touched by who is in the gate.
  private let progress = Guarded(Progress())
  private let gate = Mutex(())
  /// Bytes that wait to be hashed, by where they begin.
  let ahead = Guarded<[UInt64: [UInt8]]>([:])

  package var byteCount: UInt64 { source.byteCount }

  package init(_ source: any RandomSource) { self.source = source }

  package func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let count = try unsafe source.read(at: position, into: buffer)
    try unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
    return count
  }

  package func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? {
    let lent = try source.borrow(at: position, count: count)
    if let lent { try unsafe take(lent.bytes, at: position) }
    return lent
  }

  /// SHA-256 of all bytes; asks once. Cost: of what was not used, reading.
  package func digest() throws(SwzipError) -> Digest {
    try gate.withLock { (_) throws(SwzipError) in
      try progress.withLock { (progress) throws(SwzipError) in
        try fill(&progress, to: byteCount)
        ahead.withLock { $0 = [:] }
        return Digest(progress.sum.finish())
      }
    }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    let isDone: Void? = try gate.withLockIfAvailable { (_) throws(SwzipError) in try unsafe hash(bytes, at: position) }
    guard isDone == nil, unsafe !leave(bytes, at: position) else { return }
    try gate.withLock { (_) throws(SwzipError) in try unsafe hash(bytes, at: position) }
  }

  /// Hashes bytes and what waits behind them, inside the gate.
  private func hash(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    try progress.withLock { (progress) throws(SwzipError) in
      hashWaiting(&progress)
      // Other threads are about to bring what is missing.
      if position > progress.end + Self.nearBytes, unsafe leave(bytes, at: position) { return }
      if position > progress.end { try fill(&progress, to: position) }
      unsafe progress.add(bytes, at: position)
      hashWaiting(&progress)
    }
  }

  /// Keeps bytes until those before them have come; false where too many wait.
  private func leave(_ bytes: UnsafeRawBufferPointer, at position: UInt64) -> Bool {
    func fits(_ ahead: [UInt64: [UInt8]]) -> Bool {
      ahead.count < Self.mostAhead && ahead.values.reduce(bytes.count) { $0 + $1.count } <= Self.mostAheadBytes
    }
    guard ahead.withLock({ fits($0) }) else { return false }
    // Copied outside the lock, which others wait for awake.
    let copy = unsafe Array(bytes)
    return ahead.withLock { ahead in
      guard fits(ahead) else { return false }
      ahead[position] = copy
      return true
    }
  }

  private func hashWaiting(_ progress: inout Progress) {
    while let next = ahead.withLock({ [end = progress.end] in $0.removeValue(forKey: end) }) {
      unsafe next.withUnsafeBytes { unsafe progress.add($0, at: progress.end) }
    }
  }

  /// Reads what nobody used.
  private func fill(_ progress: inout Progress, to end: UInt64) throws(SwzipError) {
    let memory = try Memory(Self.stepBytes)
    hashWaiting(&progress)
    while progress.end < end {
      let next = ahead.withLock { [done = progress.end] ahead in
        ahead = ahead.filter { $0.key > done }
        return ahead.keys.min() ?? end
      }
      let count = Int(min(next - progress.end, end - progress.end, UInt64(Self.stepBytes)))
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
      try unsafe source.readBase(at: progress.end, into: part)
      unsafe progress.add(UnsafeRawBufferPointer(part), at: progress.end)
      hashWaiting(&progress)
    }
  }
}
