internal import CSwzipKernels

/// Where the parts of a block of floats lie in its frame (spec/codecs/float.md, rans.md): checked, without pointers, and
/// before anything is decoded.
package struct FloatFrame: Sendable {
  static let wideFlag: UInt8 = 1
  static let sortedFlag: UInt8 = 2
  static let patchesFlag: UInt8 = 4
  /// The raw bits of values with symbol 0 are left out: these values are zero.
  static let skipsZerosFlag: UInt8 = 8

  package let content: Content
  /// Without their count.
  package let patches: Range<Int>

  package enum Content: Sendable {
    case huffman(Huffman, Raw)
    case nodes(Nodes, Raw)
    /// Without raw bits where zeros are left out: for how many values there are some follows from the symbols.
    case rans(RansFrame, Raw?)
  }

  /// Symbols in sub-streams.
  package struct Huffman: Sendable {
    /// Two bits a row; empty where rows are not sorted.
    package let rowGroups: Range<Int>
    /// Of each group; `inlineTable` for that of the block.
    package let tables: InlineArray<4, UInt8>
    package let inline: (place: Range<Int>, code: CodeLengths)?
    package let streams: StreamDirectory
    package let place: Range<Int>
  }

  /// Symbols in lists of nodes.
  package struct Nodes: Sendable {
    /// Two bits a row; empty where rows are not sorted.
    package let rowGroups: Range<Int>
    package let lists: NodeLists
    package let place: Range<Int>
  }

  static let inlineTable: UInt8 = 255

  /// The bits of values that no symbol has.
  package struct Raw: Sendable {
    package let plane: Range<Int>
    /// Of F32: the sections of the values' lower bytes.
    package let low: (PlaneSection.Place, PlaneSection.Place)?
    var parts: [Range<Int>] { [plane] + (low.map { [$0.0.whole, $0.1.whole] } ?? []) }
    var end: Int { low?.1.end ?? plane.upperBound }

    init(
      _ frame: UnsafeRawBufferPointer, of kind: FloatKind, count: Int, at start: Int, position: UInt64
    ) throws(SwzipError) {
      let offset = (start + 15) & ~15
      plane = offset..<(offset + kind.rawPlaneBytes(count))
      guard plane.upperBound <= frame.count else { throw SwzipError(.corrupt, .blockHeader, at: position) }
      try unsafe checkPadding(frame, start..<offset, at: position)
      guard kind.isWide else {
        low = nil
        return
      }
      let first = try unsafe PlaneSection.Place(frame, at: plane.upperBound, position: position)
      low = try unsafe (first, PlaneSection.Place(frame, at: first.end, position: position))
    }
  }

  /// Reads that of a block whose mode is that of the segment's coder. `foreign`: flags that are another codec's.
  package init(
    _ frame: UnsafeRawBufferPointer, _ mode: BlockMode, ignoring foreign: UInt8 = 0, by coding: FloatCoding, count: Int,
    position: UInt64
  ) throws(SwzipError) {
    // One that is too short is refused below.
    let flags = unsafe frame.count > 25 ? frame[25] & ~foreign : 0
    switch (mode, coding.coder) {
    case (.huffman, .huffman(let codes)):
      try unsafe self.init(huffman: frame, flags, by: coding, count: count, tableCount: codes.count, position: position)
    case (.nodes, .nodes(let codes)):
      try unsafe self.init(nodes: frame, flags, by: coding, count: count, tableCount: codes.count, position: position)
    case (.rans, .rans(let rans)): 
      try unsafe self.init(rans: frame, flags, by: coding, rans, count: count, position: position)
    default: throw SwzipError(.corrupt, .blockHeader, at: position)
    }
  }

  private init(
    huffman frame: UnsafeRawBufferPointer, _ flags: UInt8, by coding: FloatCoding, count: Int, tableCount: Int, position: UInt64
  ) throws(SwzipError) {
    let failure = SwzipError(.corrupt, .blockHeader, at: position)
    guard frame.count >= 64 else { throw failure }
    guard flags & ~(Self.sortedFlag | Self.wideFlag | Self.patchesFlag) == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let wide = flags & Self.wideFlag != 0
    var offset = 32 + StreamDirectory.deltaBytes(wide: wide)
    guard frame.count >= offset else { throw failure }
    let base = unsafe UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: 26, as: UInt16.self))
    let streams = unsafe StreamDirectory(reading: frame, at: 32, base: base, wide: wide)
    let rowGroups = try unsafe Self.rowGroups(frame, flags, by: coding, count: count, at: offset, position: position)
    let geometry = coding.geometry(count, isSorted: !rowGroups.isEmpty)
    offset = rowGroups.upperBound
    let tables = InlineArray<4, UInt8> { unsafe frame[28 + $0] }
    var inline: (place: Range<Int>, code: CodeLengths)?
    for group in 0..<4 where tables[group] != Self.inlineTable {
      guard tables[group] < tableCount else { throw failure }
    }
    if (0..<4).contains(where: { tables[$0] == Self.inlineTable }) {
      var reader = unsafe ByteReader(
        UnsafeRawBufferPointer(rebasing: frame[offset...]).bytes, at: position + UInt64(offset))
      let code = try CodeLengths.read(&reader)
      guard code.fits(coding.kind.symbolCount) else { throw reader.failure(.codeLengths) }
      inline = (offset..<(offset + reader.offset), code)
      offset += reader.offset
    }
    let raw = try unsafe Raw(frame, of: coding.kind, count: count, at: offset, position: position)
    let place = raw.end..<(raw.end + streams.byteCount)
    guard place.upperBound <= frame.count, streams.agrees(with: geometry) else {
      throw SwzipError(.corrupt, .subStreams, at: position)
    }
    content = .huffman(
      Huffman(rowGroups: rowGroups, tables: tables, inline: inline, streams: streams, place: place), raw)
    patches = try unsafe Self.patches(
      frame, flags & Self.patchesFlag != 0, count: count, at: place.upperBound, position: position)
  }

  private init(
    nodes frame: UnsafeRawBufferPointer, _ flags: UInt8, by coding: FloatCoding, count: Int, tableCount: Int, position: UInt64
  ) throws(SwzipError) {
    let lists = try unsafe NodeLists(frame, tableCount: tableCount, position: position)
    guard flags & ~(Self.sortedFlag | Self.patchesFlag) == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    let rowGroups = try unsafe Self.rowGroups(
      frame, flags, by: coding, count: count, at: NodeLists.fieldsEnd, position: position)
    let raw = try unsafe Raw(frame, of: coding.kind, count: count, at: rowGroups.upperBound, position: position)
    let place = raw.end..<(raw.end + lists.byteCount)
    guard place.upperBound <= frame.count else { throw SwzipError(.corrupt, .subStreams, at: position) }
    content = .nodes(Nodes(rowGroups: rowGroups, lists: lists, place: place), raw)
    patches = try unsafe Self.patches(
      frame, flags & Self.patchesFlag != 0, count: count, at: place.upperBound, position: position)
  }

  /// Where the groups of sorted rows lie; empty where rows are not sorted.
  private static func rowGroups(
    _ frame: UnsafeRawBufferPointer, _ flags: UInt8, by coding: FloatCoding, count: Int, at start: Int, position: UInt64
  ) throws(SwzipError) -> Range<Int> {
    guard flags & sortedFlag != 0 else { return start..<start }
    let rowLength = Int(coding.rowLength)
    guard rowLength > 0, count % rowLength == 0, count / rowLength >= 8,
      case let end = start + (count / rowLength + 3) / 4, end <= frame.count
    else { throw SwzipError(.corrupt, .blockHeader, at: position) }
    return start..<end
  }

  private init(
    rans frame: UnsafeRawBufferPointer, _ flags: UInt8, by coding: FloatCoding, _ rans: RansCoding, count: Int, position: UInt64
  ) throws(SwzipError) {
    let part = try unsafe RansFrame(
      frame, count: count, rowLength: Int(coding.rowLength), coding: rans, position: position)
    guard flags & ~(Self.patchesFlag | Self.skipsZerosFlag) == 0 else {
      throw SwzipError(.unsupported, .reservedBits, at: position)
    }
    guard flags & Self.skipsZerosFlag == 0 else {
      guard flags & Self.patchesFlag == 0 else { throw SwzipError(.corrupt, .blockHeader, at: position) }
      (content, patches) = (.rans(part, nil), frame.count..<frame.count)
      return
    }
    let raw = try unsafe Raw(frame, of: coding.kind, count: count, at: part.words.upperBound, position: position)
    content = .rans(part, raw)
    patches = try unsafe Self.patches(
      frame, flags & Self.patchesFlag != 0, count: count, at: raw.end, position: position)
  }

  /// Where the raw bits lie of the `count` values that are not left out, behind `start`.
  static func raw(
    _ frame: UnsafeRawBufferPointer, of kind: FloatKind, count: Int, at start: Int, position: UInt64
  ) throws(SwzipError) -> Raw {
    let raw = try unsafe Raw(frame, of: kind, count: count, at: start, position: position)
    _ = try unsafe patches(frame, false, count: count, at: raw.end, position: position)
    return raw
  }

  /// The patches, in order, behind everything else but padding.
  private static func patches(
    _ frame: UnsafeRawBufferPointer, _ arePresent: Bool, count: Int, at start: Int, position: UInt64
  ) throws(SwzipError) -> Range<Int> {
    var patches = start..<start
    if arePresent {
      let offset = start + start % 2
      guard offset + 2 <= frame.count else { throw SwzipError(.corrupt, .patches, at: position) }
      try unsafe checkPadding(frame, start..<offset, at: position)
      let patchCount = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
      patches = (offset + 2)..<(offset + 2 + 6 * patchCount)
      guard patchCount <= count / 16, patches.upperBound <= frame.count,
        unsafe ascend(frame, patches, below: count)
      else { throw SwzipError(.corrupt, .patches, at: position) }
    }
    guard (patches.upperBound + 15) & ~15 == frame.count else {
      throw SwzipError(.corrupt, .frameSize, at: position)
    }
    try unsafe checkPadding(frame, patches.upperBound..<frame.count, at: position)
    return patches
  }

  private static func ascend(_ frame: UnsafeRawBufferPointer, _ patches: Range<Int>, below count: Int) -> Bool {
    var last = -1
    for at in stride(from: patches.lowerBound, to: patches.upperBound, by: 6) {
      let unit = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: at, as: UInt16.self)))
      let place = unsafe Int(UInt16(littleEndian: frame.loadUnaligned(fromByteOffset: at + 2, as: UInt16.self)))
      let position = unit * 256 + place
      guard place < 256, position > last, position < count else { return false }
      last = position
    }
    return true
  }

  /// All parts behind the block's header, in order; between them is nothing but padding, and the count of patches.
  package var parts: [Range<Int>] {
    switch content {
    case .huffman(let symbols, let raw):
      let inline = symbols.inline.map { [$0.place] } ?? []
      return [32..<symbols.rowGroups.lowerBound, symbols.rowGroups] + inline + raw.parts + [symbols.place, patches]
    case .nodes(let symbols, let raw):
      return [32..<symbols.rowGroups.lowerBound, symbols.rowGroups] + raw.parts + [symbols.place, patches]
    case .rans(let symbols, let raw):
      return [RansFrame.states, symbols.rowClasses, symbols.words] + (raw?.parts ?? []) + [patches]
    }
  }
}
