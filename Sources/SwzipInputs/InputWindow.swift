internal import SwzipCore

/// Reads small structures of an input at any offset, a few KiB at a time; of a pipe, its front only.
struct InputWindow<Input: InputBytes> {
  /// Bytes of a pipe that are kept for a header at most.
  static var mostFrontBytes: Int { 64 << 20 }
  private static var windowBytes: UInt64 { 4096 }

  let input: Input
  private var start: UInt64 = 0
  private var bytes: [UInt8] = []

  init(_ input: Input) { self.input = input }

  /// `count` bytes at `offset`; nil where the input, or the front of a pipe, ends before.
  mutating func read(at offset: UInt64, count: Int) throws(SwzipError) -> ArraySlice<UInt8>? {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= input.byteCount ?? UInt64(Self.mostFrontBytes) else { return nil }
    if offset < start || end > start + UInt64(bytes.count) {
      if input.byteCount == nil {
        bytes = try input.peek(min(Self.mostFrontBytes, max(65_536, 2 * bytes.count, Int(end))))
      } else {
        start = offset / Self.windowBytes * Self.windowBytes
        bytes = try input.bytes(at: start, count: Int(max(end - start, Self.windowBytes)))
      }
      guard end <= start + UInt64(bytes.count) else { return nil }
    }
    return bytes[Int(offset - start)..<Int(end - start)]
  }

  /// Reads a structure at `offset` whose length only it knows: tries with more and more bytes until `parse` no longer
  /// throws `PickleFault.truncated`. Nil where it finds the structure unusual, or no end.
  mutating func parse<Parsed>(
    at offset: UInt64, _ parse: ([UInt8]) throws(PickleFault) -> Parsed
  ) throws(SwzipError) -> Parsed? {
    var count = 65_536
    while true {
      let bytes = try front(at: offset, count: count)
      do throws(PickleFault) {
        return try parse(bytes)
      } catch .truncated where bytes.count == count && count < Self.mostFrontBytes {
        count = min(4 * count, Self.mostFrontBytes)
      } catch {
        return nil
      }
    }
  }

  /// Up to `count` bytes at `offset`.
  private func front(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    if input.byteCount != nil { return try input.bytes(at: offset, count: count) }
    guard offset < UInt64(Self.mostFrontBytes) else { return [] }
    return Array(try input.peek(min(Self.mostFrontBytes, Int(offset) + count)).dropFirst(Int(offset)))
  }
}
