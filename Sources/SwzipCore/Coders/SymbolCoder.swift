/// How a segment's symbols are coded: by the tables of Huffman, or by those of rANS and its contexts.
package enum SymbolCoder: Equatable, Sendable {
  case huffman([CodeLengths])
  case rans(RansCoding)

  /// Those of the encoder's plan: by rANS if there is one for it.
  init(_ tables: HuffmanTables?, _ rans: RansPlan?) {
    self = rans.map { .rans($0.coding) } ?? .huffman(tables?.codes ?? [])
  }

  package var rans: RansCoding? { if case .rans(let coding) = self { coding } else { nil } }
  package var tableCount: Int {
    switch self {
    case .huffman(let codes): codes.count
    case .rans(let coding): coding.tables.count
    }
  }
  /// Columns that have classes.
  package var columnCount: Int { rans?.columns.count ?? 0 }

  /// Whether no table has a symbol of `count` or above.
  func fits(_ count: Int) -> Bool {
    switch self {
    case .huffman(let codes): codes.allSatisfy { $0.fits(count) }
    case .rans(let coding): coding.tables.allSatisfy { $0.fits(count) }
    }
  }

  // MARK: wire

  package var number: UInt8 { rans == nil ? 0 : 1 }

  package func write(_ writer: inout ByteWriter) {
    switch self {
    case .huffman(let codes): for code in codes { code.write(&writer) }
    case .rans(let coding): coding.write(&writer)
    }
  }

  package static func read(
    _ reader: inout ByteReader, number: UInt8, tables: Int, rowLength: Int
  ) throws(SwzipError) -> SymbolCoder {
    switch number {
    case 0:
      var codes: [CodeLengths] = []
      codes.reserveCapacity(tables)
      for _ in 0..<tables { codes.append(try CodeLengths.read(&reader)) }
      return .huffman(codes)
    case 1: return .rans(try RansCoding.read(&reader, tables: tables, rowLength: rowLength))
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }
}
