/// A block while it is decoded: what its codec is given.
@safe package struct CodedBlock {
  package let decoder: SegmentDecoder
  /// Its number in the segment.
  package let index: UInt64
  package let mode: BlockMode
  package let flags: UInt8
  /// `Limits.slack` bytes behind it may be read.
  package let frame: UnsafeRawBufferPointer
  /// Exactly its values.
  package let out: UnsafeMutableRawBufferPointer
  /// Whether `out` belongs to something large that is not read soon.
  let streaming: Bool
  package let scratch: DecodeScratch
  /// Of the frame in the container.
  package let position: UInt64
  let reference: ReferenceReader?

  package var segment: SegmentHeader { decoder.header }
  package var valueCount: Int { unsafe out.count / segment.width }

  package func failure(_ rule: SwzipError.Rule, _ kind: SwzipError.Kind = .corrupt) -> SwzipError {
    SwzipError(kind, rule, at: position)
  }

  /// Throws if the block has flags, or a bit set in bytes 26 to `end` of its frame.
  func checkReserved(_ end: Int = 26) throws(SwzipError) {
    guard flags == 0 else { throw failure(.reservedBits, .unsupported) }
    for index in 26..<max(end, 26) {
      guard unsafe frame[index] == 0 else { throw failure(.reservedBits, .unsupported) }
    }
  }

  /// The segment's tables, built when a block first needs them.
  func tables() throws(SwzipError) -> SymbolTables { try decoder.tables(scratch) }

  /// Has reference `number` copy what the block refers to into `target`, or say where it lies.
  func read(
    reference number: Int, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes {
    guard let reference = unsafe reference else { throw failure(.baseMissing, .base) }
    let offset = index * UInt64(Int(segment.blockValues) * segment.referenceWidth)
    let lent = try unsafe reference(number, offset, target)
    return unsafe lent ?? LentBytes(UnsafeRawBufferPointer(target), owner: scratch)
  }

  /// The bytes that the block refers to, by reference, in the scratch.
  func referenced() throws(SwzipError) -> [LentBytes] {
    let bytes = valueCount * segment.referenceWidth
    let memory = try unsafe scratch.values(segment.references.count * bytes)
    var found: [LentBytes] = []
    for number in segment.references.indices {
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[(number * bytes)..<((number + 1) * bytes)])
      found.append(try unsafe read(reference: number, into: target))
    }
    return found
  }
}
