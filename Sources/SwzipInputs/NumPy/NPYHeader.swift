import SwzipCore
internal import SwzipNames

/// The header of an npy file (NumPy's format.py): magic, version, length, and a Python dictionary of three entries.
struct NPYHeader: Equatable {
  /// The type of an element as NumPy writes it: "<f4".
  var description = ""
  var isFortranOrder = false
  var shape: [UInt64] = []

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let mostBytes = 1 << 20

  /// Reads a header, and leaves the cursor at the data. Nil for anything unusual, structured types too.
  static func read(_ cursor: inout InputCursor<some InputBytes>) throws(SwzipError) -> NPYHeader? {
    guard try cursor.bytes(6) == magic, let major = try cursor.integer(UInt8.self), 1...3 ~= major,
      try cursor.integer(UInt8.self) == 0
    else { return nil }
    let length =
      major == 1 ? try cursor.integer(UInt16.self).map(Int.init) : try cursor.integer(UInt32.self).map(Int.init)
    guard let length, length <= mostBytes, let text = try cursor.bytes(length) else { return nil }
    var literal = PythonLiteral(text)
    return literal.header()
  }
}

/// The part of Python's literals that NumPy's headers consist of.
private struct PythonLiteral {
  private let text: [UInt8]
  private var offset = 0

  init(_ text: [UInt8]) { self.text = text }

  mutating func header() -> NPYHeader? {
    var header = NPYHeader()
    var seen = Set<Exact>()
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), seen.insert(Exact(key)).inserted, take(":") else { return nil }
      switch key {
      case "descr":
        guard let value = string() else { return nil }
        header.description = value
      case "fortran_order":
        guard let value = boolean() else { return nil }
        header.isFortranOrder = value
      case "shape":
        guard let value = tuple() else { return nil }
        header.shape = value
      default: return nil
      }
      guard take(",") || text[min(offset, text.count - 1)] == UInt8(ascii: "}") else { return nil }
    }
    skipSpace()
    return seen.count == 3 && offset == text.count ? header : nil
  }

  private mutating func skipSpace() {
    while offset < text.count, text[offset] == 0x20 || text[offset] == 0x0A { offset += 1 }
  }

  private mutating func take(_ word: String) -> Bool {
    skipSpace()
    guard text[offset...].starts(with: word.utf8) else { return false }
    offset += word.utf8.count
    return true
  }

  private mutating func string() -> String? {
    guard take("'"), let end = text[offset...].firstIndex(of: UInt8(ascii: "'")) else { return nil }
    defer { offset = end + 1 }
    return String(validating: text[offset..<end], as: UTF8.self)
  }

  private mutating func boolean() -> Bool? { take("True") ? true : take("False") ? false : nil }

  private mutating func tuple() -> [UInt64]? {
    guard take("(") else { return nil }
    var values: [UInt64] = []
    while !take(")") {
      guard values.count < Limits.rank, let value = integer() else { return nil }
      values.append(value)
      guard take(",") || text[min(offset, text.count - 1)] == UInt8(ascii: ")") else { return nil }
    }
    return values
  }

  private mutating func integer() -> UInt64? {
    skipSpace()
    let start = offset
    while offset < text.count, 0x30...0x39 ~= text[offset] { offset += 1 }
    return UInt64(String(decoding: text[start..<offset], as: UTF8.self))
  }
}
