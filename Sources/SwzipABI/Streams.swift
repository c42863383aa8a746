internal import CSwzip
internal import Swzip
internal import SwzipCore

/// A function of the caller's that reads at any position.
@safe struct Reading: @unchecked Sendable {  // the function bears several threads
  private let function: swz_read_at
  private let context: UnsafeMutableRawPointer?

  init(_ function: swz_read_at?, _ context: UnsafeMutableRawPointer?) throws(SwzipError) {
    guard let function = unsafe function else { throw .argument("read is NULL") }
    unsafe (self.function, self.context) = (function, context)
  }

  /// Fills the buffer, but for the end. Returns how many bytes there were.
  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var done = 0
    while done < buffer.count {
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
      let count = unsafe function(context, position + UInt64(done), part.baseAddress, part.count)
      guard count >= 0, count <= part.count else {
        throw SwzipError(.io, .system, detail: "the caller's function could not read")
      }
      if count == 0 { break }
      done += Int(count)
    }
    return done
  }
}

/// Bytes that a function of the caller's reads.
final class CallbackSource: RandomSource {
  private let reading: Reading
  let byteCount: UInt64

  init(_ reading: Reading, _ byteCount: UInt64) { (self.reading, self.byteCount) = (reading, byteCount) }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let wanted = Int(min(UInt64(buffer.count), byteCount - position))
    return try unsafe reading.read(at: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
  }
}

/// A function of the caller's that takes bytes.
@safe final class CallbackSink: OutputSink, @unchecked Sendable {  // called by one thread at a time
  private let function: swz_write
  private let context: UnsafeMutableRawPointer?
  private let reading: Reading?

  /// `reading`: of what was written.
  init(
    _ function: swz_write?, _ context: UnsafeMutableRawPointer?, _ reading: Reading? = nil
  ) throws(SwzipError) {
    guard let function = unsafe function else { throw .argument("write is NULL") }
    unsafe (self.function, self.context) = (function, context)
    self.reading = reading
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    guard unsafe function(context, bytes.baseAddress, bytes.count) == 0 else {
      throw SwzipError(.io, .system, detail: "the caller's function could not write")
    }
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard let reading else { throw SwzipError(.refused, .notRandomAccess) }
    guard try unsafe reading.read(at: position, into: buffer) == buffer.count else {
      throw SwzipError(.io, .system, detail: "the caller's function does not read what was written")
    }
  }
}

/// The paths of the bases that a caller names.
func basePaths(_ options: UnsafePointer<swz_open_options>?) throws(SwzipError) -> [String] {
  guard let options = unsafe options?.pointee else { return [] }
  guard unsafe options.size == MemoryLayout<swz_open_options>.size else {
    throw .argument("the size of swz_open_options")
  }
  return try unsafe paths(options.bases, options.base_count)
}

func bases(_ paths: [String]) throws(SwzipError) -> (any BaseResolver)? {
  paths.isEmpty ? nil : try Bases(paths.map { baseFile($0) })
}
