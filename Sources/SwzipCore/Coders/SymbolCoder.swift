/// How a segment's symbols are coded: by the tables of Huffman, in sub-streams or in nodes, or by those of rANS and its contexts.
package enum SymbolCoder: Equatable, Sendable {
  case huffman([CodeLengths])
  case rans(RansCoding)
  case nodes([CodeLengths])

  /// Those of the encoder's plan: by rANS if there is one for it.
  init(_ tables: HuffmanTables?, _ rans: RansPlan?) {
    if let rans {
      self = .rans(rans.coding)
    } else if let tables, tables.usesNodes {
      self = .nodes(tables.codes)
    } else {
      self = .huffman(tables?.codes ?? [])
    }
  }

  package var rans: RansCoding? { if case .rans(let coding) = self { coding } else { nil } }
  package var tableCount: Int {
    switch self {
    case .huffman(let codes), .nodes(let codes): codes.count
    case .rans(let coding): coding.tables.count
    }
  }
  /// Columns that have classes.
  package var columnCount: Int { rans?.columns.count ?? 0 }

  /// Whether no table has a symbol of `count` or above.
  func fits(_ count: Int) -> Bool {
    switch self {
    case .huffman(let codes), .nodes(let codes): codes.allSatisfy { $0.fits(count) }
    case .rans(let coding): coding.tables.allSatisfy { $0.fits(count) }
    }
  }

  // MARK: wire

  package var number: UInt8 {
    switch self {
    case .huffman: 0
    case .rans: 1
    case .nodes: 2
    }
  }

  /// The mode of blocks that are coded so.
  var mode: BlockMode {
    switch self {
    case .huffman: .huffman
    case .rans: .rans
    case .nodes: .nodes
    }
  }

  package func write(_ writer: inout ByteWriter) {
    switch self {
    case .huffman(let codes), .nodes(let codes): for code in codes { code.write(&writer) }
    case .rans(let coding): coding.write(&writer)
    }
  }

  package static func read(
    _ reader: inout ByteReader, number: UInt8, tables: Int, rowLength: Int
  ) throws(SwzipError) -> SymbolCoder {
    switch number {
    case 0, 2:
      var codes: [CodeLengths] = []
      codes.reserveCapacity(tables)
      for _ in 0..<tables { codes.append(try CodeLengths.read(&reader)) }
      return number == 0 ? .huffman(codes) : .nodes(codes)
    case 1: return .rans(try RansCoding.read(&reader, tables: tables, rowLength: rowLength))
    default: throw reader.failure(.reservedBits, .unsupported)
    }
  }
}
