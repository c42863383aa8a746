internal import CSwzipKernels

/// Blocks of mode delta (spec/codecs/delta.md).
enum DeltaBlock {
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
    let layout = try unsafe RansStreams.read(
      frame, count: count, rowLength: Int(delta.rowLength), coding: delta.rans, reserved: false,
      scratch: scratch, position: position)
    let words = (layout.end + 15) & ~15
    var low = words + 2 * layout.wordCount
    guard low <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    try unsafe checkPadding(frame, layout.end..<words, at: position)
    let numbers = unsafe delta.numbers(
      base.baseAddress!, count: count, classes: layout.classes, map: tables.map, into: scratch.tableNumbers)
    let changed = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self)))
    guard isQuiet || changed == 0 else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    let symbols: UnsafePointer<UInt8>
    if isQuiet {
      let dense = unsafe Dense(numbers!, count, scratch)
      guard dense.count + 2 * changed <= count, layout.wordCount <= dense.count + 2 * changed else {
        throw SwzipError(.corrupt, .blockHeader, at: position)
      }
      dense.appendChanges(changed)
      guard
        unsafe swzip_rans_decode(
          frame.pointer(words), layout.wordCount, layout.states, dense.count + 2 * changed, dense.numbers,
          tables.first(for: dense.numbers, count: dense.count + 2 * changed), scratch.symbols)
      else { throw SwzipError(.corrupt, .subStreams, at: position) }
      var lowBytes = frame.count - low
      guard unsafe dense.expand(count, changed, low: frame.pointer(low), &lowBytes, scratch) else {
        throw SwzipError(.corrupt, .subStreams, at: position)
      }
      low += lowBytes
      unsafe symbols = UnsafePointer(scratch.tableNumbers)
    } else {
      // Within the frame and its slack by the checks above.
      guard
        unsafe swzip_rans_decode(
          frame.pointer(words), layout.wordCount, layout.states, count, numbers,
          tables.first(for: numbers, count: count), scratch.symbols)
      else { throw SwzipError(.corrupt, .subStreams, at: position) }
      unsafe symbols = UnsafePointer(scratch.symbols)
    }
    // How many bytes the low bits fill follows from the symbols.
    let lowBytes = unsafe withUnsafePointer(to: kind.kernel) {
      unsafe swzip_delta_apply(
        $0, symbols, frame.pointer(low), frame.count - low, base.baseAddress!, count, out.baseAddress!)
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
    unsafe numbers = scratch.signs
    count = unsafe swzip_delta_dense(tables, valueCount, scratch.mask, numbers)
  }

  func appendChanges(_ changed: Int) {
    unsafe (numbers + count).update(repeating: 0, count: changed)
    unsafe (numbers + count + changed).update(repeating: 1, count: changed)
  }

  /// Puts the symbols of all values where the tables were. `lowBytes`: those that there are, then those used.
  func expand(
    _ valueCount: Int, _ changed: Int, low: UnsafePointer<UInt8>, _ lowBytes: inout Int, _ scratch: DecodeScratch
  ) -> Bool {
    let symbols = unsafe scratch.symbols
    unsafe swzip_sparse_expand(scratch.mask, UInt32(valueCount), 1, symbols, scratch.tableNumbers)
    return unsafe swzip_delta_scatter(
      symbols + count, symbols + count + changed, changed, low, &lowBytes, scratch.mask, valueCount,
      scratch.tableNumbers)
  }
}
