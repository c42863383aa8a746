internal import SwzipLibc

/// A block of memory, aligned to 64 bytes, that reports failure instead of ending the process as an array would.
@safe package final class Memory: @unchecked Sendable {  // owned by one thread at a time, by the protocol of its users
  package let base: UnsafeMutableRawPointer
  package let byteCount: Int

  package init(_ byteCount: Int) throws(SwzipError) {
    var pointer: UnsafeMutableRawPointer?
    // Ownership: freed in deinit, never handed out otherwise.
    guard unsafe posix_memalign(&pointer, 64, max(byteCount, 64)) == 0, let memory = unsafe pointer else {
      throw SwzipError(.memory, .outOfMemory, detail: "\(byteCount)")
    }
    unsafe base = memory
    self.byteCount = byteCount
  }

  deinit { unsafe free(base) }

  package var bytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  /// The first `count` bytes.
  package func prefix(_ count: Int) -> UnsafeRawBufferPointer {
    precondition(count <= byteCount)
    return unsafe UnsafeRawBufferPointer(start: base, count: count)
  }
}

/// Whether two ranges of equal length hold the same bytes.
package func equalBytes(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  precondition(a.count == b.count)
  return unsafe a.isEmpty || memcmp(a.baseAddress!, b.baseAddress!, a.count) == 0
}

/// Whether all bytes are zero.
package func areZero(_ bytes: UnsafeRawBufferPointer) -> Bool {
  guard let first = unsafe bytes.first else { return true }
  // Each byte is its neighbour: both ranges lie inside the caller's.
  return unsafe first == 0
    && equalBytes(
      UnsafeRawBufferPointer(rebasing: bytes.dropFirst()), UnsafeRawBufferPointer(rebasing: bytes.dropLast()))
}
