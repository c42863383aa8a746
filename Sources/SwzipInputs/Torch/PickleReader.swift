internal import SwzipCore

/// Why a pickle was not read to its end.
enum PickleFault: Error {
  case truncated
  /// Not what the pickler of Python or torch writes for tensors, or more of it than `PickleMachine` takes.
  case unusual
  case input(SwzipError)
}

/// Takes the operands of a pickle's opcodes (Lib/pickletools.py of CPython names them), a piece of the file at a time: what
/// is stepped over is not read, so that a pickle may hold arrays of any size.
struct PickleReader {
  /// Longer texts are neither names nor numbers.
  static let mostTextBytes = 1024
  private static let stepBytes = 1 << 16

  /// Up to as many bytes of the file as are asked for, from a place on.
  private let fetch: (UInt64, Int) throws(SwzipError) -> [UInt8]
  private let end: UInt64
  private var buffer: [UInt8] = []
  private var index = 0
  /// Where the buffer begins in the file.
  private var start: UInt64
  private let origin: UInt64
  private var skipped: UInt64 = 0

  /// Reads from `offset` on; nothing behind `end`.
  init<Input: InputBytes>(_ window: InputWindow<Input>, at offset: UInt64, end: UInt64) {
    start = offset
    origin = offset
    self.end = end
    let isPipe = window.input.byteCount == nil
    fetch = { offset, count throws(SwzipError) in
      // Of a pipe all bytes so far are copied: it is asked seldom.
      try window.front(at: offset, count: isPipe ? max(count, Int(offset)) : count)
    }
  }

  /// The place in the file of the next byte.
  var offset: UInt64 { start + UInt64(index) }

  /// Bytes so far, without those that were stepped over.
  var readByteCount: UInt64 { offset - origin - skipped }

  private mutating func need(_ count: Int) throws(PickleFault) {
    guard buffer.count - index < count else { return }
    let place = offset
    guard place <= end, UInt64(count) <= end - place else { throw .truncated }
    do throws(SwzipError) {
      buffer = try fetch(place, Int(min(UInt64(max(count, Self.stepBytes)), end - place)))
    } catch {
      throw .input(error)
    }
    (start, index) = (place, 0)
    guard buffer.count >= count else { throw .truncated }
  }

  /// Steps over `count` bytes and returns where they begin.
  mutating func skip(_ count: UInt64) throws(PickleFault) -> UInt64 {
    let place = offset
    guard place <= end, count <= end - place else { throw .truncated }
    if count <= UInt64(buffer.count - index) {
      index += Int(count)
    } else {
      (buffer, start, index) = ([], place + count, 0)
    }
    skipped += count
    return place
  }

  /// The next `count` bytes: few, such as operands and short texts.
  mutating func bytes(_ count: Int) throws(PickleFault) -> ArraySlice<UInt8> {
    try need(count)
    defer { index += count }
    return buffer[index..<(index + count)]
  }

  mutating func byte() throws(PickleFault) -> UInt8 {
    try need(1)
    defer { index += 1 }
    return buffer[index]
  }

  /// A little-endian integer of `byteCount` bytes, at most 8.
  mutating func integer(_ byteCount: Int) throws(PickleFault) -> UInt64 {
    try bytes(byteCount).littleEndianInteger
  }

  /// A two's complement little-endian integer of any length; nil where it takes more than 64 bits.
  mutating func signed(_ byteCount: UInt64) throws(PickleFault) -> Int64? {
    guard byteCount <= 8 else {
      _ = try skip(byteCount)
      return nil
    }
    if byteCount == 0 { return 0 }
    let unused = 64 - 8 * byteCount
    return Int64(bitPattern: try integer(Int(byteCount)) << unused) >> Int64(unused)
  }

  /// What comes before the next line feed, which is taken too; no more than a little above `mostTextBytes` of it.
  mutating func line() throws(PickleFault) -> ArraySlice<UInt8> {
    var line: ArraySlice<UInt8> = []
    while true {
      try need(1)
      let rest = buffer[index...]
      let stop = rest.firstIndex(of: 0x0A)
      line += rest[..<(stop ?? rest.endIndex)].prefix(max(0, Self.mostTextBytes + 8 - line.count))
      index = stop.map { $0 + 1 } ?? buffer.count
      if stop != nil { return line }
    }
  }

  /// A decimal number on a line of its own.
  mutating func decimal() throws(PickleFault) -> Int64? {
    let line = try self.line()
    return line.count <= 20 ? Int64(String(decoding: line, as: UTF8.self)) : nil
  }
}
