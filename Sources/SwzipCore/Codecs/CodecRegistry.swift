/// The codecs that readers and writers know, in the order in which they are asked for a plan of a segment.
package struct CodecRegistry: Sendable {
  package let codecs: [any Codec.Type]

  package init(_ codecs: [any Codec.Type]) {
    self.codecs = codecs
    modes = codecs.reduce(into: []) { $0.formUnion($1.modes) }
  }

  package static let standard = CodecRegistry([
    DeltaCoding.self, CopyCoding.self, CastKind.self, ReplayCoding.self, LatticeCoding.self, SymbolsCoding.self,
    BytesCoding.self, FloatCoding.self, PlanesCoding.self,
  ])

  /// What dequantised values are measured against.
  static let withoutLattice = CodecRegistry(standard.codecs.filter { $0 != LatticeCoding.self })

  func plan(_ segment: PlainSegment) throws(SwzipError) -> any CodecPlan {
    for codec in codecs { if let plan = try codec.plan(segment) { return plan } }
    throw SwzipError(.invalidArgument, .unknownCodec)
  }

  package subscript(_ id: CodecID) -> (any Codec.Type)? { codecs.first { $0.id == id } }

  /// The modes of all codecs.
  package let modes: Set<BlockMode>
}
