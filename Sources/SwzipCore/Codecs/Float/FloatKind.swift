package import CSwzipKernels

/// The float descriptions that have kernels (spec/codecs/float.md).
package struct FloatKind: Equatable, Sendable {
  package let kernel: swzip_float_kind
  /// J, as the segment frame says it: with bit 7 the sign is no part of the raw bits.
  package let mantissaBits: UInt8

  package static let unsigned: UInt8 = 0x80
  package var isUnsigned: Bool { mantissaBits & Self.unsigned != 0 }

  /// Nil where the type has no float codec or not with that J.
  package init?(_ elementType: ElementType, mantissaBits: UInt8) {
    self.mantissaBits = mantissaBits
    switch (elementType.native, mantissaBits) {
    case (.bf16, 0): kernel = SWZIP_BF16_J0
    case (.bf16, 1): kernel = SWZIP_BF16_J1
    case (.f16, 1): kernel = SWZIP_F16_J1
    case (.f8e4m3, 1): kernel = SWZIP_E4M3_J1
    case (.f8e5m2, 1): kernel = SWZIP_E5M2_J1
    case (.f32, 0): kernel = SWZIP_F32_J0
    case (.f32, 1): kernel = SWZIP_F32_J1
    case (.bf16, 2): kernel = SWZIP_BF16_J2
    case (.f16, 2): kernel = SWZIP_F16_J2
    case (.f32, 2): kernel = SWZIP_F32_J2
    case (.bf16, Self.unsigned | 1): kernel = SWZIP_BF16_U1
    case (.f32, Self.unsigned | 1): kernel = SWZIP_F32_U1
    default: return nil
    }
  }

  /// The kind of the effort's J, or of a smaller one if the window would miss a value of a sample:
  /// optimizer moments span more octaves than weights.
  static func best(for values: UnsafeRawBufferPointer, _ elementType: ElementType, effort: Effort) -> FloatKind? {
    if let kind = FloatKind(elementType, mantissaBits: unsigned | 1), effort.level >= 3, unsafe kind.hasNoSigns(values)
    {
      return kind
    }
    var mantissaBits = effort.mantissaBits(of: elementType)
    while let kind = FloatKind(elementType, mantissaBits: mantissaBits) {
      if mantissaBits < 2 { return kind }
      if unsafe !kind.windowMisses(values) { return kind }
      mantissaBits -= 1
    }
    return nil
  }

  /// The field of value `index`.
  func field(_ values: UnsafeRawBufferPointer, _ index: Int) -> UInt32 {
    let part = UInt32(unsafe swzip_float_coded_part(kernel, values.baseAddress!, UInt32(index)))
    return (isUnsigned ? part & 0x7FFF : part << 1 & 0xFFFF) >> rawBits
  }

  /// Whether no value of a sample of about 4,096 is negative, and some are not zero.
  private func hasNoSigns(_ values: UnsafeRawBufferPointer) -> Bool {
    let count = values.count / width
    var all: UInt16 = 0
    for index in stride(from: 0, to: count, by: max(1, count / 4096)) {
      unsafe all |= swzip_float_coded_part(kernel, values.baseAddress!, UInt32(index))
      if all >= 0x8000 { return false }
    }
    return all != 0
  }

  /// Whether a value of a sample of about 4,096 has a field below a window that ends with the largest: each would be a patch
  /// of 48 bits, more than a second mantissa bit in the symbols of all others saves.
  private func windowMisses(_ values: UnsafeRawBufferPointer) -> Bool {
    guard hasWindow else { return false }
    let count = values.count / width
    var fields: [UInt32] = []
    for index in stride(from: 0, to: count, by: max(1, count / 4096)) {
      fields.append(unsafe field(values, index))
    }
    let top = fields.max() ?? 0
    return fields.contains { $0 != 0 && $0 + 255 <= top + windowMargin }
  }

  /// Fields that a window is to reach above the largest of a sample: twelve octaves.
  var windowMargin: UInt32 { 12 << UInt32(mantissaBits & 3) }

  package static func == (a: Self, b: Self) -> Bool { a.kernel.rawValue == b.kernel.rawValue }

  package var width: Int { Int(swzip_float_width(kernel)) }
  package var shift: UInt32 { swzip_float_shift(kernel) }
  /// Symbols that stand for a field.
  package var symbolCount: Int { 256 >> Int(shift) }
  package var isWide: Bool { width == 4 }
  /// Whether blocks may be of mode fixed4.
  var hasFixed4: Bool { kernel.rawValue == SWZIP_BF16_J0.rawValue }
  /// Whether fields have more than eight bits: then only those in a window of 255 have symbols.
  package var hasWindow: Bool { largestWindowBase > 0 }
  /// A window of 255 fields that begins here reaches all above: 0 with eight bits or fewer, 256 with nine, 768 with ten.
  package var largestWindowBase: Int {
    width == 1 || shift > 0 ? 0 : (1 << (16 - Int(rawBits) - (isUnsigned ? 1 : 0))) - 256
  }
  package var rawBits: UInt32 { swzip_float_raw_bits(kernel) }

  package func rawPlaneBytes(_ count: Int) -> Int { swzip_raw_plane_bytes(kernel, UInt32(count)) }
}
