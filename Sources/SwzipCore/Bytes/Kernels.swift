internal import CSwzipKernels

/// The loops in use, by the instructions that this processor has.
package enum Kernels {
  package static var name: String {
    switch swzip_level_in_use() {
    case SWZIP_LEVEL_AVX512: "avx512"
    case SWZIP_LEVEL_AVX2: "avx2"
    case SWZIP_LEVEL_NEON: "neon"
    default: "portable"
    }
  }
}
