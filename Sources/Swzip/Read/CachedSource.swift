internal import SwzipCore
internal import Synchronization

/// The parts of a source that were read last, so that what is small and lies together is read, and decoded, once. One thread
/// at a time.
final class CachedSource: InputSource {
  private let source: any InputSource
  /// Parts of `partBytes`, by their numbers; the last used last.
  private let parts = Mutex<[(number: UInt64, memory: Memory, byteCount: Int)]>([])
  private static let partBytes = 2 << 20
  private static let mostParts = 4

  init(_ source: any InputSource) throws(SwzipError) {
    guard source.byteCount != nil else { throw SwzipError(.refused, .notRandomAccess) }
    self.source = source
  }

  var byteCount: UInt64? { source.byteCount }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    try unsafe source.read(into: buffer)
  }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var done = 0
    while done < buffer.count {
      let (number, offset) = (position + UInt64(done)).quotientAndRemainder(dividingBy: UInt64(Self.partBytes))
      let (memory, byteCount) = try part(number)
      let count = min(buffer.count - done, byteCount - Int(offset))
      guard count > 0 else { break }
      unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done..<(done + count)]).copyMemory(
        from: UnsafeRawBufferPointer(rebasing: memory.bytes[Int(offset)..<(Int(offset) + count)]))
      done += count
    }
    return done
  }

  private func part(_ number: UInt64) throws(SwzipError) -> (Memory, Int) {
    let (found, old): ((Memory, Int)?, Memory?) = parts.withLock { parts in
      if let place = parts.lastIndex(where: { $0.number == number }) {
        let part = parts.remove(at: place)
        parts.append(part)
        return ((part.memory, part.byteCount), nil)
      }
      return (nil, parts.count == Self.mostParts ? parts.removeFirst().memory : nil)
    }
    if let found { return found }
    let memory: Memory
    if let old { memory = old } else { memory = try Memory(Self.partBytes) }
    let byteCount = try unsafe source.read(at: number * UInt64(Self.partBytes), into: memory.bytes)
    parts.withLock { $0.append((number, memory, byteCount)) }
    return (memory, byteCount)
  }
}
