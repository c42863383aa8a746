internal import CSwzipKernels

/// Finds fp32 values that come again bit by bit, as in tables of sines and windows: zstd makes less of them than codes of
/// single values do.
enum RepeatedValues {
  private static let sampleValues = 2048
  private static let hashBits: UInt32 = 12

  /// Whether zstd takes at least an eighth less than the information of the bytes of a value, each by itself, on the first
  /// `blockBytes`. Asked only where a sample from the middle has values twice, so that other tensors cost no time.
  static func pay(
    _ bytes: UnsafeRawBufferPointer, blockBytes: Int, effort: Effort, scratch: EncodeScratch
  ) throws(SwzipError) -> Bool {
    guard effort.triesZstd, unsafe comeTwice(bytes) else { return false }
    let block = unsafe UnsafeRawBufferPointer(rebasing: bytes.prefix(blockBytes))
    let target = try Memory(block.count)
    guard let packed = unsafe scratch.compressors.zstd(block, into: target.bytes, level: effort.zstdLevel) else {
      return false
    }
    return unsafe UInt64(packed) * 8 * 64 * 8 < information(block, scratch: scratch) * 7
  }

  /// Values that end in a zero byte are not counted: they are narrower ones, which have codes of their own.
  private static func comeTwice(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = min(bytes.count / 4, sampleValues)
    let start = (bytes.count / 4 - count) / 2
    var seen = [UInt32](repeating: 0, count: 1 << hashBits)
    var again = 0
    for index in start..<(start + count) {
      let value = unsafe UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
      guard value & 0xFF != 0 else { continue }
      let slot = Int((value &* 0x9E37_79B1) >> (32 - hashBits))
      if seen[slot] == value { again += 1 }
      seen[slot] = value
    }
    return again * 16 > count
  }

  /// In 1/64 bit.
  private static func information(_ bytes: UnsafeRawBufferPointer, scratch: EncodeScratch) -> UInt64 {
    var total: UInt64 = 0
    for byte in 0..<4 {
      let counts = unsafe scratch.clearedCounts()
      for index in stride(from: byte, to: bytes.count, by: 4) { unsafe counts[Int(bytes[index])] += 1 }
      var costs = scratch.costs
      unsafe swzip_symbol_costs(counts, &costs)
      total += unsafe swzip_histogram_cost(counts, costs, 0, 255)
    }
    return total
  }
}
