internal import CSwzipKernels

/// One byte plane of a block (spec/codecs/planes.md).
package enum PlaneSection {
  package enum Mode: UInt8 {
    case raw = 0
    case constant = 1
    case zstd = 2
    case huffman = 4
    case nodes = 12
  }

  package static let headerBytes = 16
  /// Room that a section of `count` bytes may take while it is being written.
  package static func bound(_ count: Int) -> Int { headerBytes + 64 + 300 + count * 11 / 8 + NodeLists.listSlack }

  // MARK: encoding

  /// Writes a section at `offset` of `frame` and returns its end. Raw unless something is smaller by a 64th.
  package static func encode(
    _ plane: UnsafeRawBufferPointer, into frame: UnsafeMutableRawPointer, at offset: Int, scratch: EncodeScratch,
    effort: Effort
  ) -> Int {
    let section = unsafe frame + offset
    if unsafe BytesBlock.isConstant(plane, width: 1) {
      unsafe header(section, .constant, flags: plane[0])
      return offset + headerBytes
    }
    let choice = unsafe choose(plane, scratch: scratch, effort: effort)
    if choice.mode == .zstd {
      // Higher levels of zstd are worse on noise than the fast one that was asked: then its place is Huffman's.
      let target = unsafe UnsafeMutableRawBufferPointer(start: section + headerBytes, count: choice.mostBytes)
      if let count = unsafe scratch.compressors.zstd(plane, into: target, levels: effort.zstdLevels) {
        unsafe header(section, .zstd, payload: count)
        return unsafe padFrame(frame, from: offset + headerBytes + count)
      }
    }
    if choice.mode != .raw, let count = unsafe encodeSymbols(plane, at: section, scratch: scratch, effort: effort) {
      return unsafe padFrame(frame, from: offset + headerBytes + count)
    }
    unsafe header(section, .raw, payload: plane.count)
    unsafe (section + headerBytes).copyMemory(from: plane.baseAddress!, byteCount: plane.count)
    return unsafe padFrame(frame, from: offset + headerBytes + plane.count)
  }

  /// Chooses by a sampled histogram, and by trying zstd on a small part. `mostBytes`: what Huffman would take, or the plane
  /// less a 64th.
  private static func choose(
    _ plane: UnsafeRawBufferPointer, scratch: EncodeScratch, effort: Effort
  ) -> (mode: Mode, mostBytes: Int) {
    let counts = unsafe scratch.clearedCounts()
    let bytes = unsafe plane.baseAddress!.assumingMemoryBound(to: UInt8.self)
    unsafe swzip_histogram_add(bytes, plane.count, plane.count > 16384 ? 8 : 1, counts)
    var total: UInt64 = 0
    for symbol in 0..<256 { total += unsafe UInt64(counts[symbol]) }
    let cost = unsafe swzip_histogram_information(counts)
    // 1/64 bits a byte: 8 bits are 512. The streams cost about 130 bytes.
    let huffmanCost = max(64, cost / max(total, 1)) + UInt64(130 * 512 / plane.count)
    let mostBytes = plane.count * Int(min(huffmanCost, 504)) / 512
    if effort.triesZstd {
      let part = min(plane.count, 8192)
      let start = (plane.count - part) / 2
      let sample = unsafe UnsafeRawBufferPointer(rebasing: plane[start..<(start + part)])
      if let count = unsafe scratch.compressors.zstd(sample, into: scratch.sampleTarget, level: 1),
        UInt64(count * 512 / part) + 16 < min(huffmanCost, 504)
      {
        return (.zstd, mostBytes - plane.count / effort.zstdLeastGain)
      }
    }
    return (huffmanCost < 504 ? .huffman : .raw, mostBytes)
  }

  /// By a table of the plane's own; returns the length of the payload, nil unless it is a 64th smaller than raw.
  private static func encodeSymbols(
    _ plane: UnsafeRawBufferPointer, at section: UnsafeMutableRawPointer, scratch: EncodeScratch, effort: Effort
  ) -> Int? {
    let bytes = unsafe plane.baseAddress!.assumingMemoryBound(to: UInt8.self)
    let counts = unsafe scratch.clearedCounts()
    unsafe swzip_histogram_add(bytes, plane.count, 1, counts)
    let code = unsafe CodeLengths(counts: counts)
    var table = ByteWriter()
    code.write(&table)
    guard !effort.usesNodes else {
      return unsafe encodeNodes(plane, code, table.bytes, at: section, scratch: scratch)
    }
    unsafe swzip_encode_table_build(code.lengths, counts, scratch.inlineTable)
    // Streams go behind the narrow directory; a wide one moves them.
    var start = headerBytes + StreamDirectory.deltaBytes(wide: false) + table.bytes.count
    start = (start + 15) & ~15
    let geometry = swzip_geometry_unsorted(UInt32(plane.count))
    var missing: UInt32 = 0
    let streams = unsafe HuffmanStreams.encode(
      bytes, geometry: geometry,
      tables: (scratch.inlineTable, scratch.inlineTable, scratch.inlineTable, scratch.inlineTable),
      into: section + start, scratch: scratch, missing: &missing)
    guard let wire = streams.wire else { return nil }
    if wire.wide {
      let moved = (headerBytes + StreamDirectory.deltaBytes(wide: true) + table.bytes.count + 15) & ~15
      unsafe (section + moved).copyMemory(from: section + start, byteCount: streams.byteCount)
      start = moved
    }
    guard start + streams.byteCount < plane.count - plane.count / 64 else { return nil }
    unsafe header(
      section, .huffman, flags: wire.wide ? 1 : 0, base: wire.base, payload: start - headerBytes + streams.byteCount)
    unsafe streams.write(to: section + headerBytes, base: wire.base, wide: wire.wide)
    var at = headerBytes + StreamDirectory.deltaBytes(wide: wire.wide)
    unsafe UnsafeMutableRawBufferPointer(start: section + at, count: table.bytes.count).copyBytes(from: table.bytes)
    at += table.bytes.count
    while at < start {
      unsafe section.storeBytes(of: 0, toByteOffset: at, as: UInt8.self)
      at += 1
    }
    return start - headerBytes + streams.byteCount
  }

  /// The table, and the list of all symbols behind it.
  private static func encodeNodes(
    _ plane: UnsafeRawBufferPointer, _ code: CodeLengths, _ table: [UInt8], at section: UnsafeMutableRawPointer,
    scratch: EncodeScratch
  ) -> Int? {
    unsafe UnsafeMutableRawBufferPointer(start: section + headerBytes, count: table.count).copyBytes(from: table)
    let tree = unsafe scratch.inlineTree
    unsafe swzip_node_tree_build(code.lengths, 0, tree)
    let start = unsafe (section + headerBytes + table.count).assumingMemoryBound(to: UInt8.self)
    var missing: UInt32 = 0  // every symbol that occurs has a code
    let end = unsafe withUnsafeMutablePointer(to: &missing) {
      var report = unsafe swzip_missing(position: scratch.missing, capacity: 0, first: 0, count: $0)
      return unsafe swzip_nodes_encode(
        tree, plane.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt32(plane.count), start, scratch.listRoom,
        &report)
    }
    let payload = unsafe table.count + (end! - start)
    guard headerBytes + payload < plane.count - plane.count / 64 else { return nil }
    unsafe header(section, .nodes, payload: payload)
    return payload
  }

  private static func header(
    _ section: UnsafeMutableRawPointer, _ mode: Mode, flags: UInt8 = 0, base: UInt16 = 0, payload: Int = 0
  ) {
    unsafe section.storeBytes(of: mode.rawValue, as: UInt8.self)
    unsafe section.storeBytes(of: flags, toByteOffset: 1, as: UInt8.self)
    unsafe section.storeBytes(of: base.littleEndian, toByteOffset: 2, as: UInt16.self)
    unsafe section.storeBytes(of: UInt32(payload).littleEndian, toByteOffset: 4, as: UInt32.self)
    unsafe section.storeBytes(of: 0, toByteOffset: 8, as: UInt64.self)
  }

  // MARK: decoding

  /// Where a section lies in its frame, and what its header says; checked but for the payload.
  package struct Place: Sendable {
    package let whole: Range<Int>
    let mode: Mode
    let flags: UInt8
    let base: UInt16
    let payload: Range<Int>
    package var end: Int { whole.upperBound }

    init(_ frame: UnsafeRawBufferPointer, at offset: Int, position: UInt64) throws(SwzipError) {
      let failure = SwzipError(.corrupt, .planeSection, at: position + UInt64(offset))
      let start = offset + headerBytes
      guard start <= frame.count else { throw failure }
      flags = unsafe frame[offset + 1]
      base = unsafe UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self))
      let count = unsafe Int(UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
      guard let mode = unsafe Mode(rawValue: frame[offset]),
        unsafe frame.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self) == 0
      else { throw SwzipError(.unsupported, .reservedBits, at: failure.position) }
      self.mode = mode
      let reservedFree: Bool =
        switch mode {
        case .huffman: flags & 0xFE == 0
        case .constant: base == 0
        default: flags == 0 && base == 0
        }
      guard reservedFree else {
        throw mode == .huffman ? SwzipError(.unsupported, .reservedBits, at: failure.position) : failure
      }
      payload = start..<(start + count)
      whole = offset..<((payload.upperBound + 15) & ~15)
      guard whole.upperBound <= frame.count else { throw failure }
      try unsafe checkPadding(frame, payload.upperBound..<whole.upperBound, at: position + UInt64(offset))
    }
  }

  /// A plane, and where its section ends in the frame.
  @safe package struct Decoded {
    package var bytes: UnsafePointer<UInt8>
    package var end: Int
  }

  /// Decodes the section at `offset` of a frame. The plane lies in the frame (raw) or in `target`, which has room for
  /// whole units; what is returned may be read to whole units of 256.
  package static func decode(
    _ frame: UnsafeRawBufferPointer, at offset: Int, count: Int, into target: UnsafeMutablePointer<UInt8>,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> Decoded {
    let place = try unsafe Place(frame, at: offset, position: position)
    return try unsafe Decoded(
      bytes: decode(frame, place, count: count, into: target, scratch: scratch, position: position), end: place.end)
  }

  /// The same of a section whose place is known.
  static func decode(
    _ frame: UnsafeRawBufferPointer, _ place: Place, count: Int, into target: UnsafeMutablePointer<UInt8>,
    scratch: DecodeScratch, position: UInt64
  ) throws(SwzipError) -> UnsafePointer<UInt8> {
    let failure = SwzipError(.corrupt, .planeSection, at: position + UInt64(place.whole.lowerBound))
    let payload = unsafe UnsafeRawBufferPointer(rebasing: frame[place.payload])
    let out = unsafe UnsafeMutableRawBufferPointer(start: target, count: count)
    switch place.mode {
    case .raw:
      guard payload.count == count else { throw failure }
      // Whole units may reach past the frame: then the plane is read from a copy.
      if place.payload.lowerBound + (count + 255) & ~255 <= frame.count {
        return unsafe payload.baseAddress!.assumingMemoryBound(to: UInt8.self)
      }
      unsafe out.copyMemory(from: payload)
    case .constant:
      guard unsafe payload.isEmpty else { throw failure }
      unsafe target.update(repeating: place.flags, count: count)
    case .zstd: try unsafe scratch.compressors.unzstd(payload, into: out, at: failure.position ?? 0)
    case .nodes:
      try unsafe decodeNodes(payload, count: count, into: target, scratch: scratch, failure: failure)
    case .huffman:
      try unsafe decodeHuffman(
        payload, base: place.base, wide: place.flags & 1 != 0, count: count, into: target, scratch: scratch,
        failure: failure)
    }
    return unsafe UnsafePointer(target)
  }

  private static func decodeHuffman(
    _ payload: UnsafeRawBufferPointer, base: UInt16, wide: Bool, count: Int, into target: UnsafeMutablePointer<UInt8>,
    scratch: DecodeScratch, failure: SwzipError
  ) throws(SwzipError) {
    let deltas = StreamDirectory.deltaBytes(wide: wide)
    guard deltas <= payload.count else { throw failure }
    let streams = unsafe StreamDirectory(reading: payload, at: 0, base: base, wide: wide)
    var reader = unsafe ByteReader(
      UnsafeRawBufferPointer(rebasing: payload[deltas...]).bytes, at: failure.position ?? 0)
    let code = try CodeLengths.read(&reader)
    let start = (deltas + reader.offset + 15) & ~15
    guard start + streams.byteCount == payload.count, streams.agrees(with: swzip_geometry_unsorted(UInt32(count)))
    else { throw failure }
    try scratch.inlineTables.begin([code], shift: 0, valueCount: UInt64(count))
    let table = unsafe UnsafePointer(scratch.inlineTables.at(0))
    unsafe streams.decode(
      payload.pointer(start), count: count, tables: (table, table, table, table), tile: scratch.tile, into: target)
  }

  private static func decodeNodes(
    _ payload: UnsafeRawBufferPointer, count: Int, into target: UnsafeMutablePointer<UInt8>, scratch: DecodeScratch,
    failure: SwzipError
  ) throws(SwzipError) {
    var reader = unsafe ByteReader(payload.bytes, at: failure.position ?? 0)
    try scratch.inlineTrees.begin([CodeLengths.read(&reader)], shift: 0)
    guard
      try unsafe swzip_nodes_decode(
        scratch.inlineTrees.at(0), payload.pointer(reader.offset), payload.count - reader.offset, UInt32(count), target,
        scratch.listRoom(count))
    else { throw failure }
  }
}
