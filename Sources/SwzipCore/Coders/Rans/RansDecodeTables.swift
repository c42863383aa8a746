package import CSwzipKernels

/// rANS decode tables in memory, 16 KiB each, built when a block needs them. One thread at a time, until all are built.
package final class RansDecodeTables {
  /// Blocks of more take all tables: looking for those that they need would cost them more.
  private static let fewValues = 2048

  private var memory: Memory?
  private var tables: [RansTable] = []
  private var shift: UInt32 = 0
  /// A bit for each table.
  private var built: UInt32 = 0
  package private(set) var map: [UInt8] = []

  package init() {}

  /// Takes the tables of a coding; reuses the memory of what was there before.
  package func begin(_ coding: RansCoding, shift: UInt32) throws(SwzipError) {
    let byteCount = coding.tables.count * MemoryLayout<swzip_rans_table>.stride
    if memory?.byteCount ?? 0 < byteCount { memory = try Memory(byteCount) }
    (tables, self.shift, built) = (coding.tables, shift, 0)
    map = coding.map
  }

  private var all: UInt32 { UInt32(truncatingIfNeeded: 1 << UInt64(tables.count) - 1) }

  package func buildAll() { build(all) }

  private func build(_ wanted: UInt32) {
    for index in tables.indices where (wanted & ~built) >> UInt32(index) & 1 != 0 {
      unsafe swzip_rans_table_build(tables[index].frequencies, shift, first + index)
    }
    built |= wanted & all
  }

  private var first: UnsafeMutablePointer<swzip_rans_table> {
    unsafe memory!.base.assumingMemoryBound(to: swzip_rans_table.self)
  }

  /// The first table, valid until `begin`; those of these numbers are built, without numbers the first.
  package func first(
    for numbers: UnsafePointer<UInt8>?, count: Int
  ) -> UnsafeMutablePointer<swzip_rans_table> {
    if built != all {
      if let numbers = unsafe numbers {
        var wanted: UInt32 = count > Self.fewValues ? all : 0
        for index in 0..<(count > Self.fewValues ? 0 : count) { unsafe wanted |= 1 << UInt32(numbers[index] & 31) }
        build(wanted)
      } else {
        build(1)
      }
    }
    return unsafe first
  }
}
