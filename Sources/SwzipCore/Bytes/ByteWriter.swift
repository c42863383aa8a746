/// Writes wire structures; the mirror of `ByteReader`.
package struct ByteWriter {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  package mutating func integer<T: FixedWidthInteger>(_ value: T) {
    var rest = value.littleEndian
    for _ in 0..<(T.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  /// A signed number, at most 62 bits of it.
  package mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  package mutating func array(_ values: [UInt8]) { bytes += values }

  package mutating func zeros(_ count: Int) { bytes += repeatElement(0, count: count) }

  /// Takes back what was written after the first `count` bytes.
  package mutating func cut(to count: Int) { bytes.removeLast(bytes.count - count) }

  /// Zero bytes up to the next multiple of 16.
  package mutating func pad() { zeros(-bytes.count & 15) }
}
