internal import CSwzipKernels

/// The symbol frequencies of one rANS table and their wire form (spec/codecs/rans.md).
///
/// A table says the logarithm of each symbol's share in fifths of an octave: that costs 0.001 bit a symbol, and half of
/// what exact frequencies would take.
package struct RansTable: Equatable, Sendable {
  /// 256 levels of 0 (absent) to 63.
  package let levels: [UInt8]

  /// The table of these counts; symbols that do not occur get none, one neighbour where there is only one symbol.
  package init(counts: UnsafePointer<UInt32>) {
    var most: UInt64 = 0
    for symbol in 0..<256 { most = max(most, unsafe UInt64(counts[symbol])) }
    var levels = [UInt8](repeating: 0, count: 256)
    for symbol in 0..<256 where unsafe counts[symbol] > 0 {
      levels[symbol] = Self.level(unsafe UInt64(counts[symbol]), of: most)
    }
    let present = levels.indices.filter { levels[$0] > 0 }
    if present.count < 2 { levels[present.first == 0 ? 1 : 0] = 1 }
    if present.isEmpty { levels[1] = 1 }
    self.levels = levels
  }

  /// Of two symbols at least.
  private init(checked levels: [UInt8]) { self.levels = levels }

  /// 256 frequencies, 4096 in all. Computed by each call: a container may have tables that nothing needs.
  package var frequencies: [UInt16] {
    unsafe [UInt16](unsafeUninitializedCapacity: 256) { buffer, count in
      unsafe buffer.initialize(repeating: 0)
      // Two symbols at least, by the initialisers.
      _ = unsafe swzip_rans_frequencies(levels, buffer.baseAddress!)
      count = 256
    }
  }

  /// The level whose weight is nearest, in logarithms, to `count` where `most` has the highest.
  private static func level(_ count: UInt64, of most: UInt64) -> UInt8 {
    var low = 1
    var high = Int(SWZIP_RANS_LEVELS) - 1
    while low < high {
      let middle = (low + high) / 2
      // Above the geometric mean of two neighbours' weights? Both sides below 2^126.
      let (a, b, top) = (weight(middle), weight(middle + 1), weight(Int(SWZIP_RANS_LEVELS) - 1))
      let left = (count * top).multipliedFullWidth(by: count * top)
      let right = (most * most).multipliedFullWidth(by: a * b)
      if (left.high, left.low) > (right.high, right.low) { low = middle + 1 } else { high = middle }
    }
    return UInt8(low)
  }

  private static func weight(_ level: Int) -> UInt64 {
    unsafe withUnsafeBytes(of: swzip_rans_weights) {
      unsafe UInt64($0.load(fromByteOffset: 4 * level, as: UInt32.self))
    }
  }

  /// Whether no symbol of `count` or above occurs.
  package func fits(_ count: Int) -> Bool { levels[count...].allSatisfy { $0 == 0 } }

  // MARK: wire

  private static let firstLevel = 32

  package func write(_ writer: inout ByteWriter) {
    // A new run costs two bytes; an absent symbol in a run three nibbles.
    let runs = CodeLengths.runs(levels, gap: 1)
    writer.integer(UInt8(runs.count))
    for run in runs {
      writer.integer(UInt8(run.first))
      writer.integer(UInt8(run.last - run.first))
      var nibbles: [UInt8] = []
      var last = Self.firstLevel
      for symbol in run.first...run.last {
        let level = Int(levels[symbol])
        if level != 0, abs(level - last) <= 7 {
          nibbles.append(UInt8(level - last + 8))
        } else {
          nibbles += [0, UInt8(level & 15), UInt8(level >> 4)]
        }
        if level != 0 { last = level }
      }
      if nibbles.count % 2 != 0 { nibbles.append(0) }
      for index in stride(from: 0, to: nibbles.count, by: 2) {
        writer.integer(nibbles[index] | nibbles[index + 1] << 4)
      }
    }
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> RansTable {
    var levels = [UInt8](repeating: 0, count: 256)
    var (next, symbols) = (0, 0)
    for _ in 0..<(try reader.integer(UInt8.self)) {
      let first = Int(try reader.integer(UInt8.self))
      let count = Int(try reader.integer(UInt8.self)) + 1
      guard first >= next, first + count <= 256 else { throw reader.failure(.codeLengths) }
      var pending: UInt8?
      func nibble() throws(SwzipError) -> Int {
        if let high = pending {
          pending = nil
          return Int(high)
        }
        let pair = try reader.integer(UInt8.self)
        pending = pair >> 4
        return Int(pair & 15)
      }
      var last = firstLevel
      for symbol in first..<(first + count) {
        let step = try nibble()
        let level = step == 0 ? try nibble() + 16 * (try nibble()) : last + step - 8
        guard level >= 0, level < SWZIP_RANS_LEVELS, step == 0 || level > 0 else { throw reader.failure(.codeLengths) }
        levels[symbol] = UInt8(level)
        if level > 0 { (last, symbols) = (level, symbols + 1) }
      }
      if let pending, pending != 0 { throw reader.failure(.codeLengths) }
      next = first + count
    }
    guard symbols >= 2 else { throw reader.failure(.codeLengths) }
    return RansTable(checked: levels)
  }
}
