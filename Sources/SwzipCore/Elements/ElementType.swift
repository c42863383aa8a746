/// Element types (spec/FORMAT.md, section 6): numbers of one value each, and the block types of ggml, whose value is a
/// whole block of elements (`BlockLayout`).
@nonexhaustive public enum ElementType: UInt8, Sendable, CaseIterable {
  case bytes = 0
  case bf16, f16, f32, f64, f8e4m3, f8e5m2, f8e8m0, f8e4m3fnuz, f8e5m2fnuz
  case i8, u8, i16, u16, i32, u32, i64, u64, bool, c64, f4, f6e2m3, f6e3m2
  // Bytes in the other order: 32 and the code of the type.
  case bf16BE = 33
  case f16BE, f32BE, f64BE
  case i16BE = 44
  case u16BE, i32BE, u32BE, i64BE, u64BE
  case c64BE = 51
  // ggml's: 64 and the id of the type there.
  case q40 = 66
  case q41 = 67
  case q50 = 70
  case q51, q80, q81, q2K, q3K, q4K, q5K, q6K, q8K
  case iq2XXS, iq2XS, iq3XXS, iq1S, iq4NL, iq3S, iq2S, iq4XS
  case iq1M = 93
  case tq10 = 98
  case tq20
  case mxfp4 = 103
  case nvfp4, q10, q20

  static let firstBlockCode: UInt8 = 64
  private static let swappedCode: UInt8 = 32

  /// The name that safetensors uses, or ggml.
  public var name: String {
    switch self {
    case .bytes: "BYTES"
    case .bf16: "BF16"
    case .f16: "F16"
    case .f32: "F32"
    case .f64: "F64"
    case .f8e4m3: "F8_E4M3"
    case .f8e5m2: "F8_E5M2"
    case .f8e8m0: "F8_E8M0"
    case .f8e4m3fnuz: "F8_E4M3FNUZ"
    case .f8e5m2fnuz: "F8_E5M2FNUZ"
    case .i8: "I8"
    case .u8: "U8"
    case .i16: "I16"
    case .u16: "U16"
    case .i32: "I32"
    case .u32: "U32"
    case .i64: "I64"
    case .u64: "U64"
    case .bool: "BOOL"
    case .c64: "C64"
    case .f4: "F4"
    case .f6e2m3: "F6_E2M3"
    case .f6e3m2: "F6_E3M2"
    default: isSwapped ? native.name + "_BE" : block?.name ?? ""
    }
  }

  /// The types that safetensors files have, in the order of their codes.
  public static let safetensors: [ElementType] = allCases.filter { $0 != .bytes && !$0.isBlock && !$0.isSwapped }

  public init?(safetensorsName name: String) {
    guard name.utf8.count <= 16, let match = Self.safetensors.first(where: { $0.name == name }) else { return nil }
    self = match
  }

  /// The block type with this id in ggml, nil if ggml has none; its plain types have codes of their own here.
  public init?(ggmlBlock id: UInt32) {
    guard id < 0x40, let type = Self(rawValue: Self.firstBlockCode + UInt8(id)) else { return nil }
    self = type
  }

  /// Bits of one value; of a block type, bits of a block.
  public var bitCount: Int {
    switch native {
    case .f64, .i64, .u64, .c64: 64
    case .f32, .i32, .u32: 32
    case .bf16, .f16, .i16, .u16: 16
    case .f6e2m3, .f6e3m2: 6
    case .f4: 4
    default: block.map { 8 * $0.byteCount } ?? 8
    }
  }

  /// Whether values have a sign.
  package var isSigned: Bool {
    switch native {
    case .bytes, .f8e8m0, .u8, .u16, .u32, .u64, .bool: false
    default: true
    }
  }

  private var isInteger: Bool {
    switch self {
    case .i8, .i16, .i32, .i64: true
    default: false
    }
  }

  /// Grows with the magnitude of a value of a signed type, given as its bits.
  package func magnitude(_ bits: UInt64) -> UInt64 {
    let sign = UInt64(1) << UInt64(bitCount - 1)
    guard bits & sign != 0 else { return bits }
    return isInteger ? (~bits &+ 1) & (sign | (sign - 1)) : bits ^ sign
  }
  /// Elements that one value holds: more than one in a block type.
  public var elementsPerValue: Int { block?.elementCount ?? 1 }

  /// Bytes of one value of a segment.
  package var width: Int { max(1, bitCount / 8) }

  package var isBlock: Bool { rawValue >= Self.firstBlockCode }

  /// Whether values are big-endian.
  package var isSwapped: Bool { rawValue & ~31 == Self.swappedCode }
  /// The same type in little-endian order.
  package var native: ElementType { isSwapped ? ElementType(rawValue: rawValue - Self.swappedCode) ?? self : self }
  /// The same type in big-endian order; nil where there is none.
  package var bigEndian: ElementType? {
    rawValue < Self.swappedCode ? ElementType(rawValue: rawValue + Self.swappedCode) : nil
  }
  /// Bytes that stand in the other order: a value, of complex numbers each part.
  var swappedUnit: Int { native == .c64 ? 4 : width }
}
