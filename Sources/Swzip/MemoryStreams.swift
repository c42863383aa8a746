public import SwzipCore

/// Memory as a source. The bytes must outlive it and must not change. One thread at a time reads
/// forward.
@safe public final class MemorySource: InputSource, @unchecked Sendable {
  package let bytes: UnsafeRawBufferPointer
  private var offset = 0

  public init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  public var byteCount: UInt64? { unsafe UInt64(bytes.count) }

  /// The next bytes, at most `count`, where they lie.
  package func take(_ count: Int) -> UnsafeRawBufferPointer {
    let start = offset
    offset = unsafe min(bytes.count, start + count)
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
  }

  public func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let part = unsafe take(buffer.count)
    unsafe buffer.copyMemory(from: part)
    return part.count
  }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard unsafe position < UInt64(bytes.count) else { return 0 }
    let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(position)...].prefix(buffer.count))
    unsafe buffer.copyMemory(from: part)
    return part.count
  }
}

/// Memory as a sink, up to its capacity.
@safe public final class MemorySink: OutputSink, @unchecked Sendable {  // written by one thread at a time
  private let target: UnsafeMutableRawBufferPointer
  public private(set) var byteCount = 0

  public init(_ target: UnsafeMutableRawBufferPointer) { unsafe self.target = target }

  /// Room behind what is written, for a writer that fills it and then calls `advance`.
  package var room: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(rebasing: target[byteCount...])
  }

  package func advance(_ count: Int) { byteCount += count }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    guard unsafe bytes.count <= target.count - byteCount else { throw SwzipError(.invalidArgument, .outputTooSmall) }
    unsafe room.copyMemory(from: bytes)
    byteCount += bytes.count
  }

  public func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard position <= UInt64(byteCount), buffer.count <= byteCount - Int(position) else {
      throw SwzipError(.invalidArgument, .range)
    }
    unsafe buffer.copyMemory(
      from: UnsafeRawBufferPointer(rebasing: target[Int(position)..<(Int(position) + buffer.count)]))
  }
}

extension OutputSink {
  package func write(_ bytes: [UInt8]) throws(SwzipError) {
    var failure: SwzipError?
    unsafe bytes.withUnsafeBytes { bytes in
      do throws(SwzipError) { try unsafe write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

extension InputSource {
  /// Exactly `count` bytes at `position`, or `truncated`.
  package func bytes(at position: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    var failure: SwzipError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(SwzipError) {
        filled = try unsafe read(at: position, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard bytes.count == count else { throw SwzipError(.corrupt, .truncated, at: position) }
    return bytes
  }
}
