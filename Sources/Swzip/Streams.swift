public import SwzipCore

/// Where bytes come from: a file, a pipe, memory.
public protocol InputSource: AnyObject, Sendable {
  /// The number of bytes, or nil where only reading forward will tell (a pipe).
  var byteCount: UInt64? { get }
  /// Reads forward from where the last call ended. Returns fewer bytes than asked only at the end; 0 = end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  /// Reads at a position; needs `byteCount`. Does not move the forward position. Fewer bytes than asked only at the end.
  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
}

/// Where bytes go, in order.
public protocol OutputSink: AnyObject, Sendable {
  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError)
  /// Reads back what was written before, for references to earlier ranges. Throws `notRandomAccess` where it cannot (a pipe).
  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError)
}
