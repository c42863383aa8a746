internal import CSwzipKernels

/// Rows of few distinct values each: weights that were quantised row by row, or group by group, and stored as floats
/// (spec/codecs/symbols.md).
struct RowPalettes {
  /// Values of a row's palette: on either side of zero.
  private static let mostOnASide = 128

  let rowLength: Int
  private let type: ElementType
  var width: Int { type.width }

  /// Rows of `rowLength` values, or else groups of 256, 128 or 64, if eight of a sample have at most a quarter as many
  /// distinct values, and their palettes and numbers take less than 6/10 of the values, and less than planes would.
  init?(_ bytes: UnsafeRawBufferPointer, of type: ElementType, rowLength: Int) {
    guard type.isSigned, type.width == 2 || type.width == 4 else { return nil }
    self.type = type
    var map = ValueMap()
    let count = bytes.count / type.width
    let planes = unsafe PlanesCoding.upperHalves(of: bytes, type).map { Int($0.planes) / max(count, 1) }
    for length in [rowLength, 256, 128, 64] where length >= 64 && length <= Limits.writtenBlockValues(width: 4) {
      guard rowLength == 0 || rowLength % length == 0, count >= 8 * length else { continue }
      var distinct = 0
      var fits = true
      for sample in 0..<8 where fits {
        let row = sample * (count / length) / 8
        let mine = unsafe Self.sortedDistinct(
          Self.row(row, length, bytes, type), of: type, most: length / 4, &map)
        fits = mine != nil
        distinct += mine?.count ?? 0
      }
      guard fits, distinct > 8 else { continue }
      let each = (distinct + 7) / 8
      let bits = each * 8 * type.width / length + (Int.bitWidth - each.leadingZeroBitCount)
      guard 10 * bits < 6 * 8 * type.width, bits < planes ?? .max else { continue }
      self.rowLength = length
      return
    }
    return nil
  }

  private static func row(
    _ row: Int, _ length: Int, _ bytes: UnsafeRawBufferPointer, _ type: ElementType
  ) -> UnsafeRawBufferPointer {
    let start = row * length * type.width
    return unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + length * type.width)])
  }

  private static func value(_ row: UnsafeRawBufferPointer, _ index: Int, _ width: Int) -> UInt64 {
    width == 2
      ? unsafe UInt64(UInt16(littleEndian: row.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
      : unsafe UInt64(UInt32(littleEndian: row.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
  }

  /// The distinct values of a row in numeric order; nil if there are more than `most`.
  private static func sortedDistinct(
    _ row: UnsafeRawBufferPointer, of type: ElementType, most: Int, _ map: inout ValueMap
  ) -> [UInt64]? {
    map.clear()
    var distinct: [UInt64] = []
    var last: UInt64?
    for index in 0..<(row.count / type.width) {
      let value = unsafe Self.value(row, index, type.width)
      guard value != last else { continue }
      last = value
      guard map.insert(value) else { continue }
      distinct.append(value)
      guard distinct.count <= min(most, 256) else { return nil }
    }
    let sign = UInt64(1) << UInt64(type.bitCount - 1)
    distinct.sort { a, b in
      let (low, high) = (a & sign != 0, b & sign != 0)
      return low != high ? low : low ? type.magnitude(a) > type.magnitude(b) : a < b
    }
    return distinct
  }

  /// Writes the symbols of a block and returns its palettes; nil if a row has too many values.
  func symbols(_ block: UnsafeRawBufferPointer, into symbols: UnsafeMutablePointer<UInt8>) -> [UInt8]? {
    var map = ValueMap()
    let width = type.width
    let count = block.count / width
    let sign = UInt64(1) << UInt64(type.bitCount - 1)
    var palettes: [UInt8] = []
    for (row, start) in stride(from: 0, to: count, by: rowLength).enumerated() {
      let values = unsafe Self.row(row, rowLength, block, type)
      guard let distinct = unsafe Self.sortedDistinct(values, of: type, most: 256, &map) else { return nil }
      let below = distinct.count { $0 & sign != 0 }
      guard below <= Self.mostOnASide, distinct.count - below <= Self.mostOnASide else { return nil }
      palettes += [UInt8(below), UInt8(distinct.count - below)]
      for (index, value) in distinct.enumerated() {
        map.set(value, UInt8(128 + index - below))
        for byte in 0..<width { palettes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
      }
      for index in 0..<(values.count / width) {
        unsafe symbols[start + index] = map.index(of: Self.value(values, index, width))
      }
    }
    return palettes
  }

  /// Puts values for symbols, row by row; returns the end of the palettes in the frame.
  static func expand(
    _ symbols: UnsafePointer<UInt8>, _ frame: UnsafeRawBufferPointer, at start: Int, rowLength: Int, width: Int,
    into out: UnsafeMutableRawBufferPointer, position: UInt64
  ) throws(SwzipError) -> Int {
    var offset = start
    let count = out.count / width
    var entries = [UInt8](repeating: 0, count: 64 * 256)
    for first in stride(from: 0, to: count, by: rowLength) {
      guard offset + 2 <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
      let (below, above) = unsafe (Int(frame[offset]), Int(frame[offset + 1]))
      let end = offset + 2 + (below + above) * width
      guard below <= mostOnASide, above <= mostOnASide, below + above > 0, end <= frame.count else {
        throw SwzipError(.corrupt, .blockHeader, at: position)
      }
      for index in 0..<(below + above) {
        for byte in 0..<width {
          unsafe entries[64 * (128 + index - below) + byte] = frame[offset + 2 + index * width + byte]
        }
      }
      let length = min(rowLength, count - first)
      var (least, most): (UInt8, UInt8) = (255, 0)
      for index in first..<(first + length) {
        least = unsafe min(least, symbols[index])
        most = unsafe max(most, symbols[index])
      }
      guard Int(least) >= 128 - below, Int(most) < 128 + above else {
        throw SwzipError(.corrupt, .subStreams, at: position)
      }
      unsafe swzip_palette_expand(
        symbols + first, entries, width, out.baseAddress!.assumingMemoryBound(to: UInt8.self) + first * width,
        length * width)
      offset = end
    }
    return offset
  }
}
