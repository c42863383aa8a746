internal import SwzipCore
internal import Synchronization

/// The parts of a source that were read last, so that what is small and lies together is read, and decoded, once.
final class CachedSource: RandomSource {
  private struct Part {
    let number: UInt64
    let memory: Memory
    let byteCount: Int
  }

  private let source: any RandomSource
  /// The last used last.
  private let parts = Mutex<[Part]>([])
  private static let partBytes = 2 << 20
  private static let mostParts = 4

  init(_ source: any RandomSource) { self.source = source }

  var byteCount: UInt64 { source.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var done = 0
    while done < buffer.count, position < byteCount, position + UInt64(done) < byteCount {
      let (number, offset) = (position + UInt64(done)).quotientAndRemainder(dividingBy: UInt64(Self.partBytes))
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      // The pointer is used inside the closure only.
      done += try parts.withLock { parts throws(SwzipError) in
        let part = try part(number, &parts)
        let count = min(target.count, part.byteCount - Int(offset))
        unsafe target.copyMemory(
          from: UnsafeRawBufferPointer(rebasing: part.memory.bytes[Int(offset)..<(Int(offset) + count)]))
        return count
      }
    }
    return done
  }

  private func part(_ number: UInt64, _ parts: inout [Part]) throws(SwzipError) -> Part {
    if let place = parts.lastIndex(where: { $0.number == number }) {
      parts.append(parts.remove(at: place))
      return parts[parts.count - 1]
    }
    let memory = parts.count == Self.mostParts ? parts.removeFirst().memory : try Memory(Self.partBytes)
    let byteCount = try unsafe source.read(at: number * UInt64(Self.partBytes), into: memory.bytes)
    let part = Part(number: number, memory: memory, byteCount: byteCount)
    parts.append(part)
    return part
  }
}
