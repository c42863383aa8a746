internal import SwzipCore

/// Memory between two guards, at any alignment: what is written beside it shows.
@safe package final class GuardedBuffer {
  private static let guardBytes = 128
  private let memory: Memory
  private let start: Int
  package let byteCount: Int

  package init(_ byteCount: Int, misalignment: Int = 0) throws {
    self.byteCount = byteCount
    start = Self.guardBytes + misalignment
    memory = try Memory(byteCount + 2 * Self.guardBytes + misalignment)
    for index in 0..<start { unsafe memory.bytes[index] = 0xA5 }
    for index in (start + byteCount)..<memory.byteCount { unsafe memory.bytes[index] = 0xA5 }
    unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0x5A)
  }

  package var bytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[start..<(start + byteCount)])
  }

  package var guardsAreWhole: Bool {
    for index in 0..<start { if unsafe memory.bytes[index] != 0xA5 { return false } }
    for index in (start + byteCount)..<memory.byteCount { if unsafe memory.bytes[index] != 0xA5 { return false } }
    return true
  }

  /// Whether it holds these bytes.
  package func holds(_ other: UnsafeRawBufferPointer) -> Bool {
    unsafe other.count == byteCount && equalBytes(other, UnsafeRawBufferPointer(bytes))
  }
}

/// Whether two arrays are equal; fast in debug builds too.
package func same(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  unsafe a.count == b.count && a.withUnsafeBytes { a in unsafe b.withUnsafeBytes { b in unsafe equalBytes(a, b) } }
}
