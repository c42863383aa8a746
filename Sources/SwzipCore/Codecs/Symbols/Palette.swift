internal import CSwzipKernels

/// The distinct values of a segment, and how many of them one symbol stands for (spec/codecs/symbols.md).
package struct Palette: Equatable, Sendable {
  /// Distinct values that a palette may have.
  package static let mostValues = 256
  /// Values of a symbol.
  package static let mostPerSymbol = 8

  /// Bytes a value: 1, 2, 4 or 8.
  package let width: Int
  /// The values, each `width` bytes; empty where the symbol is the value itself, or where rows have palettes.
  package let values: [UInt8]
  /// Whether each row of a block has a palette of its own, in the block.
  package var isPerRow = false
  /// Neighbouring values that one symbol stands for, the first in the lowest digit.
  package let valuesPerSymbol: Int

  package var count: Int { values.count / width }

  /// Symbols are the bytes of the values.
  package static let bytes = Palette(width: 1, values: [], valuesPerSymbol: 1)

  /// Rows have palettes: a symbol is the number of a value in its row's, 128 the first that is not negative.
  package static func rows(width: Int) -> Palette {
    var palette = Palette(width: width, values: [], valuesPerSymbol: 1)
    palette.isPerRow = true
    return palette
  }

  package init(width: Int, values: [UInt8], valuesPerSymbol: Int) {
    self.width = width
    self.values = values
    self.valuesPerSymbol = valuesPerSymbol
  }

  /// Symbols that there are; some number above 256 where there are more.
  package var symbolCount: Int {
    values.isEmpty ? 256 : (0..<valuesPerSymbol).reduce(1) { product, _ in min(product, 257) * count }
  }

  /// Symbols of `valueCount` values; the last may stand for fewer.
  package func symbolCount(of valueCount: Int) -> Int { (valueCount + valuesPerSymbol - 1) / valuesPerSymbol }

  /// Bytes of the entries of all symbols.
  package static let entriesByteCount = 64 * 256

  /// For each symbol the bytes of its values, 64 bytes apart. There must be values.
  package func writeEntries(to entries: UnsafeMutablePointer<UInt8>) {
    unsafe swzip_palette_entries(values, count, width, valuesPerSymbol, entries)
  }

  // MARK: wire

  private static let perRow: UInt16 = 0xFFFF

  package func write(_ writer: inout ByteWriter) {
    writer.integer(UInt8(valuesPerSymbol))
    writer.integer(isPerRow ? Self.perRow : UInt16(count))
    writer.array(values)
  }

  package static func read(_ reader: inout ByteReader, width: Int) throws(SwzipError) -> Palette {
    let perSymbol = Int(try reader.integer(UInt8.self))
    let said = try reader.integer(UInt16.self)
    if said == perRow {
      guard perSymbol == 1 else { throw reader.failure(.limit) }
      return rows(width: width)
    }
    let count = Int(said)
    let palette = Palette(width: width, values: try reader.array(count * width), valuesPerSymbol: perSymbol)
    guard count > 0 ? perSymbol >= 1 && perSymbol <= mostPerSymbol && count >= 2 : perSymbol == 1 && width == 1,
      count <= mostValues, palette.symbolCount <= 256
    else { throw reader.failure(.limit) }
    return palette
  }
}

/// The palette of values as an encoder needs it: the index of each value.
final class PaletteFinder {
  let palette: Palette
  private var indexOf16: [UInt8] = []
  private var indexOf = ValueMap()

  /// The palette of `bytes`, values of `width` bytes; nil if there are more than 256 distinct ones, or too few values
  /// for each to pay. A dense tensor ends after a few hundred values.
  init?(_ bytes: UnsafeRawBufferPointer, width: Int) {
    let count = bytes.count / width
    var seen = [Bool](repeating: false, count: width <= 2 ? 1 << (8 * width) : 0)
    var distinct: [UInt64] = []
    var last: UInt64?
    // A palette of bytes gains only where one symbol stands for several.
    let most = min(width == 1 ? 16 : Palette.mostValues, count / 16)
    for index in 0..<count {
      let value = unsafe Self.value(bytes, index, width)
      guard value != last else { continue }
      last = value
      if width <= 2 {
        guard !seen[Int(value)] else { continue }
        seen[Int(value)] = true
      } else {
        guard indexOf.insert(value) else { continue }
      }
      distinct.append(value)
      guard distinct.count <= most else { return nil }
    }
    guard distinct.count >= 2 else { return nil }
    distinct.sort()
    var perSymbol = 1
    var symbols = distinct.count
    while perSymbol < Palette.mostPerSymbol, symbols * distinct.count <= 256 {
      symbols *= distinct.count
      perSymbol += 1
    }
    var values: [UInt8] = []
    for value in distinct {
      for byte in 0..<width { values.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * byte))) }
    }
    palette = Palette(width: width, values: values, valuesPerSymbol: perSymbol)
    if width <= 2 { indexOf16 = [UInt8](repeating: 0, count: 1 << (8 * width)) }
    for (index, value) in distinct.enumerated() {
      if width <= 2 { indexOf16[Int(value)] = UInt8(index) } else { indexOf.set(value, UInt8(index)) }
    }
  }

  private static func value(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ width: Int) -> UInt64 {
    switch width {
    case 1: unsafe UInt64(bytes[index])
    case 2: unsafe UInt64(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
    case 4: unsafe UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
    default: unsafe UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self))
    }
  }

  /// Writes the symbols of `bytes`.
  func symbols(_ bytes: UnsafeRawBufferPointer, into symbols: UnsafeMutablePointer<UInt8>) {
    let (width, perSymbol, base) = (palette.width, palette.valuesPerSymbol, palette.count)
    let count = bytes.count / width
    if width == 2 {
      unsafe indexOf16.withUnsafeBufferPointer { indexOf16 in
        unsafe Self.gather(count, perSymbol, base, into: symbols) { index in
          unsafe indexOf16[
            Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))]
        }
      }
    } else if width == 1 {
      unsafe indexOf16.withUnsafeBufferPointer { indexOf16 in
        unsafe Self.gather(count, perSymbol, base, into: symbols) { unsafe indexOf16[Int(bytes[$0])] }
      }
    } else {
      var (last, index): (UInt64?, UInt8) = (nil, 0)
      unsafe Self.gather(count, perSymbol, base, into: symbols) { place in
        let value = unsafe Self.value(bytes, place, width)
        if value != last { (last, index) = (value, indexOf.index(of: value)) }
        return index
      }
    }
  }

  /// Joins the indices of neighbouring values.
  @inline(__always)
  private static func gather(
    _ count: Int, _ perSymbol: Int, _ base: Int, into symbols: UnsafeMutablePointer<UInt8>, _ index: (Int) -> UInt8
  ) {
    if perSymbol == 1 {
      for place in 0..<count { unsafe symbols[place] = index(place) }
      return
    }
    var at = 0
    for first in stride(from: 0, to: count, by: perSymbol) {
      var symbol = 0
      for place in stride(from: min(first + perSymbol, count) - 1, through: first, by: -1) {
        symbol = symbol * base + Int(index(place))
      }
      unsafe symbols[at] = UInt8(symbol)
      at += 1
    }
  }
}
