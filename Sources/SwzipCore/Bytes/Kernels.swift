internal import CSwzipKernels

/// The loops for a kind of processor, by the name of the instructions that they need.
package enum Kernels: String, CaseIterable, Sendable {
  case portable, avx2, avx512, neon

  private var level: swzip_level {
    switch self {
    case .portable: SWZIP_LEVEL_PORTABLE
    case .avx2: SWZIP_LEVEL_AVX2
    case .avx512: SWZIP_LEVEL_AVX512
    case .neon: SWZIP_LEVEL_NEON
    }
  }

  /// Those in use: the best for this processor, unless others were chosen.
  package static var inUse: Kernels {
    let level = swzip_level_in_use()
    return allCases.first { $0.level == level } ?? .portable
  }

  /// Those that this processor can run. Tries each: call it while nothing else is measured.
  package static var available: [Kernels] {
    let before = inUse
    defer { before.choose() }
    return allCases.filter { $0.choose() }
  }

  /// Has the whole process use these. Returns false, and changes nothing, if the processor cannot run them.
  @discardableResult
  package func choose() -> Bool { swzip_level_choose(level) }
}
