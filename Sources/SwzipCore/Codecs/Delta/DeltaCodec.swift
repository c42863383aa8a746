extension CodecID {
  package static let delta = CodecID(rawValue: 6)
}

extension BlockMode {
  package static let delta = BlockMode(rawValue: 11)
}

/// Values as differences to what is predicted from others (spec/codecs/delta.md).
package struct DeltaCoding: Codec {
  package static let id = CodecID.delta
  package static let name = "delta"
  package static let modes: [BlockMode] = [.delta, .copy]

  package let kind: DeltaKind
  package var prediction: Prediction
  package var rans: RansCoding
  /// Values a row; 0 without row classes.
  package var rowLength: UInt32 = 0
  /// T: the exponent of the base whose context is the first.
  package var topExponent: UInt8 = 0
  /// Q: contexts below it are quiet.
  package var quietContexts: UInt8 = 0

  package init(_ kind: DeltaKind, _ prediction: Prediction, _ rans: RansCoding) {
    self.kind = kind
    self.prediction = prediction
    self.rans = rans
  }

  package init(reading reader: inout ByteReader, _ fields: CodingFields, of segment: SegmentHeader) throws(SwzipError) {
    let failure = reader.failure(.blockHeader)
    guard let kind = DeltaKind(segment.elementType), let rans = fields.coder.rans, rans.columns.isEmpty else {
      throw failure
    }
    try fields.checkNoFloat(failure)
    try fields.checkRows(of: segment, failure)
    let top = try reader.integer(UInt8.self)
    guard top <= Limits.topExponent else { throw reader.failure(.limit) }
    self.init(kind, try Prediction.read(&reader), rans)
    guard prediction.predicts(segment.elementType) else { throw reader.failure(.blockHeader) }
    (rowLength, topExponent, quietContexts) = (fields.rowLength, top, try reader.integer(UInt8.self))
    guard kind.fits(rans, quietContexts: Int(quietContexts)) else { throw reader.failure(.codeLengths) }
  }

  package var fields: CodingFields {
    var fields = CodingFields()
    (fields.rowLength, fields.coder) = (rowLength, .rans(rans))
    return fields
  }

  package func writeParameters(_ writer: inout ByteWriter) {
    writer.integer(topExponent)
    prediction.write(&writer)
    writer.integer(quietContexts)
  }

  package var referenceCount: Int? { prediction.referenceCount }
  package var referenceWidth: Int? { prediction.referenceWidth(kind.elementType) }

  package func begin(_ tables: SymbolTables, valueCount: UInt64) throws(SwzipError) {
    try tables.begin(.rans(rans), valueCount: valueCount)
  }

  package func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
    if block.mode == .copy {
      guard prediction != .same else {
        try CopyBlock.decode(block)
        return nil
      }
      try CopyBlock.check(block)
      try unsafe block.out.copyMemory(from: predicted(block).bytes)
    } else {
      try block.checkReserved()
      let tables = try block.tables().rans
      try block.scratch.prepare(block.valueCount, through: DeltaBlock.Area.denseNumbers)
      let base = try predicted(block)
      try unsafe DeltaBlock.decode(
        block.frame, by: self, tables: tables, base: base.bytes, into: block.out, scratch: block.scratch,
        position: block.position)
    }
    return nil
  }

  /// The table of each value of a block, given its base and the class of each of its rows; nil where there is one only.
  func numbers(
    _ base: UnsafeRawPointer, count: Int, classes: UnsafePointer<UInt8>, map: [UInt8],
    into target: UnsafeMutablePointer<UInt8>
  ) -> UnsafePointer<UInt8>? {
    guard rans.tables.count > 1 else { return nil }
    return unsafe kind.contexts(
      base, count: count, classes: classes, rowLength: Int(rowLength), top: topExponent,
      contexts: rans.tableOfContext.count, map: map, into: target)
  }

  /// What a block's values are differences to, in the scratch.
  private func predicted(_ block: CodedBlock) throws(SwzipError) -> LentBytes {
    let references = try block.referenced()
    guard prediction != .same else { return references[0] }
    let target = try unsafe block.scratch.predicted(block.out.count)
    unsafe prediction.predict(kind.elementType, from: references.map { unsafe $0.bytes }, into: target)
    return unsafe LentBytes(UnsafeRawBufferPointer(target), owner: block.scratch)
  }

  package static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
    guard case .delta(let prediction, let references) = segment.range.derivation, let base = unsafe segment.base,
      let kind = DeltaKind(segment.range.elementType)
    else { return nil }
    return try unsafe DeltaPlan(
      segment.values, base, of: kind, prediction, references, rowLength: segment.range.rowLength,
      scratch: segment.scratch)
  }
}

extension SegmentHeader {
  /// Of codec delta.
  package var prediction: Prediction { (coding as? DeltaCoding)?.prediction ?? .same }
}
