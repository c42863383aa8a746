internal import CSwzipKernels

/// Blocks of mode replay (spec/codecs/replay.md).
enum ReplayBlock {
  /// The flag of a block that is exactly what is computed.
  private static let isExact: UInt8 = 1
  /// What encoding and decoding take in the scratch: symbols, their tables, differences of scales and minima with the changes
  /// of codes behind them, places of those.
  private enum Area: Int, ScratchArea { case symbols, tables, differences, places }

  /// Bytes of the low bits of tokens, at most: 14 bits of two differences a value, 24 of each gap.
  private static func lowBound(_ count: Int) -> Int { count * 28 / 8 + 3 * ReplayKind.mostChanges + 64 }

  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, kind: ReplayKind) -> Int {
    RansStreams.bound(kind.runs(count, changes: ReplayKind.mostChanges).reduce(0, +)) + lowBound(count)
  }

  /// A block's differences to what is computed, as symbols in the scratch.
  @safe struct Differences {
    /// Symbols of each context, one after the other.
    let runs: [Int]
    let symbols: UnsafeMutablePointer<UInt8>
    let low: UnsafeMutablePointer<UInt8>
    let lowBytes: Int
    var changed: Int { runs[5] }
    var count: Int { runs.reduce(0, +) }

    /// Nil where too many codes differ.
    init?(
      _ values: UnsafeRawBufferPointer, _ reference: UnsafeRawBufferPointer, _ kind: ReplayKind, scratch: EncodeScratch
    ) {
      let count = values.count / kind.elementType.width
      precondition(count <= kind.mostValues && reference.count == count * kind.referenceWidth)
      unsafe symbols = scratch.area(Area.symbols)
      unsafe low = scratch.symbols
      var block = unsafe ReplayBlock.room(
        count, differences: scratch.area(Area.differences), places: scratch.area(Area.places))
      unsafe block.scales = scratch.area(Area.tables)
      unsafe block.minima = block.scales + count * Int(kind.shape.groups)
      var replay = kind.kernel
      let changed = unsafe swzip_replay_encode(
        &replay, &block, reference.baseAddress!, values.baseAddress!, ReplayKind.mostChanges)
      guard changed <= ReplayKind.mostChanges else { return nil }
      unsafe block.changed = changed
      runs = kind.runs(count, changes: changed)
      lowBytes = unsafe swzip_replay_write(&replay, &block, symbols, low)
    }

    /// Whether there are none.
    var areNone: Bool {
      unsafe lowBytes == 0 && symbols[0] == 0
        && BytesBlock.isConstant(UnsafeRawBufferPointer(start: symbols, count: count), width: 1)
    }
  }

  /// Room for the parts of a block that are not symbols as they are.
  private static func room(
    _ count: Int, differences: UnsafeMutablePointer<UInt8>, places: UnsafeMutablePointer<UInt8>
  ) -> swzip_replay_block {
    var block = unsafe swzip_replay_block()
    unsafe block.count = count
    unsafe block.scale = UnsafeMutableRawPointer(differences).assumingMemoryBound(to: Int16.self)
    unsafe block.minimum = block.scale + count
    unsafe block.changes = differences + 4 * count
    unsafe block.places = UnsafeMutableRawPointer(places).assumingMemoryBound(to: UInt32.self)
    return unsafe block
  }

  /// Writes the payload; nil where too many codes differ from what is computed.
  static func encode(_ block: PlainBlock, _ reference: UnsafeRawBufferPointer, plan: ReplayPlan) -> BlockPayload? {
    let scratch = block.scratch
    let frame = unsafe block.frame
    guard let found = unsafe Differences(block.values, reference, plan.replay.kind, scratch: scratch) else {
      return nil
    }
    guard !found.areNone else {
      unsafe BytesBlock.clearParameters(frame)
      return BlockPayload(.replay, flags: isExact, byteCount: BlockHeader.byteCount)
    }
    let tables = unsafe scratch.area(Area.tables)
    unsafe plan.replay.fill(tables, found.runs)
    let end = unsafe plan.encoder.write(
      found.count, symbols: found.symbols, classes: [], numbers: tables, to: frame, scratch: scratch)
    unsafe frame.storeBytes(of: UInt16(found.changed).littleEndian, toByteOffset: 26, as: UInt16.self)
    unsafe (frame.baseAddress! + end).copyMemory(from: found.low, byteCount: found.lowBytes)
    return unsafe BlockPayload(.replay, byteCount: padFrame(frame.baseAddress!, from: end + found.lowBytes))
  }

  static func decode(_ block: CodedBlock, by coding: ReplayCoding) throws(SwzipError) {
    guard block.flags & ~isExact == 0 else { throw block.failure(.reservedBits, .unsupported) }
    let (kind, scratch) = (coding.kind, block.scratch)
    try scratch.prepare(block.valueCount, through: Area.places)
    let symbols = unsafe scratch.area(Area.symbols)
    var parts = unsafe room(
      block.valueCount, differences: scratch.area(Area.differences), places: scratch.area(Area.places))
    var replay = kind.kernel
    let frame = unsafe block.frame
    var (low, lowBytes) = (BlockHeader.byteCount, 0)
    if block.flags == isExact {
      for index in 26..<BlockHeader.byteCount {
        guard unsafe frame[index] == 0 else { throw block.failure(.blockHeader) }
      }
      unsafe symbols.update(repeating: 0, count: kind.runs(block.valueCount, changes: 0).reduce(0, +))
    } else {
      let changed = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self)))
      guard changed <= ReplayKind.mostChanges else { throw block.failure(.blockHeader) }
      unsafe parts.changed = changed
      let runs = kind.runs(block.valueCount, changes: changed)
      let count = runs.reduce(0, +)
      let coded = try unsafe RansFrame(
        frame, count: count, rowLength: 0, coding: coding.rans, reserved: false, position: block.position)
      unsafe coding.fill(scratch.area(Area.tables), runs)
      try unsafe coded.decode(
        frame, count: count, numbers: scratch.area(Area.tables), tables: block.tables().rans, into: symbols,
        position: block.position)
      (low, lowBytes) = (coded.words.upperBound, frame.count - coded.words.upperBound)
    }
    guard unsafe swzip_replay_read(&replay, symbols, frame.pointer(low), &lowBytes, &parts) else {
      throw block.failure(.subStreams)
    }
    guard (low + lowBytes + 15) & ~15 == frame.count else { throw block.failure(.frameSize) }
    try unsafe checkPadding(frame, (low + lowBytes)..<frame.count, at: block.position)
    let values = try block.referenced()[0]
    unsafe swzip_replay_decode(&replay, &parts, values.bytes.baseAddress!, block.out.baseAddress!)
  }
}
