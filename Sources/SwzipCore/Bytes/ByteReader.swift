/// Reads wire structures (spec/FORMAT.md, section 1): every read is checked, nothing is trusted.
package struct ByteReader: ~Escapable {
  let bytes: RawSpan
  /// Offset of the next byte in `bytes`.
  package private(set) var offset = 0
  /// Where `bytes` begins in the container, for errors.
  private let origin: UInt64

  @_lifetime(copy bytes)
  package init(_ bytes: RawSpan, at origin: UInt64) {
    self.bytes = bytes
    self.origin = origin
  }

  package var remaining: Int { bytes.byteCount - offset }
  package var position: UInt64 { origin + UInt64(offset) }

  package func failure(_ rule: SwzipError.Rule, _ kind: SwzipError.Kind = .corrupt) -> SwzipError {
    SwzipError(kind, rule, at: position)
  }

  package mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type) throws(SwzipError) -> T {
    let byteCount = T.bitWidth / 8
    guard remaining >= byteCount else { throw failure(.truncated) }
    // In bounds by the check above; any bit pattern is an integer.
    let value = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
    offset += byteCount
    return T(littleEndian: value)
  }

  /// Unsigned LEB128 in its shortest form, below 2^63.
  package mutating func varint() throws(SwzipError) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<9 {
      let byte = try integer(UInt8.self)
      value |= UInt64(byte & 0x7F) << UInt64(7 * index)
      if byte < 0x80 {
        guard byte != 0 || index == 0 else { throw failure(.varint) }
        return value
      }
    }
    throw failure(.varint)
  }

  /// A signed number as a varint: 2 × n, or −2 × n − 1 below zero.
  package mutating func zigzag() throws(SwzipError) -> Int64 {
    let value = Int64(bitPattern: try varint())
    return value >> 1 ^ -(value & 1)
  }

  /// A varint that counts things of at least `itemBytes` bytes each in what is left.
  package mutating func count(itemBytes: Int, atMost limit: Int) throws(SwzipError) -> Int {
    let value = try varint()
    guard value <= UInt64(limit) else { throw failure(.limit) }
    guard value <= UInt64(remaining / itemBytes) else { throw failure(.truncated) }
    return Int(value)
  }

  package mutating func array(_ byteCount: Int) throws(SwzipError) -> [UInt8] {
    guard byteCount >= 0, remaining >= byteCount else { throw failure(.truncated) }
    let start = offset
    offset += byteCount
    // All empty arrays share memory, which the initializer would write to.
    guard byteCount > 0 else { return [] }
    // In bounds by the check above.
    return unsafe [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, count in
      for index in 0..<byteCount {
        unsafe buffer.initializeElement(
          at: index, to: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: start + index, as: UInt8.self))
      }
      count = byteCount
    }
  }

  package mutating func string(_ byteCount: Int) throws(SwzipError) -> String {
    let position = self.position
    guard let text = String(validating: try array(byteCount), as: UTF8.self) else {
      throw SwzipError(.corrupt, .name, at: position)
    }
    return text
  }

  /// Reserved bytes: anything but zero was written by a newer version.
  package mutating func reserved(_ byteCount: Int) throws(SwzipError) {
    for _ in 0..<byteCount {
      guard try integer(UInt8.self) == 0 else { throw failure(.reservedBits, .unsupported) }
    }
  }

  /// The rest must be padding: fewer than 16 zero bytes.
  package mutating func padding() throws(SwzipError) {
    guard remaining < 16 else { throw failure(.padding) }
    while remaining > 0 {
      guard try integer(UInt8.self) == 0 else { throw failure(.padding) }
    }
  }
}
