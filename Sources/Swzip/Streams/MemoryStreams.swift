public import SwzipCore

/// Memory as a source, which lends all of it. The bytes must outlive it and must not change.
@safe public final class MemorySource: RandomSource, @unchecked Sendable {  // read only
  private let bytes: UnsafeRawBufferPointer

  public init(_ bytes: UnsafeRawBufferPointer) { unsafe self.bytes = bytes }

  public var byteCount: UInt64 { unsafe UInt64(bytes.count) }

  public func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[Int(position)...].prefix(buffer.count))
    unsafe buffer.copyMemory(from: part)
    return part.count
  }

  public func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? {
    guard position <= byteCount, UInt64(count) <= byteCount - position else { return nil }
    let end = Int(position) + count
    return unsafe LentBytes(
      UnsafeRawBufferPointer(rebasing: bytes[Int(position)..<end]), slack: bytes.count - end, owner: self)
  }
}

/// The bytes of an array as a source.
final class BytesSource<Value: BitwiseCopyable & Sendable>: RandomSource {
  private let values: [Value]

  init(_ values: [Value]) { self.values = values }

  var byteCount: UInt64 { UInt64(values.count * MemoryLayout<Value>.stride) }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    // Inside the caller's buffer, and the array.
    unsafe values.withUnsafeBytes {
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(position)...].prefix(count)))
    }
    return count
  }
}

/// Memory as a sink, up to its capacity.
@safe public final class MemorySink: OutputSink, @unchecked Sendable {  // written by one thread at a time
  private let target: UnsafeMutableRawBufferPointer
  public private(set) var byteCount = 0

  public init(_ target: UnsafeMutableRawBufferPointer) { unsafe self.target = target }

  public func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer? {
    guard unsafe count <= target.count - byteCount else { return nil }
    return unsafe UnsafeMutableRawBufferPointer(rebasing: target[byteCount...])
  }

  public func advance(_ count: Int) { byteCount += count }

  public func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    guard let room = unsafe reserve(bytes.count) else { throw SwzipError(.invalidArgument, .outputTooSmall) }
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

  public var canRewrite: Bool { true }

  public func rewrite(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    guard position <= UInt64(byteCount), bytes.count <= byteCount - Int(position) else {
      throw SwzipError(.invalidArgument, .range)
    }
    let place = unsafe UnsafeMutableRawBufferPointer(rebasing: target[Int(position)..<(Int(position) + bytes.count)])
    unsafe place.copyMemory(from: bytes)
  }
}
