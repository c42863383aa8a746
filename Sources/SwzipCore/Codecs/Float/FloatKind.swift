package import CSwzipKernels

/// The float descriptions that have kernels (spec/codecs/float.md).
package struct FloatKind: Equatable, Sendable {
  package let kernel: swzip_float_kind

  /// Nil where the type has no float codec or not with that J.
  package init?(_ elementType: ElementType, mantissaBits: UInt8) {
    switch (elementType, mantissaBits) {
    case (.bf16, 0): kernel = SWZIP_BF16_J0
    case (.bf16, 1): kernel = SWZIP_BF16_J1
    case (.f16, 1): kernel = SWZIP_F16_J1
    case (.f8e4m3, 1): kernel = SWZIP_E4M3_J1
    case (.f8e5m2, 1): kernel = SWZIP_E5M2_J1
    case (.f32, 0): kernel = SWZIP_F32_J0
    case (.f32, 1): kernel = SWZIP_F32_J1
    default: return nil
    }
  }

  package static func == (a: Self, b: Self) -> Bool { a.kernel.rawValue == b.kernel.rawValue }

  package var width: Int { Int(swzip_float_width(kernel)) }
  package var shift: UInt32 { swzip_float_shift(kernel) }
  /// Symbols that stand for a field.
  package var symbolCount: Int { 256 >> Int(shift) }
  package var isWide: Bool { width == 4 }
  /// Whether fields have nine bits, of which a window of 255 has symbols.
  package var hasWindow: Bool { kernel.rawValue == SWZIP_BF16_J1.rawValue || kernel.rawValue == SWZIP_F32_J1.rawValue }

  package func rawPlaneBytes(_ count: Int) -> Int { swzip_raw_plane_bytes(kernel, UInt32(count)) }
}
