package import CSwzipKernels

/// The 32 sub-streams of a block's symbols, encoded (spec/codecs/huffman.md).
package enum HuffmanStreams {
  package typealias Tables = (
    UnsafeMutablePointer<swzip_encode_table>, UnsafeMutablePointer<swzip_encode_table>,
    UnsafeMutablePointer<swzip_encode_table>, UnsafeMutablePointer<swzip_encode_table>
  )

  /// Encodes symbols that lie in coded order, without gaps, at `out` (room for 11/8 of them and 32 bytes).
  /// Coded positions of symbols that their table lacks are in `scratch.missing` afterwards, `missing` counts them.
  package static func encode(
    _ symbols: UnsafePointer<UInt8>, geometry: swzip_geometry, tables: Tables, into out: UnsafeMutableRawPointer,
    scratch: EncodeScratch, missing: inout UInt32
  ) -> StreamDirectory {
    var offsets = InlineArray<33, UInt32>(repeating: 0)
    let start = unsafe out.assumingMemoryBound(to: UInt8.self)
    var end = unsafe start
    var position: UInt32 = 0
    let values = [geometry.values.0, geometry.values.1, geometry.values.2, geometry.values.3]
    let lengths = [geometry.stream.0, geometry.stream.1, geometry.stream.2, geometry.stream.3]
    let all = unsafe [tables.0, tables.1, tables.2, tables.3]
    for group in 0..<4 {
      for part in 0..<8 {
        let from = min(UInt32(part) * lengths[group], values[group])
        let to = min(from + lengths[group], values[group])
        offsets[8 * group + part] = unsafe UInt32(end - start)
        guard to > from else { continue }
        unsafe end = swzip_huffman_encode(
          symbols + Int(position), Int(to - from), all[group], end, position, scratch.missing,
          UInt32(EncodeScratch.missingCapacity), &missing)
        position += to - from
      }
    }
    offsets[32] = unsafe UInt32(end - start)
    return StreamDirectory(offsets: offsets)
  }
}
