extension FloatPlan: CodecPlan {
  var coding: any Coding { floatCoding }
  var floatCoding: FloatCoding {
    FloatCoding(
      kind, windowBase: windowBase, usesFixed4 ? .huffman([]) : SymbolCoder(tables, rans),
      rowLength: UInt32(rowLength))
  }
  var references: [Reference] { [] }

  func bound(_ valueCount: Int) -> Int {
    let inner =
      rans == nil ? FloatBlock.bound(valueCount, kind: kind) : FloatBlock.ransBound(valueCount, kind: kind)
    return isSparse ? SparseBlock.bound(valueCount, inner: inner) : inner
  }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    if let constant = BytesBlock.encodeConstant(block) { return constant }
    if usesFixed4 {
      return unsafe BlockPayload(
        .fixed4, byteCount: FloatBlock.encodeFixed4(block.values, plan: self, into: block.frame))
    }
    guard isSparse else { return unsafe encode(block, block.values, into: block.frame) }
    return unsafe SparseBlock.encode(
      block.values, width: kind.width, into: block.frame, scratch: block.scratch, effort: block.effort
    ) { unsafe encode(block, $0, into: $1) }
  }

  /// Values as symbols and raw bits: of a block, or of the inner part of a sparse one. Nil where that does not do.
  private func encode(
    _ block: PlainBlock, _ values: UnsafeRawBufferPointer, into frame: UnsafeMutableRawBufferPointer
  ) -> BlockPayload? {
    if let rans {
      return unsafe FloatBlock.encodeRans(
        values, block: block.index, plan: rans, kind: kind, windowBase: windowBase, into: frame, scratch: block.scratch,
        effort: block.effort
      ).map { BlockPayload(.rans, flags: $0.flags, byteCount: $0.byteCount) }
    }
    return unsafe FloatBlock.encode(values, plan: self, into: frame, scratch: block.scratch, effort: block.effort)
      .map { BlockPayload(tables!.usesNodes ? .nodes : .huffman, flags: $0.flags, byteCount: $0.byteCount) }
  }
}
