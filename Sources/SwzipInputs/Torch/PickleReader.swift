internal import SwzipCore

/// Why a pickle was not read to its end.
enum PickleFault: Error {
  case truncated
  /// Not what the pickler of Python or torch writes for tensors, or more of it than `PickleMachine` takes.
  case unusual
}

/// Takes the operands of a pickle's opcodes (Lib/pickletools.py of CPython names them).
struct PickleReader {
  let bytes: [UInt8]
  private(set) var offset: Int

  init(_ bytes: [UInt8], from offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// The next `count` bytes, as a range of `bytes`.
  mutating func take(_ count: UInt64) throws(PickleFault) -> Range<Int> {
    guard count <= UInt64(bytes.count - offset) else { throw .truncated }
    defer { offset += Int(count) }
    return offset..<(offset + Int(count))
  }

  mutating func byte() throws(PickleFault) -> UInt8 {
    guard offset < bytes.count else { throw .truncated }
    defer { offset += 1 }
    return bytes[offset]
  }

  /// A little-endian integer of `byteCount` bytes, at most 8.
  mutating func integer(_ byteCount: Int) throws(PickleFault) -> UInt64 {
    bytes[try take(UInt64(byteCount))].littleEndianInteger
  }

  /// A two's complement little-endian integer of any length; nil where it takes more than 64 bits.
  mutating func signed(_ byteCount: UInt64) throws(PickleFault) -> Int64? {
    let range = try take(byteCount)
    guard range.count <= 8 else { return nil }
    if range.isEmpty { return 0 }
    let unused = UInt64(64 - 8 * range.count)
    let value = Int64(bitPattern: bytes[range].littleEndianInteger << unused) >> Int64(unused)
    return value
  }

  /// Text that follows its length, an integer of `byteCount` bytes.
  mutating func counted(_ byteCount: Int) throws(PickleFault) -> Range<Int> { try take(try integer(byteCount)) }

  /// Text up to a line feed, which is taken too.
  mutating func line() throws(PickleFault) -> Range<Int> {
    guard let end = bytes[offset...].firstIndex(of: 0x0A) else { throw .truncated }
    defer { offset = end + 1 }
    return offset..<end
  }

  /// A decimal number on a line of its own.
  mutating func decimal() throws(PickleFault) -> Int64? {
    let line = try self.line()
    return line.count <= 20 ? Int64(String(decoding: bytes[line], as: UTF8.self)) : nil
  }
}

extension InputWindow {
  /// Reads a structure at `offset` whose length only it knows: tries with more and more bytes until `parse` no longer
  /// throws `PickleFault.truncated`. Nil where it finds the structure unusual, or no end.
  func parse<Parsed>(
    at offset: UInt64, _ parse: ([UInt8]) throws(PickleFault) -> Parsed
  ) throws(SwzipError) -> Parsed? {
    var count = 65_536
    while true {
      let bytes = try front(at: offset, count: count)
      do throws(PickleFault) {
        return try parse(bytes)
      } catch .truncated where bytes.count == count && count < Limits.keptBytes {
        count = min(4 * count, Limits.keptBytes)
      } catch {
        return nil
      }
    }
  }
}
