internal import CSwzipKernels

extension FloatBlock {
  /// What splitting values takes in the scratch. The raw plane, if it is not made in the frame, has up to ten bits a value: it
  /// ends in the plane behind its own.
  enum SplitArea: Int, ScratchArea {
    case low, high, rawPlane
  }

  /// Room that a frame may take while it is being written.
  static func bound(_ count: Int, kind: FloatKind) -> Int {
    128 + count / 32 + kind.rawPlaneBytes(count) + (kind.isWide ? 2 * PlaneSection.bound(count) : 0) + count * 11 / 8
      + 6 * (count / 16) + NodeLists.slack
  }

  /// Writes the payload of mode huffman or nodes; returns the frame's size and flags, nil where another mode must serve.
  ///
  /// Patches stand at the end, so that one pass suffices: which symbols lack a code is known once all are coded.
  static func encode(
    _ source: UnsafeRawBufferPointer, plan: FloatPlan, into frame: UnsafeMutableRawBufferPointer,
    scratch: EncodeScratch, effort: Effort
  ) -> (byteCount: Int, flags: UInt8)? {
    let kind = plan.kind
    let count = source.count / kind.width
    let start = frame.baseAddress!
    let rows = plan.rowLength > 0 ? count / plan.rowLength : 0
    let tables = plan.tables!
    let groups = tables.usesNodes ? NodeLists.fieldsEnd : 64
    var offset = (groups + (rows + 3) / 4 + 15) & ~15
    let symbols = unsafe scratch.symbols
    let outside = unsafe swzip_float_split(
      kind.kernel, source.baseAddress!, UInt32(count), plan.windowBase, symbols, frame.mutable(offset),
      scratch.area(SplitArea.low), scratch.area(SplitArea.high))
    for index in (groups + (rows + 3) / 4)..<offset { unsafe frame[index] = 0 }
    offset += kind.rawPlaneBytes(count)
    if kind.isWide {
      for plane in [SplitArea.low, .high] {
        offset = unsafe PlaneSection.encode(
          UnsafeRawBufferPointer(start: scratch.area(plane), count: count), into: start, at: offset, scratch: scratch,
          effort: effort)
      }
    }
    var coded = unsafe UnsafePointer(symbols)
    var geometry = swzip_geometry_unsorted(UInt32(count))
    if rows > 0 {
      let rowLength = UInt32(plan.rowLength)
      geometry = swzip_geometry_sorted(UInt32(rows), rowLength)
      unsafe swzip_row_sums(symbols, UInt32(rows), rowLength, scratch.rowSums)
      unsafe swzip_rows_group(scratch.rowSums, UInt32(rows), frame.mutable(groups))
      unsafe swzip_rows_gather(
        symbols, UInt32(rows), rowLength, frame.mutable(groups), scratch.sorted, scratch.naturalRows)
      unsafe coded = unsafe UnsafePointer(scratch.sorted)
    }
    var missing: UInt32 = 0
    var streams: StreamDirectory?
    if tables.usesNodes {
      offset += unsafe NodeLists.encode(
        coded, geometry: geometry, tables: tables, into: frame, at: offset, scratch: scratch, missing: &missing)
    } else {
      let numbers = unsafe tables.choose(coded, geometry, frame: frame, scratch: scratch)
      let coded = unsafe HuffmanStreams.encode(
        coded, geometry: geometry, tables: tables.tables(numbers), into: start + offset, scratch: scratch,
        missing: &missing)
      offset += coded.byteCount
      streams = coded
    }
    var flags: UInt8 = rows > 0 ? FloatFrame.sortedFlag : 0
    if outside || missing > 0 {
      guard missing <= EncodeScratch.missingCapacity else { return nil }
      let length = UInt32(plan.rowLength)
      let positions = (0..<Int(missing)).map { index in
        let coded = unsafe scratch.missing[index]
        return rows > 0 ? unsafe scratch.naturalRows[Int(coded / length)] * length + coded % length : coded
      }
      guard
        let end = unsafe writePatches(
          source, count: count, kind: kind, windowBase: plan.windowBase, missing: positions, outside: outside,
          into: frame, at: offset, scratch: scratch)
      else { return nil }
      offset = end
      flags |= FloatFrame.patchesFlag
    }
    if let streams {
      guard let wire = streams.wire else { return nil }
      if wire.wide {
        unsafe (start + 96).copyMemory(from: start + 64, byteCount: offset - 64)
        offset += 32
        flags |= FloatFrame.wideFlag
      }
      unsafe frame.storeBytes(of: wire.base.littleEndian, toByteOffset: 26, as: UInt16.self)
      unsafe streams.write(to: start + 32, base: wire.base, wide: wire.wide)
    }
    return unsafe (padFrame(start, from: offset), flags)
  }

  /// Writes the patches of the values at positions `missing`, and of fields outside the window if `outside`; nil if there
  /// are too many.
  static func writePatches(
    _ source: UnsafeRawBufferPointer, count: Int, kind: FloatKind, windowBase: UInt16, missing: [UInt32],
    outside: Bool, into frame: UnsafeMutableRawBufferPointer, at offset: Int, scratch: EncodeScratch
  ) -> Int? {
    let most = min(count / 16, EncodeScratch.missingCapacity, Int(UInt16.max))
    var positions = missing
    if outside {
      let found = unsafe Int(
        swzip_float_outside(
          kind.kernel, source.baseAddress!, UInt32(count), windowBase, scratch.missing,
          UInt32(EncodeScratch.missingCapacity)))
      guard found <= most else { return nil }
      for index in 0..<found { unsafe positions.append(scratch.missing[index]) }
    }
    guard positions.count <= 2 * most else { return nil }
    positions.sort()
    var at = offset
    if at & 1 != 0 {
      unsafe frame[at] = 0
      at += 1
    }
    let countAt = at
    at += 2
    var last: UInt32?
    for position in positions where position != last {
      last = position
      let part = unsafe swzip_float_coded_part(kind.kernel, source.baseAddress!, position)
      unsafe frame.storeBytes(of: UInt16(position / 256).littleEndian, toByteOffset: at, as: UInt16.self)
      unsafe frame.storeBytes(of: UInt16(position % 256).littleEndian, toByteOffset: at + 2, as: UInt16.self)
      unsafe frame.storeBytes(of: part.littleEndian, toByteOffset: at + 4, as: UInt16.self)
      at += 6
    }
    let written = (at - countAt - 2) / 6
    guard written <= most else { return nil }
    unsafe frame.storeBytes(of: UInt16(written).littleEndian, toByteOffset: countAt, as: UInt16.self)
    return at
  }

  /// Writes the payload of mode fixed4 and returns the frame's size. The window is that of a sample.
  static func encodeFixed4(
    _ source: UnsafeRawBufferPointer, plan: FloatPlan, into frame: UnsafeMutableRawBufferPointer
  ) -> Int {
    let count = source.count / 2
    let first = plan.fixed4Window
    let raw = (48 + (count + 63) / 64 * 32 + 15) & ~15
    let escapesAt = raw + (count + 255) / 256 * 256
    for index in 26..<48 { unsafe frame[index] = 0 }
    for code in 1..<15 { unsafe frame[32 + code] = first &+ UInt8(code - 1) }
    let escapes = unsafe Int(
      swzip_fixed4_encode(
        source.baseAddress!, UInt32(count), first, frame.mutable(48), frame.mutable(raw), frame.mutable(escapesAt)))
    unsafe frame.storeBytes(of: UInt32(escapes).littleEndian, toByteOffset: 28, as: UInt32.self)
    return unsafe padFrame(frame.baseAddress!, from: escapesAt + escapes)
  }
}

extension UnsafeMutableRawBufferPointer {
  /// The address of a byte whose bounds the caller has checked.
  func mutable(_ offset: Int) -> UnsafeMutablePointer<UInt8> {
    unsafe baseAddress!.assumingMemoryBound(to: UInt8.self) + offset
  }
}
