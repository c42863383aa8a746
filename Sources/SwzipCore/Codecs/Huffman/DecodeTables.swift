package import CSwzipKernels

/// Decode tables in memory: those of a segment, or one inline table of a block. 16 KiB each.
package final class DecodeTables {
  private var memory: Memory?
  package private(set) var count = 0

  package init() {}

  /// Builds one table for each code; reuses the memory of what was there before. About 5 us a table.
  package func build(_ codes: [CodeLengths], shift: UInt32) throws(SwzipError) {
    let stride = MemoryLayout<swzip_decode_table>.stride
    if memory == nil || memory!.byteCount < codes.count * stride { memory = try Memory(codes.count * stride) }
    count = codes.count
    for (index, code) in codes.enumerated() {
      unsafe swzip_decode_table_build(code.lengths, shift, at(index))
    }
  }

  /// Table number `index`, valid while this object is.
  package func at(_ index: Int) -> UnsafeMutablePointer<swzip_decode_table> {
    precondition(index < count)
    return unsafe memory!.base.assumingMemoryBound(to: swzip_decode_table.self) + index
  }
}
