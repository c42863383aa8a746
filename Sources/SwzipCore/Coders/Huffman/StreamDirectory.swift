package import CSwzipKernels

/// Where the 32 sub-streams of a block begin: base length and deltas (spec/codecs/huffman.md).
package struct StreamDirectory {
  /// Byte offsets of the sub-streams and their end.
  package var offsets: InlineArray<33, UInt32> = .init(repeating: 0)

  package var byteCount: Int { Int(offsets[32]) }

  package static func deltaBytes(wide: Bool) -> Int { wide ? 64 : 32 }

  /// Reads deltas at `offset` of `frame`, whose bounds the caller has checked.
  package init(reading frame: UnsafeRawBufferPointer, at offset: Int, base: UInt16, wide: Bool) {
    var position: UInt32 = 0
    for index in 0..<32 {
      offsets[index] = position
      let delta =
        wide
        ? unsafe UInt32(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 2 * index, as: UInt16.self)))
        : unsafe UInt32(frame[offset + index])
      position += UInt32(base) + delta  // at most 32 * 2^17: no overflow
    }
    offsets[32] = position
  }

  package init(offsets: InlineArray<33, UInt32>) { self.offsets = offsets }

  /// Whether exactly the sub-streams that hold symbols have bytes.
  package func agrees(with geometry: swzip_geometry) -> Bool {
    func group(_ index: Int, _ values: UInt32, _ stream: UInt32) -> Bool {
      for part in 0..<8 where (UInt32(part) * stream < values) != (length(8 * index + part) > 0) { return false }
      return true
    }
    return group(0, geometry.values.0, geometry.stream.0) && group(1, geometry.values.1, geometry.stream.1)
      && group(2, geometry.values.2, geometry.stream.2) && group(3, geometry.values.3, geometry.stream.3)
  }

  /// Decodes the symbols of the sub-streams at `start` in unsorted geometry, whole units of them.
  func decode(
    _ start: UnsafePointer<UInt8>, count: Int, tables: DecodeTables.Four, tile: UnsafeMutablePointer<UInt8>,
    into symbols: UnsafeMutablePointer<UInt8>
  ) {
    var offsets = offsets
    unsafe withUnsafeBytes(of: &offsets) { offsets in
      unsafe withUnsafePointer(to: tables) { tables in
        unsafe swzip_symbols_decode(
          start, offsets.baseAddress!.assumingMemoryBound(to: UInt32.self), UInt32(count),
          UnsafeRawPointer(tables).assumingMemoryBound(to: UnsafePointer<swzip_decode_table>?.self), tile, symbols)
      }
    }
  }

  private func length(_ index: Int) -> UInt32 { offsets[index + 1] - offsets[index] }

  /// The wire form. Nil where a sub-stream is longer than the format can say (the block is then stored another way).
  package var wire: (base: UInt16, wide: Bool)? {
    var least = UInt32.max
    var most: UInt32 = 0
    for index in 0..<32 {
      least = min(least, length(index))
      most = max(most, length(index))
    }
    guard least <= 0xFFFF, most - least <= 0xFFFF else { return nil }
    return (UInt16(least), most - least > 255)
  }

  package func write(to deltas: UnsafeMutableRawPointer, base: UInt16, wide: Bool) {
    for index in 0..<32 {
      let delta = length(index) - UInt32(base)
      if wide {
        unsafe deltas.storeBytes(of: UInt16(delta).littleEndian, toByteOffset: 2 * index, as: UInt16.self)
      } else {
        unsafe deltas.storeBytes(of: UInt8(delta), toByteOffset: index, as: UInt8.self)
      }
    }
  }
}
