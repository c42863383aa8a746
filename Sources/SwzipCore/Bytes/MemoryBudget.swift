internal import Synchronization

/// What the process may take beyond the fixed part of its memory: for indexes, which grow with the number of files, tensors
/// and blocks, and for chains of bases. Without a limit it takes what the input needs.
public enum MemoryBudget {
  /// Indexes up to this size, all together, are part of the fixed memory.
  public static let freeIndexBytes = 8 << 20
  /// Bytes that each byte of an index beyond that takes at most, in whatever form.
  public static let costOfIndexByte = 4
  /// A file, tensor or segment counts for so many bytes more than it has in its index, unpacked.
  public static let indexItemBytes = 40
  /// What each packed base of a chain takes at most with blocks of the size that packing makes: open segments, decoded blocks
  /// and the scratch of a thread.
  public static let baseBytes = 16 << 20

  private static let spareBytes = Atomic<Int>(.max)
  /// Of all indexes that are in memory.
  fileprivate static let indexBytes = Atomic<Int>(0)

  /// Bytes that may be taken for all that; set once, before work begins.
  public static var spare: Int {
    get { spareBytes.load(ordering: .relaxed) }
    set { spareBytes.store(newValue, ordering: .relaxed) }
  }

  /// Throws `outOfMemory` unless an index of so many bytes fits beside those that are there: that of a container, or the header
  /// of a model file.
  package static func check(indexByteCount: Int, items: Int = 0) throws(SwzipError) {
    try check(indexByteCount + items * indexItemBytes, beside: indexBytes.load(ordering: .relaxed))
  }

  fileprivate static func check(_ byteCount: Int, beside others: Int) throws(SwzipError) {
    let beyond = others + byteCount - freeIndexBytes
    guard beyond <= 0 || beyond <= spare / costOfIndexByte else {
      throw SwzipError(.memory, .outOfMemory, detail: "its index has \(byteCount) bytes")
    }
  }

  /// Throws `outOfMemory` unless so many packed bases may be open by way of each other.
  package static func check(baseDepth: Int) throws(SwzipError) {
    guard baseDepth <= spare / baseBytes else {
      throw SwzipError(.memory, .outOfMemory, detail: "its chain of bases is \(baseDepth) deep or more")
    }
  }
}

/// An index counts for as long as this is there. It is no part of what the index says: all are equal.
package final class IndexMemory: Sendable, Equatable {
  private let byteCount: Int

  /// `byteCount`: of the index, unpacked; `items`: its files, tensors and segments. Throws `outOfMemory` if it does not fit.
  package init(byteCount: Int, items: Int) throws(SwzipError) {
    self.byteCount = byteCount + items * MemoryBudget.indexItemBytes
    let sum = MemoryBudget.indexBytes.add(self.byteCount, ordering: .relaxed).newValue
    // What was added is taken back by deinit.
    try MemoryBudget.check(self.byteCount, beside: sum - self.byteCount)
  }

  package static func == (left: IndexMemory, right: IndexMemory) -> Bool { true }

  deinit { MemoryBudget.indexBytes.subtract(byteCount, ordering: .relaxed) }
}
