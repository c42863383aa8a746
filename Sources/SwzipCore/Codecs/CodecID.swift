/// The codecs of a segment and the modes of a block (spec/FORMAT.md, sections 4.2 and 4.3), each in this one place.
package enum CodecID: UInt8, Sendable, CaseIterable {
  case bytes, float, planes, copy, symbols, cast, delta

  package var name: String {
    switch self {
    case .bytes: "bytes"
    case .float: "float"
    case .planes: "planes"
    case .copy: "copy"
    case .symbols: "symbols"
    case .cast: "cast"
    case .delta: "delta"
    }
  }

  /// Whether a segment's one reference determines its values.
  package var refers: Bool { self == .copy || self == .cast || self == .delta }

  /// Modes that blocks of the codec may have.
  package func allows(_ mode: BlockMode) -> Bool {
    switch mode {
    case .raw, .constant, .zstd, .lz4: true
    case .huffman, .rans: self == .float || self == .symbols
    case .fixed4, .sparse: self == .float
    case .planes: self == .planes
    case .copy: self == .copy || self == .delta
    case .cast: self == .cast
    case .delta: self == .delta
    }
  }
}

package enum BlockMode: UInt8, Sendable, CaseIterable {
  case raw, constant, zstd, lz4, huffman, fixed4, planes, copy, rans, sparse, cast, delta
}
