internal import CSwzipKernels

/// What the coded blocks of a segment are decoded by: tables of its coder, and what its codec looks up by symbol.
package final class SymbolTables {
  package let huffman = DecodeTables()
  package let nodes = NodeTrees()
  package let rans = RansDecodeTables()
  private var entryMemory: Memory?

  /// Takes those of a segment, none of which is built yet.
  package func begin(_ coder: SymbolCoder, shift: UInt32 = 0, valueCount: UInt64) throws(SwzipError) {
    switch coder {
    case .huffman(let codes): try huffman.begin(codes, shift: shift, valueCount: valueCount)
    case .nodes(let codes): try nodes.begin(codes, shift: shift)
    case .rans(let coding): try rans.begin(coding, shift: shift)
    }
  }

  /// Room for entries of the codec's own.
  func makeEntries(_ byteCount: Int) throws(SwzipError) -> UnsafeMutablePointer<UInt8> {
    if entryMemory?.byteCount ?? 0 < byteCount { entryMemory = try Memory(byteCount) }
    return unsafe entries
  }

  /// From here on several threads may use them.
  func buildAll() {
    huffman.buildAll()
    nodes.buildAll()
    rans.buildAll()
  }

  /// Of a codec that has made some.
  var entries: UnsafeMutablePointer<UInt8> { unsafe entryMemory!.base.assumingMemoryBound(to: UInt8.self) }
}
