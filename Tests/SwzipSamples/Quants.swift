internal import CSwzipKernels
package import SwzipCore

/// Quants of values, in the block types of ggml.
package enum Quants {
  /// Blocks that are exactly what is computed from `values`.
  package static func made(_ type: ElementType, of values: [UInt8], _ source: ElementType) -> [UInt8] {
    let kernel = [ElementType.bf16: SWZIP_REPLAY_BF16, .f16: SWZIP_REPLAY_F16, .f32: SWZIP_REPLAY_F32][source]!
    var replay = swzip_replay(type: UInt32(type.rawValue & 63), source: kernel)
    let count = values.count / source.width / type.elementsPerValue
    var blocks = [UInt8](repeating: 0, count: count * type.width)
    var wide = [Int16](repeating: 0, count: 2 * count)
    var zeros = [UInt8](repeating: 0, count: 32 * count)
    unsafe wide.withUnsafeMutableBufferPointer { wide in
      unsafe zeros.withUnsafeMutableBufferPointer { zeros in
        var block = unsafe swzip_replay_block(
          count: count, scale: wide.baseAddress, minimum: wide.baseAddress! + count, scales: zeros.baseAddress,
          minima: zeros.baseAddress! + 16 * count, changed: 0, places: nil, changes: nil)
        unsafe blocks.withUnsafeMutableBytes { blocks in
          unsafe values.withUnsafeBytes {
            unsafe swzip_replay_decode(&replay, &block, $0.baseAddress!, blocks.baseAddress!)
          }
        }
      }
    }
    return blocks
  }
}
