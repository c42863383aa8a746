internal import CSwzipKernels

/// Where the rANS part of a block lies in its frame (spec/codecs/rans.md): states, row classes, words. Checked, before
/// anything is decoded.
package struct RansFrame: Equatable, Sendable {
  package static let states = 32..<RansStreams.fixedBytes
  package let rowCount: Int
  /// Of the packed classes of rows.
  package let rowClasses: Range<Int>
  package let words: Range<Int>
  var wordCount: Int { words.count / 2 }

  /// Reads that of a block of `count` symbols. Bytes 26 and 27 are zero unless they have a meaning, 28 to 31 the number of
  /// words.
  init(
    _ frame: UnsafeRawBufferPointer, count: Int, rowLength: Int, coding: RansCoding, reserved: Bool = true,
    position: UInt64
  ) throws(SwzipError) {
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard frame.count >= RansStreams.fixedBytes else { throw failure }
    guard unsafe !reserved || (frame[26] == 0 && frame[27] == 0) else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let wordCount = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 28, as: UInt32.self)))
    rowCount = rowLength > 0 ? (count + rowLength - 1) / rowLength : 0
    rowClasses = RansStreams.fixedBytes..<(RansStreams.fixedBytes + coding.rowClassBytes(rowCount))
    let start = (rowClasses.upperBound + 15) & ~15
    guard wordCount <= count, start + 2 * wordCount <= frame.count else { throw failure }
    words = start..<(start + 2 * wordCount)
    try unsafe checkPadding(frame, rowClasses.upperBound..<start, at: position)
  }

  /// Unpacks the class of each row into `classes`.
  func unpackClasses(
    _ frame: UnsafeRawBufferPointer, by coding: RansCoding, into classes: UnsafeMutablePointer<UInt8>
  ) {
    if coding.rowBits > 0 {
      unsafe RansStreams.unpackClasses(
        frame.pointer(rowClasses.lowerBound), rows: rowCount, bits: coding.rowBits, to: classes)
    } else {
      unsafe classes.update(repeating: 0, count: rowCount)
    }
  }

  /// Decodes `count` symbols, each by the table that `numbers` names, all by the first without.
  func decode(
    _ frame: UnsafeRawBufferPointer, count: Int, numbers: UnsafePointer<UInt8>?, tables: RansDecodeTables,
    into symbols: UnsafeMutablePointer<UInt8>, position: UInt64
  ) throws(SwzipError) {
    // Within the frame and its slack by the checks of `init`.
    guard
      unsafe swzip_rans_decode(
        frame.pointer(words.lowerBound), wordCount, frame.pointer(Self.states.lowerBound), count, numbers,
        tables.first(for: numbers, count: count), symbols)
    else { throw SwzipError(.corrupt, .subStreams, at: position) }
  }
}
