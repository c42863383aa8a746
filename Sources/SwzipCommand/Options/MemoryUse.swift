/// What every verb takes at most: 64 MiB, 8 MiB for each thread, and what `MemoryBudget` counts: four times what an index has
/// beyond 8 MiB, and 16 MiB for each packed base of a chain.
enum MemoryUse {
  private static let base: UInt64 = 64 << 20
  private static let perThread: UInt64 = 8 << 20

  static func byteCount(threads: Int) -> UInt64 { base + perThread * UInt64(threads) }

  /// The number of threads, at most `asked`, that fit; nil if not even one does.
  static func threads(_ most: UInt64, asked: Int) -> Int? {
    guard most >= byteCount(threads: 1) else { return nil }
    return min(asked, Int(min((most - base) / perThread, UInt64(asked))))
  }

  /// What of `most` is left for indexes and chains of bases.
  static func spare(_ most: UInt64, threads: Int) -> Int {
    Int(clamping: most - min(most, byteCount(threads: threads)))
  }

  /// "64M", "1G", "512KiB", "100000": units count by 1024.
  static func parse(_ text: String) -> UInt64? {
    let digits = text.prefix { ("0"..."9").contains($0) }
    guard let number = UInt64(digits) else { return nil }
    let shift: UInt64
    switch text.dropFirst(digits.count).uppercased() {
    case "", "B": shift = 0
    case "K", "KB", "KIB": shift = 10
    case "M", "MB", "MIB": shift = 20
    case "G", "GB", "GIB": shift = 30
    case "T", "TB", "TIB": shift = 40
    default: return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : product
  }
}
