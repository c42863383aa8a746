import SwzipCore

/// Walks the head of a file: reads what it is asked for, in pieces, and steps over the rest. Nil from a call: the file
/// ends there, or a pipe would have to be kept too far.
struct InputCursor<Input: InputBytes> {
  /// Bytes that a pipe is kept for, at most.
  private static var mostKept: UInt64 { 64 << 20 }
  private static var pieceBytes: Int { 1 << 16 }

  private let input: Input
  private(set) var offset: UInt64
  private var window: [UInt8] = []
  private var windowStart: UInt64 = 0

  init(_ input: Input, at offset: UInt64 = 0) {
    self.input = input
    self.offset = offset
  }

  /// An integer, little-endian.
  mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) throws(SwzipError) -> T? {
    guard let start = try next(T.bitWidth / 8) else { return nil }
    return window[start..<(start + T.bitWidth / 8)].reversed().reduce(0) { $0 << 8 | T($1) }
  }

  mutating func bytes(_ count: Int) throws(SwzipError) -> [UInt8]? {
    guard let start = try next(count) else { return nil }
    return Array(window[start..<(start + count)])
  }

  /// Unsigned LEB128 of at most 64 bits.
  mutating func varint() throws(SwzipError) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let byte = try integer(UInt8.self), shift < 63 || byte < 2 else { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// Steps over `count` bytes. False if they are not there.
  mutating func skip(_ count: UInt64) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(count)
    guard !overflow, end <= input.byteCount ?? Self.mostKept else { return false }
    offset = end
    return true
  }

  /// Goes to a place in the file.
  mutating func seek(_ place: UInt64) { offset = place }

  /// Where the next `count` bytes are in the window; they are taken.
  private mutating func next(_ count: Int) throws(SwzipError) -> Int? {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow else { return nil }
    if offset < windowStart || end > windowStart + UInt64(window.count) {
      if input.byteCount != nil {
        window = try input.bytes(at: offset, count: max(count, Self.pieceBytes))
        windowStart = offset
      } else {
        guard end <= Self.mostKept else { return nil }
        let more = min(max(end, 2 * UInt64(window.count), UInt64(Self.pieceBytes)), Self.mostKept)
        window = try input.peek(Int(more))
      }
      guard end <= windowStart + UInt64(window.count) else { return nil }
    }
    defer { offset = end }
    return Int(offset - windowStart)
  }
}
