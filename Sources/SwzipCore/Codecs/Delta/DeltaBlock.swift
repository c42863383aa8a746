internal import CSwzipKernels

/// Blocks of mode delta (spec/codecs/delta.md).
enum DeltaBlock {
  /// What decoding takes in the scratch. Quiet values: symbols of all of them come where the tables' numbers were.
  enum Area: Int, ScratchArea { case symbols, tableNumbers, rowClasses, mask, denseNumbers }

  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, width: Int) -> Int { RansStreams.bound(count) + count * (width + 1) + 64 }

  /// Writes the payload; returns the frame's size. Nil where quiet values have more changes than a block can say.
  static func encode(
    _ values: UnsafeRawBufferPointer, _ base: UnsafeRawBufferPointer, block: Int, plan: DeltaPlan,
    into frame: UnsafeMutableRawBufferPointer, scratch: EncodeScratch
  ) -> Int? {
    let count = values.count / plan.delta.kind.width
    return unsafe withUnsafePointer(to: plan.delta.kind.kernel) { kernel in
      unsafe swzip_delta_symbols(kernel, values.baseAddress!, base.baseAddress!, count, scratch.symbols)
      guard let end = unsafe plan.writeSymbols(base, block: block, count: count, to: frame, scratch: scratch) else {
        return nil
      }
      let lowBytes = unsafe swzip_delta_low_bits(
        kernel, values.baseAddress!, base.baseAddress!, scratch.symbols, count, frame.mutable(end))
      return unsafe padFrame(frame.baseAddress!, from: end + lowBytes)
    }
  }

  /// Decodes a block, given the base of its values.
  static func decode(
    _ frame: UnsafeRawBufferPointer, by delta: DeltaCoding, tables: RansDecodeTables, base: UnsafeRawBufferPointer,
    into out: UnsafeMutableRawBufferPointer, scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) {
    let kind = delta.kind
    let count = out.count / kind.width
    let isQuiet = delta.quietContexts > 0
    let part = try unsafe RansFrame(
      frame, count: count, rowLength: Int(delta.rowLength), coding: delta.rans, reserved: false, position: position)
    var low = part.words.upperBound
    let (classes, symbols) = unsafe (scratch.area(Area.rowClasses), scratch.area(Area.symbols))
    let tableNumbers = unsafe scratch.area(Area.tableNumbers)
    unsafe part.unpackClasses(frame, by: delta.rans, into: classes)
    let numbers = unsafe delta.numbers(
      base.baseAddress!, count: count, classes: classes, map: tables.map, into: tableNumbers)
    let changed = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self)))
    guard isQuiet || changed == 0 else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    if isQuiet {
      let dense = unsafe Dense(numbers!, count, scratch)
      let coded = dense.count + 2 * changed
      guard coded <= count, part.wordCount <= coded else { throw SwzipError(.corrupt, .blockHeader, at: position) }
      dense.appendChanges(changed)
      try unsafe part.decode(
        frame, count: coded, numbers: dense.numbers, tables: tables, into: symbols, position: position)
      var lowBytes = frame.count - low
      guard unsafe dense.expand(count, changed, low: frame.pointer(low), &lowBytes, scratch) else {
        throw SwzipError(.corrupt, .subStreams, at: position)
      }
      low += lowBytes
    } else {
      try unsafe part.decode(frame, count: count, numbers: numbers, tables: tables, into: symbols, position: position)
    }
    // How many bytes the low bits fill follows from the symbols.
    let lowBytes = unsafe withUnsafePointer(to: kind.kernel) {
      unsafe swzip_delta_apply(
        $0, isQuiet ? tableNumbers : symbols, frame.pointer(low), frame.count - low, base.baseAddress!, count,
        out.baseAddress!)
    }
    guard (low + lowBytes + 15) & ~15 == frame.count, low + lowBytes <= frame.count else {
      throw SwzipError(.corrupt, .frameSize, at: position)
    }
    try unsafe checkPadding(frame, (low + lowBytes)..<frame.count, at: position)
  }
}

/// The values of a block that are not quiet, while it is decoded.
@safe private struct Dense {
  let count: Int
  /// Tables of their symbols, then of gaps and changes.
  let numbers: UnsafeMutablePointer<UInt8>

  /// `tables`: of each value; those of quiet values are 0.
  init(_ tables: UnsafePointer<UInt8>, _ valueCount: Int, _ scratch: DecodeScratch) {
    unsafe numbers = scratch.area(DeltaBlock.Area.denseNumbers)
    count = unsafe swzip_delta_dense(tables, valueCount, scratch.area(DeltaBlock.Area.mask), numbers)
  }

  func appendChanges(_ changed: Int) {
    unsafe (numbers + count).update(repeating: 0, count: changed)
    unsafe (numbers + count + changed).update(repeating: 1, count: changed)
  }

  /// Puts the symbols of all values where the tables were. `lowBytes`: those that there are, then those used.
  func expand(
    _ valueCount: Int, _ changed: Int, low: UnsafePointer<UInt8>, _ lowBytes: inout Int, _ scratch: DecodeScratch
  ) -> Bool {
    let (symbols, mask) = unsafe (scratch.area(DeltaBlock.Area.symbols), scratch.area(DeltaBlock.Area.mask))
    let all = unsafe scratch.area(DeltaBlock.Area.tableNumbers)
    unsafe swzip_sparse_expand(mask, UInt32(valueCount), 1, symbols, all)
    return unsafe swzip_delta_scatter(
      symbols + count, symbols + count + changed, changed, low, &lowBytes, mask, valueCount, all)
  }
}
