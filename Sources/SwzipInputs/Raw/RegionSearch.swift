internal import SwzipCore

/// A part of a file in which floats lie in one way.
struct FloatRegion {
  var start: UInt64
  var end: UInt64
  var reading: FloatReading
}

/// One pass over a range of an input.
struct RegionSearch<Input: InputBytes> {
  /// From one window to the next, and where many were alike.
  private static var step: UInt64 { 4096 }
  private static var longStep: UInt64 { 65_536 }
  /// Bytes that are alike before steps are long.
  private static var longAfter: UInt64 { 1 << 20 }
  private static var windowBytes: UInt64 { UInt64(FloatWindow.byteCount) }
  /// Floats go on over something else that is so short and, coded as floats, takes so many bits more at most: fewer than two
  /// more segments.
  private static var bridgedBytes: UInt64 { 2048 }
  private static var bridgedBits: Int64 { 8 * 256 }
  /// Of a region so much is judged as a whole.
  private static var sampleBytes: UInt64 { 16_384 }
  /// A region has to save this share of it, one in 32, and so many bytes: plain bytes are parted by it.
  private static var leastGain: UInt64 { 32 }
  private static var leastGainBytes: UInt64 { 1024 }

  private let input: Input
  private let range: Range<UInt64>
  private let compressors = Compressors()
  private(set) var regions: [FloatRegion] = []
  /// Of the last region.
  private var exponents: Exponents?
  /// The floats that are being followed.
  private var current: Run?

  private struct Run {
    /// What the last window was like.
    var window: FloatWindow
    var start: UInt64
    /// Windows, and the exponents of them all.
    var count = 1
    var exponents: Exponents

    init(_ window: FloatWindow, start: UInt64) {
      self.window = window
      self.start = start
      exponents = window.exponents
    }

    /// Whether a window needs no closer look; each fourth gets one.
    func fits(_ bytes: [UInt8], at offset: UInt64) -> Bool {
      count > 3 && count % 4 > 0 && window.fits(bytes, at: offset)
    }

    /// Whether `next` is of the same reading, and a common code costs less than half a bit a value.
    func goesOn(with next: FloatWindow?) -> Bool {
      guard let next, next.reading == window.reading else { return false }
      return exponents.costOfJoining(next.exponents) <= next.exponents.total / 2
    }

    mutating func add(_ next: FloatWindow) {
      window = next
      count += 1
      exponents.add(next.exponents)
    }
  }

  init(_ input: Input, _ range: Range<UInt64>) {
    self.input = input
    self.range = range
  }

  mutating func run(most: Int) throws(SwzipError) {
    var (offset, last, alikeSince) = (range.lowerBound, range.lowerBound, range.lowerBound)
    while regions.count < most {
      let bytes = try read(offset, Self.windowBytes)
      let isDense = offset - alikeSince < Self.longAfter
      let isAlike = isDense && current?.fits(bytes, at: offset) ?? false
      let found = isAlike ? nil : FloatWindow(bytes, at: offset, after: current?.window.reading)
      if isAlike || current?.goesOn(with: found) ?? (found == nil) {
        if let found { current?.add(found) } else if isAlike { current?.count += 1 }
      } else if offset > last + Self.step {  // It changed since the last window: look at all between.
        (offset, alikeSince) = (last + Self.step, last + Self.step)
        continue
      } else {
        try close(last, offset, before: found)
        if let found { try open(found, offset) }
        alikeSince = offset
      }
      last = offset
      let next = offset + (isDense ? Self.step : Self.longStep)
      // The last window ends with the range.
      offset = next < range.upperBound ? next : max(last, range.upperBound - Self.windowBytes)
      if offset <= last { break }
    }
    try close(last, range.upperBound, before: nil)
  }

  /// Begins with the window at `offset`, and what is like it behind the last region.
  private mutating func open(_ window: FloatWindow, _ offset: UInt64) throws(SwzipError) {
    let earliest = offset - min(offset, 2 * Self.step)
    let from = max(earliest, regions.last?.end ?? range.lowerBound)
    let goesOn = regions.last.map { $0.reading == window.reading && $0.end > earliest } ?? false
    let bytes = try read(from, offset + Self.windowBytes - from)
    current = Run(window, start: goesOn ? from : from + UInt64(window.start(in: bytes, at: from)))
  }

  /// Ends behind the window at `last`, before the one at `offset` ends, which is `next`.
  private mutating func close(_ last: UInt64, _ offset: UInt64, before next: FloatWindow?) throws(SwzipError) {
    guard let run = current else { return }
    current = nil
    let (reading, start) = (run.window.reading, run.start)
    let from = max(start, last)
    let bytes = try read(from, offset + Self.windowBytes - from)
    let goesOn = next?.reading == reading
    let found = from + UInt64(run.window.end(in: bytes, at: from, before: goesOn ? next : nil))
    let end = found - min(found - start, Self.excess(of: found - start, reading, isShared: goesOn))
    if let before = regions.last, before.reading == reading, start - before.end < Self.bridgedBytes,
      try run.window.loss(of: read(before.end, start - before.end), at: before.end) < Self.bridgedBits,
      !isApart(run, start..<end)
    {
      regions[regions.count - 1].end = max(end, before.end)
      exponents?.add(run.exponents)
    } else if run.count > 1,  // a single window may be a mixture of others
      end >= start + Planner.leastBytes, try pays(reading, start..<end)
    {
      regions.append(FloatRegion(start: start, end: end, reading: reading))
      exponents = run.exponents
    }
  }

  /// Bytes at a region's end that are better left to what follows: raw bits are stored for whole units of values.
  private static func excess(of byteCount: UInt64, _ reading: FloatReading, isShared: Bool) -> UInt64 {
    let unit = 256 * UInt64(reading.elementType.width)
    return isShared || byteCount % unit <= unit * 3 / 4 ? byteCount % unit : 0
  }

  /// Whether a code of their own pays for values that go on like those of the last region.
  private func isApart(_ run: Run, _ region: Range<UInt64>) -> Bool {
    guard run.count > 1, let exponents, region.upperBound >= region.lowerBound + Planner.leastBytes else {
      return false
    }
    let values = (region.upperBound - region.lowerBound) / UInt64(run.window.reading.elementType.width)
    let cost = values.multipliedFullWidth(by: exponents.costOfJoining(run.exponents))
    return run.exponents.total.dividingFullWidth(cost).quotient > UInt64(Self.bridgedBits)
  }

  /// Whether a sample of a region says that floats are clearly smaller than what zstd makes of it.
  private func pays(_ reading: FloatReading, _ region: Range<UInt64>) throws(SwzipError) -> Bool {
    let size = region.upperBound - region.lowerBound
    let step = max(Self.sampleBytes, size / 4)
    var sample: [UInt8] = []
    var bits: UInt64 = 0
    for offset in stride(from: region.lowerBound, to: region.upperBound, by: Int(step)) {
      let bytes = try read(offset, min(Self.sampleBytes, region.upperBound - offset))
      bits += reading.bits(of: bytes, at: offset)
      sample += bytes
    }
    let sampled = UInt64(sample.count)
    let limit = Int(bits / 8 + max(sampled / Self.leastGain, Self.leastGainBytes * sampled / size))
    guard limit < sample.count else { return false }
    var packed = [UInt8](repeating: 0, count: limit)
    // It does not fit where zstd takes more.
    return unsafe packed.withUnsafeMutableBytes { target in
      unsafe sample.withUnsafeBytes { unsafe compressors.zstd($0, into: target, levels: [1, 3]) }
    } == nil
  }

  private func read(_ offset: UInt64, _ count: UInt64) throws(SwzipError) -> [UInt8] {
    try input.bytes(at: offset, count: Int(min(count, range.upperBound - min(offset, range.upperBound))))
  }
}
