internal import SwzipCore

/// Puts the pieces of a damaged container together: says whose each block is, and decodes it.
final class SalvageAssembler {
  private let container: DamagedContainer
  private let members: SalvagedMembers
  private let bases: OpenBases
  private let scanner: FrameScanner
  private let scratch: DecodeScratch
  /// Without an index: the segment whose blocks come next, and the last frame of a segment in this member.
  private var segment: Open?
  private var last: (number: UInt32, end: UInt64)?
  /// Where the last frame that was taken ended.
  private var takenEnd: UInt64
  /// Bases that could not be had, by member and number.
  private var failedBases: [[UInt64]: SwzipError] = [:]

  private struct Open {
    let decoder: SegmentDecoder
    let number: UInt32
    var next: UInt64 = 0
    /// Where the first gap began, and with which block: whose the blocks behind it are shows when the next frame of records
    /// is found.
    var gap: (position: UInt64, next: UInt64)?

    var end: UInt64 { decoder.header.memberOffset + decoder.header.byteCount }
  }

  init(
    _ container: DamagedContainer, _ members: SalvagedMembers, _ bases: OpenBases
  ) throws(SwzipError) {
    self.container = container
    self.members = members
    self.bases = bases
    takenEnd = container.header == nil ? 0 : UInt64(FileHeader.byteCount)
    scanner = try FrameScanner(container.source, container.header?.version ?? .current)
    scratch = try DecodeScratch()
  }

  // MARK: with an index

  /// Takes everything from where the index says it is.
  func follow(_ index: ContainerIndex) throws(SwzipError) {
    for (number, member) in index.directory.members.enumerated() {
      if let bundle = member.bundle {
        try begin(bundle, number, at: index.framePositions[number])
      } else {
        try members.begin(member.header, number: number, byteCount: member.byteCount)
      }
      for segment in index.firstSegment[number]..<index.firstSegment[number + 1] {
        try follow(index.segments[segment], segment)
      }
    }
    try members.end()
  }

  /// The files of a bundle stand in its frame alone.
  private func begin(_ bundle: MemberRecord.Bundle, _ number: Int, at position: UInt64) throws(SwzipError) {
    guard case .member(number, let header, _)? = try scanner.record(at: position), header.files != nil else {
      return try members.beginNameless(bundle, number: number)
    }
    try members.begin(header, number: number, byteCount: header.byteCount)
  }

  private func follow(_ place: ContainerIndex.Place, _ number: Int) throws(SwzipError) {
    let source = container.source
    let opened = try unlessDamaged { () throws(SwzipError) in
      try OpenSegment(source, place, container.header?.version ?? .current, number: number)
    }
    if let opened {
      for (number, entry) in opened.table.entries.enumerated() {
        try decode(
          opened.decoder, UInt64(number), at: opened.table.positions[number], byteCount: entry.frameByteCount,
          entry: entry)
      }
      return
    }
    // Its lines in the block tables are lost, or its frame.
    let header = try unlessDamaged { () throws(SwzipError) in
      try OpenSegment.readHeader(source, place, number: number)
    }
    guard let header else { return }
    let decoder = SegmentDecoder()
    decoder.begin(header)
    let start = place.blocksPosition
    try takeBlocks(of: decoder, from: 0, in: start..<(start + place.record.blocksByteCount))
  }

  // MARK: without one

  /// Goes from frame to frame. Returns whether there was a frame of records.
  func walk() throws(SwzipError) -> Bool {
    var found = false
    var position = takenEnd
    while position + UInt64(BlockHeader.byteCount) <= scanner.end {
      if let record = try scanner.record(at: position) {
        found = true
        try take(record, at: position)
        position += record.byteCount
        takenEnd = position
      } else if let end = try takeBlock(at: position) {
        position = end
      } else {
        position = try scanner.next(after: position)
      }
    }
    try settle(isComplete: !container.isFolder && last?.end == members.knownEnd, at: scanner.end)
    if !container.isFolder { try begin(only: MemberHeader()) }
    try members.end()
    return found
  }

  private func take(_ record: FrameScanner.Record, at position: UInt64) throws(SwzipError) {
    switch record {
    case .member(let number, let header, _):
      guard container.isFolder else { return try begin(only: header) }
      guard number > members.number ?? -1, !header.name.isEmpty || header.files != nil else { return }
      let follows = members.number.map { $0 + 1 == number } == true && last?.end == members.knownEnd
      try settle(isComplete: follows, at: position)
      last = nil
      try members.begin(header, number: number, byteCount: header.byteCount)
    case .segment(let number, let header, _):
      if !container.isFolder { try begin(only: MemberHeader()) }
      guard let header, belongs(header, number, at: position) else {
        return try settle(isComplete: false, at: position)
      }
      try settle(isComplete: last.map { $0.number &+ 1 == number } == true, at: position)
      last = (number, header.memberOffset + header.byteCount)
      members.reach(header.memberOffset + header.byteCount)
      let decoder = SegmentDecoder()
      decoder.begin(header)
      segment = Open(decoder: decoder, number: number)
    }
  }

  /// The member of a packed file, whose frame has the bases and may be lost.
  private func begin(only header: MemberHeader) throws(SwzipError) {
    guard members.number == nil, header.name.isEmpty else { return }
    try members.begin(header, number: 0, byteCount: header.byteCount ?? container.header?.totalByteCount)
  }

  /// Whether a segment is the current member's. In a folder no frame may be missing before it: a member could begin there.
  private func belongs(_ header: SegmentHeader, _ number: UInt32, at position: UInt64) -> Bool {
    guard members.number != nil, header.memberOffset + header.byteCount <= members.knownEnd ?? .max else {
      return false
    }
    guard let last else {
      return !container.isFolder || (header.memberOffset == 0 && position == takenEnd)
    }
    if number == last.number &+ 1 { return header.memberOffset == last.end }
    return !container.isFolder && number > last.number && header.memberOffset > last.end
  }

  private func takeBlock(at position: UInt64) throws(SwzipError) -> UInt64? {
    guard let open = segment else { return nil }
    let header = open.decoder.header
    if let block = try scanner.block(at: position, of: header, from: open.next) {
      if position != takenEnd, segment?.gap == nil { segment?.gap = (takenEnd, open.next) }
      if segment?.gap == nil {
        try decode(open.decoder, block.number, at: position, byteCount: Int(block.byteCount))
      }
      segment?.next = block.number + 1
      takenEnd = position + block.byteCount
      return takenEnd
    }
    guard position == takenEnd, let step = try scanner.step(over: header, from: open.next, at: position) else {
      return nil
    }
    segment?.next += step.lost
    takenEnd = step.position
    return takenEnd
  }

  /// The current segment ends at `position`. `isComplete`: no other segment began before that, so that all blocks found
  /// behind a gap are its own.
  private func settle(isComplete: Bool, at position: UInt64) throws(SwzipError) {
    guard let done = segment else { return }
    segment = nil
    guard isComplete, let gap = done.gap else { return }
    try takeBlocks(of: done.decoder, from: gap.next, in: gap.position..<position)
  }

  // MARK: blocks

  /// Takes the blocks in a range in which there is nothing else.
  private func takeBlocks(
    of decoder: SegmentDecoder, from first: UInt64, in range: Range<UInt64>
  ) throws(SwzipError) {
    var (position, next) = (range.lowerBound, first)
    while position < range.upperBound, next < decoder.header.blockCount {
      if let block = try scanner.block(at: position, of: decoder.header, from: next) {
        try decode(decoder, block.number, at: position, byteCount: Int(block.byteCount))
        next = block.number + 1
        position += block.byteCount
      } else if let step = try scanner.step(over: decoder.header, from: next, at: position) {
        next += step.lost
        position = step.position
      } else {
        position = try scanner.next(after: position)
      }
    }
  }

  private func decode(
    _ decoder: SegmentDecoder, _ number: UInt64, at position: UInt64, byteCount: Int, entry: BlockTableEntry? = nil
  ) throws(SwzipError) {
    let header = decoder.header
    guard let frame = unsafe try scanner.bytes(at: position, byteCount) else { return }
    let out = try Memory(header.valueCount(ofBlock: number) * header.width)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: out.bytes[..<out.byteCount])
    do throws(SwzipError) {
      try unsafe decoder.decode(
        frame, block: number, into: target, policy: .strict, entry: entry, scratch: scratch, position: position,
        reference: reference(header))
    } catch {
      if error.kind == .io || error.kind == .memory { throw error }
      return
    }
    let offset = header.memberOffset + number * UInt64(header.blockValues) * UInt64(header.width)
    try unsafe members.write(UnsafeRawBufferPointer(target), at: offset)
  }

  // MARK: references

  /// Reads what a segment refers to, if that was recovered.
  private func reference(_ header: SegmentHeader) -> ReferenceReader {
    { [self] number, offset, target throws(SwzipError) in
      switch header.references[number] {
      case .earlier(let member, let start):
        guard let member = Int(exactly: member) else { throw SwzipError(.corrupt, .reference) }
        try unsafe members.readBack(member, at: start &+ offset, into: target)
      case .base(let number, let start):
        try unsafe base(number).readBase(at: start &+ offset, into: target)
      }
      return nil
    }
  }

  /// A base of the current member; one that cannot be had is looked for once.
  private func base(_ number: UInt64) throws(SwzipError) -> any RandomSource {
    let member = members.number ?? 0
    let key = [UInt64(member), number]
    if let error = failedBases[key] { throw error }
    do throws(SwzipError) { return try bases.source(number, of: member, members.bases) } catch {
      if error.kind == .base {
        failedBases[key] = error
        members.note(error)
      }
      throw error
    }
  }
}
