internal import CSwzipKernels

/// Wide floats whose very values come again (filter banks, tables of sines): then zstd finds what no model of single
/// values can.
enum Repeats {
  private static let leastBytes = 131_072
  private static let sampleValues = 2048

  /// Whether values of a sample come twice, and zstd takes less than three quarters of what the byte planes hold.
  static func found(in segment: PlainSegment) -> Bool {
    let (bytes, width, effort, scratch) = unsafe (segment.values, segment.type.width, segment.effort, segment.scratch)
    guard width == 4, effort.triesZstd, bytes.count >= leastBytes, unsafe comeAgain(bytes) else { return false }
    let part = min(bytes.count, Limits.largestWrittenBlock * width) / width * width
    let sample = unsafe UnsafeRawBufferPointer(rebasing: bytes[..<part])
    let target = unsafe UnsafeMutableRawBufferPointer(start: scratch.planeArea(part * 3 / 4), count: part * 3 / 4)
    guard let packed = unsafe scratch.compressors.zstd(sample, into: target, levels: effort.zstdLevels) else {
      return false
    }
    return unsafe UInt64(packed) * 512 * 4 < information(sample, scratch: scratch) * 3
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

  /// Order-0 information of the four byte planes, in 1/64 bit.
  private static func information(_ sample: UnsafeRawBufferPointer, scratch: EncodeScratch) -> UInt64 {
    let planes = unsafe scratch.planes(4)
    let counts = unsafe (0..<4).map { unsafe scratch.clearedCounts($0) }
    // In parts that fit the scratch of every level.
    let most = Limits.writtenBlockValues(width: 4)
    for start in stride(from: 0, to: sample.count / 4, by: most) {
      let count = min(most, sample.count / 4 - start)
      unsafe planes.withUnsafeBufferPointer {
        unsafe swzip_planes_split(sample.baseAddress! + 4 * start, UInt32(count), 4, $0.baseAddress!)
      }
      for plane in 0..<4 { unsafe swzip_histogram_add(planes[plane], count, 1, counts[plane]) }
    }
    return unsafe counts.reduce(0) { unsafe $0 + swzip_histogram_information($1) }
  }
}
