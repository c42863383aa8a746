internal import CSwzipKernels

/// Wide floats whose very values come again (filter banks, tables of sines): then zstd finds what no model of single
/// values can.
enum Repeats {
  private static let leastBytes = 131_072
  private static let sampleValues = 4096

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

  /// Whether more than one in fourteen of a sample equals another of the sample, besides zeros, and values use their low
  /// bits: upcasts are another matter.
  private static func comeAgain(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var seen = [UInt32](repeating: 0, count: 4 * sampleValues)
    var (again, all, low): (Int, Int, UInt32) = (0, 0, 0)
    let count = bytes.count / 4
    for index in stride(from: 0, to: count, by: max(1, count / sampleValues)) {
      let value = unsafe bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
      guard value != 0, all < sampleValues else { continue }
      all += 1
      low |= value
      var place = Int(truncatingIfNeeded: (value &* 0x9E37_79B1) >> 18)
      while seen[place] != 0, seen[place] != value { place = (place + 1) % seen.count }
      if seen[place] == value { again += 1 }
      seen[place] = value
    }
    return again * 14 > all && low & 0xFF != 0
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
