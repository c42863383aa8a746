/// What a level means to the codecs. Levels rise by what they cost to decode.
package struct Effort: Equatable, Sendable {
  package let level: Int
  /// The level that plain bytes are coded by: of all segments of a container.
  private let bytesLevel: Int
  /// Whether symbols of Huffman tables are coded by nodes, not in sub-streams.
  package let usesNodes: Bool

  package init(level: Int, usesNodes: Bool = true) {
    self.init(level: level, bytesLevel: level, usesNodes: usesNodes)
  }

  private init(level: Int, bytesLevel: Int, usesNodes: Bool) {
    (self.level, self.bytesLevel, self.usesNodes) = (level, bytesLevel, usesNodes)
  }

  /// Lower levels whose way with values is tried too: what a level adds does not pay for each segment.
  var lower: [Effort] {
    let levels = level < 4 ? Array((1..<level).reversed()) : level < 7 ? [3, 2] : [5, 3, 2]
    return levels.map { Effort(level: $0, bytesLevel: bytesLevel, usesNodes: usesNodes) }
  }

  /// Mantissa bits in a float's symbol.
  package func mantissaBits(of elementType: ElementType) -> UInt8 {
    switch elementType {
    case .bf16: level < 3 ? 0 : level < 5 ? 1 : 2
    // A quarter of an fp32's bits: J = 1 saves 0.13 points of the file and costs a sixth of the decoder's speed.
    case .f32: level < 4 ? 0 : level < 5 ? 1 : 2
    case .f16: level < 5 ? 1 : 2
    default: 1
    }
  }
  /// bf16 exponents as four-bit codes.
  package var usesFixed4: Bool { level == 1 }
  /// Symbols by rANS with row and column classes instead of Huffman.
  package var usesRans: Bool { level >= 7 }
  /// Bytes that another table of rANS has to save. A small segment decodes in the time that a few tables take to build.
  var ransTableBytes: Int { level < 4 ? 24 : 0 }
  /// Values of the largest block of values of that width coded by rANS.
  package func ransBlockValues(width: Int) -> Int {
    level >= 9 ? Limits.largestWrittenBlock : Limits.writtenBlockValues(width: width)
  }
  /// Values of the largest block of any kind.
  package var largestBlock: Int { max(ransBlockValues(width: 1), Limits.writtenBlockValues(width: 1)) }
  package var usesLz4: Bool { bytesLevel == 1 }
  package var sortsRows: Bool { level >= 2 }
  /// Most tables of a float segment.
  package var tables: Int { level == 1 ? 1 : level < 5 ? 8 : 16 }
  /// Values for which a further table pays.
  package var valuesPerTable: Int { level < 5 ? 65_536 : 49_152 }
  /// Whether tables are made from all values of the blocks looked at, not from a part.
  package var countsAll: Bool { level >= 5 }
  package var usesRowPalettes: Bool { level >= 2 }
  package var triesZstd: Bool { level >= 2 }
  /// zstd, which decodes at a third of the speed of nodes and worse, has to save that share of what is coded against them.
  var zstdLeastGain: Int { level < 7 ? 500 : .max }
  /// Whether small files that repeat each other are coded together, which costs whoever reads one.
  package var joinsFiles: Bool { level >= 7 }
  /// Levels of zstd that are tried for planes and other parts of values, ascending.
  package var zstdLevels: [Int32] {
    switch bytesLevel {
    case 1: [1]
    case 2, 3: [1, 3]
    case 4, 5, 6: [1, 3, 9]
    default: [1, 3, 9, 19]
    }
  }
  /// Those for plain bytes. A block does not see the one before: a higher level makes up for that against zstd of the level.
  var plainLevels: [Int32] {
    switch bytesLevel {
    case 1: [1, 2]
    case 2, 3: [1, 3, 6]
    case 4, 5, 6: [1, 3, 9]
    default: [1, 3, 9, 19]
    }
  }
}
