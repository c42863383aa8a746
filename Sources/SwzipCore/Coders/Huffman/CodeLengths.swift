internal import CSwzipKernels

/// The code lengths of a Huffman table and their wire form (spec/codecs/huffman.md).
package struct CodeLengths: Equatable, Sendable {
  /// 256 lengths, 0 = absent.
  package let lengths: [UInt8]

  /// The best code of at most 11 bits for these counts; symbols that do not occur get none.
  package init(counts: UnsafePointer<UInt32>) {
    unsafe lengths = [UInt8](unsafeUninitializedCapacity: 256) { buffer, count in
      unsafe swzip_code_lengths(counts, buffer.baseAddress!)
      count = 256
    }
  }

  private init(checked lengths: [UInt8]) { self.lengths = lengths }

  /// Whether no symbol of `count` or above has a code.
  package func fits(_ count: Int) -> Bool { lengths[count...].allSatisfy { $0 == 0 } }

  /// Stretches of symbols that are present (not 0), with up to `gap` absent ones between.
  static func runs(_ symbols: [UInt8], gap: Int) -> [(first: Int, last: Int)] {
    var runs: [(first: Int, last: Int)] = []
    for symbol in symbols.indices where symbols[symbol] != 0 {
      if let last = runs.last?.last, symbol - last <= gap + 1 {
        runs[runs.count - 1].last = symbol
      } else {
        runs.append((symbol, symbol))
      }
    }
    return runs
  }

  package func write(_ writer: inout ByteWriter) {
    // A new run costs two bytes, as four absent symbols do.
    let runs = Self.runs(lengths, gap: 3)
    writer.integer(UInt8(runs.count))
    for run in runs {
      writer.integer(UInt8(run.first))
      writer.integer(UInt8(run.last - run.first))
      for symbol in stride(from: run.first, through: run.last, by: 2) {
        writer.integer(lengths[symbol] | (symbol < run.last ? lengths[symbol + 1] << 4 : 0))
      }
    }
  }

  package static func read(_ reader: inout ByteReader) throws(SwzipError) -> CodeLengths {
    var lengths = [UInt8](repeating: 0, count: 256)
    var (next, kraft, symbols) = (0, 0, 0)
    for _ in 0..<(try reader.integer(UInt8.self)) {
      let first = Int(try reader.integer(UInt8.self))
      let count = Int(try reader.integer(UInt8.self)) + 1
      guard first >= next, first + count <= 256 else { throw reader.failure(.codeLengths) }
      for index in stride(from: 0, to: count, by: 2) {
        let pair = try reader.integer(UInt8.self)
        for part in 0..<2 {
          let length = part == 0 ? pair & 15 : pair >> 4
          guard length != 0 else { continue }
          guard length <= SWZIP_CODE_BITS, index + part < count else { throw reader.failure(.codeLengths) }
          lengths[first + index + part] = length
          kraft += 1 << (Int(SWZIP_CODE_BITS) - Int(length))
          symbols += 1
        }
      }
      next = first + count
    }
    guard symbols >= 2, kraft == 1 << SWZIP_CODE_BITS else { throw reader.failure(.codeLengths) }
    return CodeLengths(checked: lengths)
  }
}
