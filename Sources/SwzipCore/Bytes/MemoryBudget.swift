internal import Synchronization

/// What the process may take beyond the fixed part of its memory: for indexes, which grow with the number of files, tensors
/// and blocks, and for chains of bases. Without a limit it takes what the input needs.
public enum MemoryBudget {
  /// An index up to this size is part of the fixed memory.
  public static let freeIndexBytes = 8 << 20
  /// Bytes that each byte of an index beyond that takes at most, in whatever form.
  public static let costOfIndexByte = 4
  /// What each packed base of a chain takes at most with blocks of the size that packing makes: open segments, decoded blocks
  /// and the scratch of a thread.
  public static let baseBytes = 16 << 20

  private static let spareBytes = Atomic<Int>(.max)

  /// Bytes that may be taken for all that; set once, before work begins.
  public static var spare: Int {
    get { spareBytes.load(ordering: .relaxed) }
    set { spareBytes.store(newValue, ordering: .relaxed) }
  }

  /// Throws `outOfMemory` unless an index of so many bytes fits: that of a container, or the header of a model file.
  package static func check(indexByteCount: Int) throws(SwzipError) {
    guard indexByteCount <= freeIndexBytes || (indexByteCount - freeIndexBytes) <= spare / costOfIndexByte else {
      throw SwzipError(.memory, .outOfMemory, detail: "its index has \(indexByteCount) bytes")
    }
  }

  /// Throws `outOfMemory` unless so many packed bases may be open by way of each other.
  package static func check(baseDepth: Int) throws(SwzipError) {
    guard baseDepth <= spare / baseBytes else {
      throw SwzipError(.memory, .outOfMemory, detail: "its chain of bases is \(baseDepth) deep or more")
    }
  }
}
