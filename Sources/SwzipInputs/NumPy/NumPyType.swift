internal import SwzipCore

/// An element type of NumPy: how its values are coded, and how many of them make an element.
struct NumPyType: Equatable {
  /// `.bytes` where swzip knows no type for the values.
  var elementType: ElementType
  /// Two of a complex number that has no type of its own; as many as it has bytes of an unknown one.
  var valuesPerElement: UInt64 = 1

  /// By the description in a header: byte order, kind, bytes. Nil where the length of an element is not known: objects,
  /// structures.
  init?(_ description: String) {
    let kind = description.drop { "<>=|".contains($0) }
    let order = description.count == kind.count ? "=" : description.prefix(1)
    guard let letter = kind.first, let byteCount = UInt64(kind.dropFirst().prefix { $0 != "[" }), byteCount < 1 << 32
    else { return nil }
    if let type = ElementType(numPy: order + kind) {
      elementType = type
    } else if kind == "c16" {
      (elementType, valuesPerElement) = (order == ">" ? .f64BE : .f64, 2)
    } else if "biufcmMSaVU".contains(letter) {
      (elementType, valuesPerElement) = (.bytes, letter == "U" ? 4 * byteCount : byteCount)
    } else {
      return nil
    }
  }

  private init(_ elementType: ElementType, _ valuesPerElement: UInt64) {
    self.elementType = elementType
    self.valuesPerElement = valuesPerElement
  }

  /// The same with the high byte first.
  var bigEndian: NumPyType {
    NumPyType(elementType.bigEndian ?? elementType, valuesPerElement)
  }

  /// An array of this type; an element of several values is one more dimension. Nil where its length makes no sense.
  func record(_ name: String, _ shape: [UInt64], at offset: UInt64) -> TensorRecord? {
    let shape = valuesPerElement == 1 ? shape : shape + [valuesPerElement]
    guard shape.count <= Limits.rank, let byteCount = TensorRecord.byteCount(of: elementType, shape: shape),
      byteCount < 1 << 62
    else { return nil }
    return TensorRecord(name: name, elementType: elementType, shape: shape, offset: offset, byteCount: byteCount)
  }
}

extension ElementType {
  /// The type of values that NumPy describes so, with a byte order; nil if swzip knows none.
  init?(numPy description: some StringProtocol) {
    switch description.dropFirst() {
    case "b1": self = .bool
    case "i1": self = .i8
    // To NumPy the types of ml_dtypes are raw bytes, or floats of one byte, of which the kind does not show.
    case "u1", "V1", "f1": self = .u8
    case "f2": self = .f16
    case "f4": self = .f32
    case "f8": self = .f64
    case "c8": self = .c64
    case "i2": self = .i16
    case "u2", "V2": self = .u16
    case "i4": self = .i32
    case "u4": self = .u32
    case "i8": self = .i64
    case "u8": self = .u64
    default: return nil
    }
    if description.hasPrefix(">"), let bigEndian { self = bigEndian }
  }
}
