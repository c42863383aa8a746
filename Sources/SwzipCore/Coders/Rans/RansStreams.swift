internal import CSwzipKernels

/// The rANS part of a block: states, row classes, words (spec/codecs/rans.md).
enum RansStreams {
  /// Bytes of a block before its row classes: the block's header and the states.
  static let fixedBytes = 32 + Int(4 * SWZIP_STREAMS)

  /// Room for header, states, row classes and words of a block of `count` symbols. A symbol takes 12 bits at most; rows
  /// that have classes have 64 symbols at least.
  static func bound(_ count: Int) -> Int { fixedBytes + count / 64 + wordsBound(count) + 64 }
  static func wordsBound(_ count: Int) -> Int { (count * 3 / 2 + 2 * Int(SWZIP_STREAMS) + 4) & ~1 }

  /// Table numbers of a block's symbols; nil where all take the first table. `classes`: one byte a row.
  static func numbers(
    _ classes: UnsafePointer<UInt8>, count: Int, rowLength: Int, coding: RansCoding, map: [UInt8],
    into target: UnsafeMutablePointer<UInt8>
  ) -> UnsafePointer<UInt8>? {
    guard coding.tableOfContext.count > 1 else { return nil }
    let rows = count / rowLength
    unsafe coding.columns.withUnsafeBufferPointer { columns in
      let classesOfColumns = columns.isEmpty ? nil : columns.baseAddress
      unsafe swzip_rans_numbers(classes, rows, classesOfColumns, rowLength, map, target)
      let rest = count - rows * rowLength
      if rest > 0 {
        unsafe swzip_rans_numbers(classes + rows, 1, classesOfColumns, rest, map, target + rows * rowLength)
      }
    }
    return unsafe UnsafePointer(target)
  }

  /// Writes the row classes, `bits` each, lowest first.
  static func packClasses(_ classes: [UInt8], bits: Int, to out: UnsafeMutablePointer<UInt8>) {
    guard bits > 0 else { return }
    unsafe out.update(repeating: 0, count: (classes.count * bits + 7) / 8)
    for (row, value) in classes.enumerated() {
      let wide = UInt16(value) << UInt16(row * bits & 7)
      unsafe out[row * bits / 8] |= UInt8(truncatingIfNeeded: wide)
      if wide > 255 { unsafe out[row * bits / 8 + 1] |= UInt8(wide >> 8) }
    }
  }

  /// Reads `rows` row classes; `packed` may be read one byte further.
  static func unpackClasses(
    _ packed: UnsafePointer<UInt8>, rows: Int, bits: Int, to out: UnsafeMutablePointer<UInt8>
  ) {
    for row in 0..<rows {
      let at = row * bits
      let pair = unsafe UInt16(packed[at / 8]) | UInt16(packed[at / 8 + 1]) << 8
      unsafe out[row] = UInt8(truncatingIfNeeded: pair >> UInt16(at & 7)) & UInt8((1 << bits) - 1)
    }
  }
}
