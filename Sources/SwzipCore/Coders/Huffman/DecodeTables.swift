package import CSwzipKernels

/// Decode tables in memory, 16 KiB each, built when they are first asked for: those of a segment, or one inline table of a
/// block. One thread at a time, until all are built.
package final class DecodeTables {
  /// What is decoded by an entry of one symbol in the time that it takes to build entries of several.
  private static let fewValues: UInt64 = 1024

  /// A table for each group of sub-streams.
  typealias Four = (
    UnsafePointer<swzip_decode_table>, UnsafePointer<swzip_decode_table>, UnsafePointer<swzip_decode_table>,
    UnsafePointer<swzip_decode_table>
  )

  private var memory: Memory?
  private var codes: [CodeLengths] = []
  private var shift: UInt32 = 0
  private var isForFew = false
  /// A bit for each table.
  private var built: UInt32 = 0

  package init() {}

  /// Takes codes, at most `Limits.tablesPerSegment`, for `valueCount` values; reuses the memory of what was there before.
  package func begin(_ codes: [CodeLengths], shift: UInt32, valueCount: UInt64) throws(SwzipError) {
    let byteCount = codes.count * MemoryLayout<swzip_decode_table>.stride
    if memory?.byteCount ?? 0 < byteCount { memory = try Memory(byteCount) }
    (self.codes, self.shift, built) = (codes, shift, 0)
    isForFew = valueCount < Self.fewValues
  }

  package var count: Int { codes.count }

  /// About 1 us a table, or 6 with codes of one bit.
  package func buildAll() {
    for index in codes.indices { unsafe _ = at(index) }
  }

  /// Table number `index`, valid until `begin`.
  package func at(_ index: Int) -> UnsafeMutablePointer<swzip_decode_table> {
    precondition(index < codes.count)
    let table = unsafe memory!.base.assumingMemoryBound(to: swzip_decode_table.self) + index
    if built & 1 << UInt32(index) == 0 {
      if isForFew {
        unsafe swzip_decode_table_build_single(codes[index].lengths, shift, table)
      } else {
        unsafe swzip_decode_table_build(codes[index].lengths, shift, table)
      }
      built |= 1 << UInt32(index)
    }
    return unsafe table
  }
}
