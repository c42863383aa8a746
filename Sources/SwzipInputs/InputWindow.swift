internal import SwzipCore

extension Limits {
  /// Bytes of a pipe that are kept for a header at most.
  static let keptBytes = 64 << 20
}

/// Reads parts of an input at any offset, a few KiB at a time; of a pipe, its front only.
struct InputWindow<Input: InputBytes> {
  /// Bytes that are read together: elsewhere in the file, and where reading goes on.
  private static var leapBytes: UInt64 { 4096 }
  private static var stepBytes: UInt64 { 65_536 }

  let input: Input
  private var start: UInt64 = 0
  private var bytes: [UInt8] = []

  init(_ input: Input) { self.input = input }

  /// `count` bytes at `offset`; nil where the input, or the front of a pipe, ends before.
  mutating func read(at offset: UInt64, count: Int) throws(SwzipError) -> ArraySlice<UInt8>? {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= input.byteCount ?? UInt64(Limits.keptBytes) else { return nil }
    if offset < start || end > start + UInt64(bytes.count) {
      if input.byteCount == nil {
        bytes = try input.peek(min(Limits.keptBytes, max(Int(Self.stepBytes), 2 * bytes.count, Int(end))))
      } else {
        let goesOn = !bytes.isEmpty && start...(start + UInt64(bytes.count)) ~= offset
        start = goesOn ? offset : offset / Self.leapBytes * Self.leapBytes
        bytes = try input.bytes(at: start, count: Int(max(end - start, goesOn ? Self.stepBytes : Self.leapBytes)))
      }
      guard end <= start + UInt64(bytes.count) else { return nil }
    }
    return bytes[Int(offset - start)..<Int(end - start)]
  }

  /// Up to `count` bytes at `offset`, fewer where the input, or the front of a pipe, ends before.
  func front(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    if input.byteCount != nil { return try input.bytes(at: offset, count: count) }
    guard offset < UInt64(Limits.keptBytes) else { return [] }
    return Array(try input.peek(min(Limits.keptBytes, Int(offset) + count)).dropFirst(Int(offset)))
  }
}
