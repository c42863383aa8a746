import SwzipCore

/// Walks an input: takes what it is asked for, and steps over the rest. Nil from a call: the file ends there, or a pipe
/// would have to be kept too far.
struct InputCursor<Input: InputBytes> {
  private(set) var window: InputWindow<Input>
  private(set) var offset: UInt64

  init(_ input: Input, at offset: UInt64 = 0) {
    window = InputWindow(input)
    self.offset = offset
  }

  mutating func bytes(_ count: Int) throws(SwzipError) -> [UInt8]? { try take(count).map(Array.init) }

  /// An integer, little-endian.
  mutating func integer<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) throws(SwzipError) -> T? {
    try take(T.bitWidth / 8).map { T(truncatingIfNeeded: $0.littleEndianInteger) }
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
    guard !overflow, end <= window.input.byteCount ?? UInt64(Limits.keptBytes) else { return false }
    offset = end
    return true
  }

  /// Goes to a place in the file.
  mutating func seek(_ place: UInt64) { offset = place }

  private mutating func take(_ count: Int) throws(SwzipError) -> ArraySlice<UInt8>? {
    guard let bytes = try window.read(at: offset, count: count) else { return nil }
    offset += UInt64(count)
    return bytes
  }
}
