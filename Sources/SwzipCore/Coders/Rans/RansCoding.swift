/// How the symbols of a segment are coded by rANS: its tables, and which of them a value takes (spec/codecs/rans.md).
package struct RansCoding: Equatable, Sendable {
  package static let mostRowBits = 4
  package static let mostContexts = 32

  package var tables: [RansTable]
  /// Bits of a row's class in the blocks, 0 to 4.
  package var rowBits: Int
  /// Class of each column, below 16; empty if columns do not count.
  package var columns: [UInt8]
  /// The table for each sum of a row's class and a column's.
  package var tableOfContext: [UInt8]

  package init(tables: [RansTable], rowBits: Int = 0, columns: [UInt8] = [], tableOfContext: [UInt8] = [0]) {
    self.tables = tables
    self.rowBits = rowBits
    self.columns = columns
    self.tableOfContext = tableOfContext
  }

  /// Table numbers with the padding that kernels want.
  var map: [UInt8] { tableOfContext + [UInt8](repeating: 0, count: Self.mostContexts - tableOfContext.count) }

  /// Bytes of the classes of `rows` rows.
  package func rowClassBytes(_ rows: Int) -> Int { (rows * rowBits + 7) / 8 }

  /// Whether every sum of classes has a table, so that blocks need no check; and there are contexts for nothing else.
  package var coversClasses: Bool {
    let contexts = tableOfContext.count
    return (contexts > 1 ? rowBits > 0 || !columns.isEmpty : tableOfContext == [0])
      && (1 << rowBits) - 1 + Int(columns.max() ?? 0) < contexts
  }

  // MARK: wire

  package func write(_ writer: inout ByteWriter) {
    for table in tables { table.write(&writer) }
    writer.integer(UInt8(rowBits))
    writer.integer(UInt8(tableOfContext.count))
    writer.array(tableOfContext)
    writer.integer(UInt8(columns.isEmpty ? 0 : 1))
    for index in stride(from: 0, to: columns.count, by: 2) {
      writer.integer(columns[index] | (index + 1 < columns.count ? columns[index + 1] << 4 : 0))
    }
  }

  package static func read(
    _ reader: inout ByteReader, tables count: Int, rowLength: Int
  ) throws(SwzipError) -> RansCoding {
    guard count >= 1 else { throw reader.failure(.codeLengths) }
    var tables: [RansTable] = []
    tables.reserveCapacity(count)
    for _ in 0..<count { tables.append(try RansTable.read(&reader)) }
    let rowBits = Int(try reader.integer(UInt8.self))
    let contexts = Int(try reader.integer(UInt8.self))
    guard rowBits <= mostRowBits, contexts >= 1, contexts <= mostContexts else { throw reader.failure(.limit) }
    let tableOfContext = try reader.array(contexts)
    guard tableOfContext.allSatisfy({ $0 < count }) else { throw reader.failure(.codeLengths) }
    var columns: [UInt8] = []
    switch try reader.integer(UInt8.self) {
    case 0: break
    case 1:
      guard rowLength > 0 else { throw reader.failure(.blockHeader) }
      let pairs = try reader.array((rowLength + 1) / 2)
      columns.reserveCapacity(2 * pairs.count)
      for pair in pairs {
        columns.append(pair & 15)
        columns.append(pair >> 4)
      }
      if columns.count > rowLength, columns.removeLast() != 0 { throw reader.failure(.padding) }
    default: throw reader.failure(.reservedBits, .unsupported)
    }
    guard rowBits == 0 || rowLength > 0 else { throw reader.failure(.blockHeader) }
    return RansCoding(tables: tables, rowBits: rowBits, columns: columns, tableOfContext: tableOfContext)
  }
}
