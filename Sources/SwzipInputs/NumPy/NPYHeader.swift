import SwzipCore
internal import SwzipNames

/// The header of an npy file (NumPy's format.py): magic, version, length, and a Python dictionary.
struct NPYHeader: Equatable {
  /// The type of an element as NumPy writes it: "<f4". Nil if it is a structure.
  var description: String?
  var isFortranOrder = false
  var shape: [UInt64] = []

  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let mostBytes = 1 << 20
  private static let mostDescriptionBytes = 256

  /// Reads a header, and leaves the cursor at the data. Nil if it is damaged.
  static func read(_ cursor: inout InputCursor<some InputBytes>) throws(SwzipError) -> NPYHeader? {
    guard try cursor.bytes(6) == magic, let major = try cursor.integer(UInt8.self), 1...3 ~= major,
      try cursor.integer(UInt8.self) != nil
    else { return nil }
    let length =
      major == 1 ? try cursor.integer(UInt16.self).map(Int.init) : try cursor.integer(UInt32.self).map(Int.init)
    guard let length, length <= mostBytes, let text = try cursor.bytes(length) else { return nil }
    return NPYHeader(text)
  }

  /// Entries that are not known are stepped over.
  init?(_ text: [UInt8]) {
    var literal = PythonLiteral(text)
    var hasShape = false
    let good = literal.dictionary { literal, key in
      let start = literal
      switch key {
      case "descr":
        // What is longer is no type that is known, and would take long to look at.
        description = literal.string().flatMap { $0.utf8.count <= Self.mostDescriptionBytes ? $0 : nil }
        if description != nil { return true }
      case "fortran_order":
        guard let value = literal.boolean() else { return false }
        isFortranOrder = value
        return true
      case "shape":
        guard let value = literal.integers(atMost: Limits.rank) else { return false }
        shape = value
        hasShape = true
        return true
      default: break
      }
      literal = start
      return literal.skipValue()
    }
    guard good, hasShape, literal.isAtEnd() else { return nil }
  }
}
