internal import SwzipNames

/// Reads the small JSON of model headers: strict, one pass, bounded depth, nothing kept of what is skipped. `nil` from any
/// call means "not what we know": the file is then packed as plain bytes.
struct JSONReader {
  private let bytes: [UInt8]
  private(set) var offset: Int
  private static let mostDepth = 4

  init(_ bytes: [UInt8], from offset: Int) {
    self.bytes = bytes
    self.offset = offset
  }

  /// Whether only white space is left.
  mutating func isAtEnd() -> Bool {
    skipSpace()
    return offset == bytes.count
  }

  private mutating func skipSpace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x09, 0x0A, 0x0D: offset += 1
      default: return
      }
    }
  }

  /// Takes one punctuation byte.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    skipSpace()
    guard offset < bytes.count, bytes[offset] == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  /// A JSON object; `entry` is called after each key and must read the value.
  mutating func object(_ entry: (inout JSONReader, Exact) -> Bool) -> Bool {
    guard take("{") else { return false }
    if take("}") { return true }
    var keys = Set<Exact>()
    repeat {
      guard let key = string().map({ Exact($0) }), keys.insert(key).inserted, take(":"), entry(&self, key) else {
        return false
      }
    } while take(",")
    return take("}")
  }

  /// An array of plain non-negative integers below 2^63.
  mutating func integers(atMost limit: Int) -> [UInt64]? {
    guard take("[") else { return nil }
    var values: [UInt64] = []
    if take("]") { return values }
    repeat {
      guard values.count < limit, let value = integer() else { return nil }
      values.append(value)
    } while take(",")
    return take("]") ? values : nil
  }

  mutating func integer() -> UInt64? {
    skipSpace()
    let start = offset
    var value: UInt64 = 0
    while offset < bytes.count, bytes[offset] >= 0x30, bytes[offset] <= 0x39 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      guard !overflow, product < 1 << 63 else { return nil }
      value = product + UInt64(bytes[offset] - 0x30)
      offset += 1
    }
    let digits = offset - start
    guard digits > 0, digits == 1 || bytes[start] != 0x30, value < 1 << 63 else { return nil }
    return value
  }

  mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text: [UInt8] = []
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        guard let scalar = escape() else { return nil }
        text += Array(String(scalar).utf8)
      case 0..<0x20: return nil
      default: text.append(byte)
      }
    }
    return nil
  }

  private mutating func escape() -> Unicode.Scalar? {
    guard offset < bytes.count else { return nil }
    let letter = bytes[offset]
    offset += 1
    switch letter {
    case UInt8(ascii: "\""): return "\""
    case UInt8(ascii: "\\"): return "\\"
    case UInt8(ascii: "/"): return "/"
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"):
      guard let unit = hexUnit() else { return nil }
      guard unit & 0xFC00 == 0xD800 else { return Unicode.Scalar(unit) }
      guard take2("\\", "u"), let low = hexUnit(), low & 0xFC00 == 0xDC00 else { return nil }
      return Unicode.Scalar(0x10000 + ((unit & 0x3FF) << 10 | low & 0x3FF))
    default: return nil
    }
  }

  private mutating func take2(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Bool {
    guard offset + 2 <= bytes.count, bytes[offset] == UInt8(ascii: first), bytes[offset + 1] == UInt8(ascii: second)
    else { return false }
    offset += 2
    return true
  }

  private mutating func hexUnit() -> UInt32? {
    guard offset + 4 <= bytes.count else { return nil }
    var value: UInt32 = 0
    for byte in bytes[offset..<(offset + 4)] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
      value = value << 4 | UInt32(digit)
    }
    offset += 4
    return value
  }

  /// Skips any value.
  mutating func skipValue(depth: Int = 0) -> Bool {
    guard depth <= Self.mostDepth else { return false }
    skipSpace()
    guard offset < bytes.count else { return false }
    switch bytes[offset] {
    case UInt8(ascii: "\""): return skipString()
    case UInt8(ascii: "{"):
      offset += 1
      if take("}") { return true }
      repeat {
        guard skipString(), take(":"), skipValue(depth: depth + 1) else { return false }
      } while take(",")
      return take("}")
    case UInt8(ascii: "["):
      offset += 1
      if take("]") { return true }
      repeat {
        guard skipValue(depth: depth + 1) else { return false }
      } while take(",")
      return take("]")
    default:
      let start = offset
      while offset < bytes.count, Self.isPlain(bytes[offset]) { offset += 1 }
      return offset > start
    }
  }

  /// Whether numbers, `true`, `false` and `null` have that byte.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "E"): true
    default: false
    }
  }

  /// Steps over a string without keeping it.
  private mutating func skipString() -> Bool {
    guard take("\"") else { return false }
    while offset < bytes.count {
      let byte = bytes[offset]
      offset += 1
      switch byte {
      case UInt8(ascii: "\""): return true
      case UInt8(ascii: "\\"): if escape() == nil { return false }
      case 0..<0x20: return false
      default: break
      }
    }
    return false
  }
}
