internal import CSwzipKernels

/// Wide floats whose very values come again (filter banks, tables of sines): then zstd finds what no model of single
/// values can.
enum Repeats {
  private static let leastBytes = 131_072
  private static let sampleValues = 2048

  /// Whether values of a sample come twice, and zstd takes less than three quarters of what the byte planes hold.
  static func found(
    in bytes: UnsafeRawBufferPointer, width: Int, effort: Effort, scratch: EncodeScratch
  ) -> Bool {
    guard width == 4, effort.triesZstd, bytes.count >= leastBytes, unsafe comeAgain(bytes) else { return false }
    let part = min(bytes.count, Limits.largestWrittenBlock * width) / width * width
    let sample = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<part])
    let target = unsafe UnsafeMutableRawBufferPointer(start: scratch.plane(0), count: part * 3 / 4)
    guard let packed = unsafe scratch.compressors.zstd(sample, into: target, level: effort.zstdLevel) else {
      return false
    }
    return unsafe UInt64(packed) * 512 * 4 < information(sample, width: width, scratch: scratch) * 3
  }

  /// Whether values come again near by (neighbours in the middle are looked at) or far off (values from anywhere).
  private static func comeAgain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let count = bytes.count / 4
    let near = (count - sampleValues) / 2
    return unsafe comeAgain(bytes) { near + $0 }
      || comeAgain(bytes) { Int((UInt64($0 &* 0x9E37_79B1 & 0xFFFF_FFFF) * UInt64(count)) >> 32) }
  }

  /// Whether more than one in sixteen of a sample equals another of the sample, besides zeros, and values use their low
  /// bits: upcasts are another matter.
  private static func comeAgain(_ bytes: UnsafeRawBufferPointer, _ place: (Int) -> Int) -> Bool {
    var seen = [UInt32](repeating: 0, count: 4 * sampleValues)
    var (again, low): (Int, UInt32) = (0, 0)
    for index in 0..<sampleValues {
      let value = unsafe bytes.loadUnaligned(fromByteOffset: 4 * place(index), as: UInt32.self)
      guard value != 0 else { continue }
      low |= value
      var slot = Int(truncatingIfNeeded: (value &* 0x9E37_79B1) >> 19)
      while seen[slot] != 0, seen[slot] != value { slot = (slot + 1) % seen.count }
      if seen[slot] == value { again += 1 }
      seen[slot] = value
    }
    return again * 16 > sampleValues && low & 0xFF != 0
  }

  /// Order-0 information of the byte planes, in 1/64 bit.
  private static func information(
    _ sample: UnsafeRawBufferPointer, width: Int, scratch: EncodeScratch
  ) -> UInt64 {
    let count = sample.count / width
    let planes = unsafe scratch.planes(width)
    unsafe planes.withUnsafeBufferPointer {
      unsafe swzip_planes_split(sample.baseAddress!, UInt32(count), UInt32(width), $0.baseAddress!)
    }
    var information: UInt64 = 0
    for plane in 0..<width {
      let counts = unsafe scratch.clearedCounts()
      unsafe swzip_histogram_add(scratch.plane(plane), count, 1, counts)
      var costs = scratch.costs
      unsafe swzip_symbol_costs(counts, &costs)
      information += unsafe swzip_histogram_cost(counts, costs, 0, 255)
    }
    return information
  }
}
