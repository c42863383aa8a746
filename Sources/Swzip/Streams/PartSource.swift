internal import SwzipCore

/// A range of another source.
final class PartSource: RandomSource {
  private let whole: any RandomSource
  private let range: Range<UInt64>

  init(_ whole: any RandomSource, _ range: Range<UInt64>) {
    self.whole = whole
    self.range = range
  }

  var byteCount: UInt64 { range.upperBound - range.lowerBound }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    return try unsafe whole.read(
      at: range.lowerBound + position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
  }

  func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? {
    guard position <= byteCount, UInt64(count) <= byteCount - position else { return nil }
    return try whole.borrow(at: range.lowerBound + position, count: count)
  }
}
