internal import CSwzipKernels

/// The four lists of a block's symbols (spec/codecs/nodes.md): by which tables they are coded, and how long they are.
package struct NodeLists: Sendable {
  /// Behind tables and lengths.
  static let fieldsEnd = 48

  let tables: InlineArray<4, Int>
  let lengths: InlineArray<4, Int>

  var byteCount: Int { lengths[0] + lengths[1] + lengths[2] + lengths[3] }

  /// Reads the fields of a block, bytes 26 to 47 of its frame.
  init(_ frame: UnsafeRawBufferPointer, tableCount: Int, position: UInt64) throws(SwzipError) {
    guard frame.count >= Self.fieldsEnd else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    guard unsafe frame[26] == 0, unsafe frame[27] == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    tables = InlineArray { unsafe Int(frame[28 + $0]) }
    lengths = InlineArray {
      unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 32 + 4 * $0, as: UInt32.self)))
    }
    for group in 0..<4 where tables[group] >= tableCount { throw SwzipError(.corrupt, .blockHeader, at: position) }
  }

  /// Decodes the lists at `start`, checked to lie in the frame, to `count` symbols in coded order. `room`: a tile. The kernel writes
  /// whole units of 64 symbols: a list whose last unit ends behind the symbols comes by way of `spare`, if there is one.
  func decode(
    _ start: UnsafePointer<UInt8>, geometry: swzip_geometry, trees: NodeTrees,
    into symbols: UnsafeMutablePointer<UInt8>, count: Int, spare: UnsafeMutablePointer<UInt8>? = nil,
    room: UnsafeMutablePointer<UInt8>, position: UInt64
  ) throws(SwzipError) {
    var (from, to) = unsafe (start, symbols)
    let values = geometry.groupValues
    for group in 0..<4 {
      let mine = Int(values[group])
      let spare = unsafe to + (mine + 63) & ~63 > symbols + count ? spare : nil
      guard
        unsafe swzip_nodes_decode(
          trees.at(tables[group]), from, lengths[group], values[group], spare ?? to, room)
      else { throw SwzipError(.corrupt, .subStreams, at: position) }
      if let spare = unsafe spare { unsafe to.update(from: spare, count: mine) }
      unsafe from += lengths[group]
      unsafe to += mine
    }
  }

  /// Encodes symbols that lie in coded order, without gaps, at `out` (room for 11/8 of them and `slack`), and writes the fields of
  /// the block; returns the bytes of all lists. Coded positions of symbols that their table lacks are in `scratch.missing`
  /// afterwards, `missing` counts them.
  static func encode(
    _ symbols: UnsafePointer<UInt8>, geometry: swzip_geometry, tables: HuffmanTables,
    into frame: UnsafeMutableRawBufferPointer, at offset: Int, scratch: EncodeScratch, missing: inout UInt32
  ) -> Int {
    let numbers = unsafe tables.choose(symbols, geometry, frame: frame, scratch: scratch)
    let values = geometry.groupValues
    var (position, end) = (UInt32(0), unsafe frame.mutable(offset))
    for group in 0..<4 {
      let from = unsafe end
      unsafe withUnsafeMutablePointer(to: &missing) { missing in
        var report = unsafe swzip_missing(
          position: scratch.missing, capacity: UInt32(EncodeScratch.missingCapacity), first: position, count: missing)
        unsafe end = swzip_nodes_encode(
          tables.trees.at(numbers[group]), symbols + Int(position), values[group], from, scratch.nodeRoom, &report)
      }
      unsafe frame.storeBytes(
        of: UInt32(end - from).littleEndian, toByteOffset: 32 + 4 * group, as: UInt32.self)
      position += values[group]
    }
    unsafe frame.storeBytes(of: 0, toByteOffset: 26, as: UInt16.self)
    return unsafe end - frame.mutable(offset)
  }

  /// Bytes that may be written behind a list: unused bits of nodes, and whole vectors.
  static let listSlack = 511 + 64
  /// The same of all lists of a block.
  static let slack = 4 * 511 + 64

  /// Bytes of the room that a list of so many symbols is worked on in: two lists of them.
  static func room(_ symbolCount: Int) -> Int { 2 * ((symbolCount + 63) & ~63 + Int(SWZIP_NODE_SLACK)) }
}

extension swzip_geometry {
  /// Values of each group.
  var groupValues: InlineArray<4, UInt32> { [values.0, values.1, values.2, values.3] }
}
