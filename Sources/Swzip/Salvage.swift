public import SwzipCore
internal import SwzipNames

/// What could be saved of a damaged container, or of one of its members.
public struct SalvageReport: Sendable {
  /// Empty for a packed file.
  public var name = ""
  /// Ranges of the original that are lost; they are zero in the output.
  public var missing: [Range<UInt64>]
  public var recoveredByteCount: UInt64
  public var byteCount: UInt64
}

/// Writes what can be read of a damaged container of one member; lost ranges become zeros. Neither index nor trailer is
/// needed: frames are found by walking, and after damage by scanning for one whose hash verifies.
/// Throws `notAContainer` if not even the header is there, `notRandomAccess` for a pipe.
public func salvage(from source: any InputSource, to sink: any OutputSink) throws(SwzipError) -> SalvageReport {
  let salvager = try Salvager(source, SingleMember(sink))
  guard !salvager.isFolder else { throw SwzipError(.refused, .severalFiles) }
  return try salvager.run()[0]
}

/// As above, for a folder: a report for each file that something is known of, and the names of the others, as far as the
/// index tells them. A block is given to a file only where frames or index leave no doubt whose it is.
public func salvage(
  from source: any InputSource, to members: any MemberSinks
) throws(SwzipError) -> (files: [SalvageReport], lost: [String]) {
  let salvager = try Salvager(source, members)
  guard salvager.isFolder else { throw SwzipError(.invalidArgument, .range) }
  let files = try salvager.run()
  let saved = Set(files.map { Exact($0.name) })
  return (files, salvager.names.filter { !saved.contains(Exact($0)) })
}

/// Whether a container, which may be damaged, holds a folder: by its header, or by its first member.
public func looksLikeFolder(_ source: any InputSource) throws(SwzipError) -> Bool {
  guard let byteCount = source.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
  let start = try source.bytes(
    at: 0, count: Int(min(byteCount, UInt64(FileHeader.byteCount + Salvager.mostMemberBytes))))
  if let header = try? FileHeader.read(Array(start.prefix(FileHeader.byteCount))) { return header.kind != .file }
  let minor = FileHeader.version.minor
  guard
    let member = Salvager.member(
      Array(start.dropFirst(FileHeader.byteCount)), minor: minor, at: UInt64(FileHeader.byteCount))
  else { return false }
  return !member.header.name.isEmpty
}

private final class Salvager {
  private let source: any InputSource
  private let members: any MemberSinks
  let isFolder: Bool
  private let end: UInt64
  private let scratch: DecodeScratch
  /// Of finished members, by their numbers.
  private var reports: [Int: SalvageReport] = [:]
  private var known = MemberNames()
  /// The member that is being written; nil where it is not known whose the next blocks are.
  private var current: (number: Int, sink: any OutputSink)?
  private var report = SalvageReport(missing: [], recoveredByteCount: 0, byteCount: 0)
  private var memberEnd: UInt64?
  private var minor = FileHeader.version.minor
  private var zeroCount: UInt64 = 0
  private var segment: (decoder: SegmentDecoder, next: UInt64)?
  /// The segment frame that was taken last in this member: its number, and where it ends in the member.
  private var last: (number: UInt32, end: UInt64)?
  /// Where the segments lie, if the index is whole: blocks behind the end of a segment belong to one whose frame is lost,
  /// however much they look like its own.
  private let index: ContainerIndex?
  private var segmentEnd = UInt64.max
  /// Where the last frame that was taken ended.
  private var takenEnd: UInt64 = 0
  /// How many blocks after the expected one are tried as a found frame's number.
  private static let mostLostBlocks: UInt64 = 1024
  /// A member frame with the longest name and a few bases.
  static let mostMemberBytes = 1 << 16

  init(_ source: any InputSource, _ members: any MemberSinks) throws(SwzipError) {
    guard let byteCount = source.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
    self.source = source
    self.members = members
    end = byteCount
    isFolder = try looksLikeFolder(source)
    index = try? SwzFile(source).index
    scratch = try DecodeScratch()
  }

  /// The names that the index tells.
  var names: [String] { index?.directory.members.map(\.header).filter { $0.link == nil }.map(\.name) ?? [] }

  func run() throws(SwzipError) -> [SalvageReport] {
    let start = try source.bytes(at: 0, count: Int(min(end, UInt64(FileHeader.byteCount))))
    var total: UInt64?
    do throws(SwzipError) {
      let header = try FileHeader.read(start)
      (total, minor) = (header.totalByteCount, header.minor)
    } catch {
      guard error.rule == .headerHash else { throw error }
    }
    if !isFolder { try begin(MemberHeader(), number: 0, byteCount: total) }
    var position = UInt64(FileHeader.byteCount)
    while position + UInt64(BlockHeader.byteCount) <= end {
      position = try takeFrame(at: position) ?? position + 16
    }
    try endMember()
    return reports.sorted { $0.key < $1.key }.map(\.value)
  }

  // MARK: members

  private func begin(_ header: MemberHeader, number: Int, byteCount: UInt64?) throws(SwzipError) {
    try endMember()
    if isFolder {
      do throws(SwzipError) { try known.add(header.name, .corrupt) } catch { return }
    }
    // No length: what a damaged container claims must not reserve space.
    var info = MemberInfo(header)
    info.byteCount = nil
    guard let sink = try members.begin(info, number: number) else { return }
    current = (number, sink)
    report = SalvageReport(name: header.name, missing: [], recoveredByteCount: 0, byteCount: 0)
    memberEnd = byteCount
  }

  private func endMember() throws(SwzipError) {
    segment = nil
    last = nil
    guard let done = current else { return }
    if let memberEnd, report.byteCount < memberEnd, isPlausible(memberEnd) { try skip(to: memberEnd) }
    try members.end()
    reports[done.number] = report
    current = nil
  }

  private func takeMember(_ frame: Frame, at position: UInt64) throws(SwzipError) -> UInt64? {
    guard isFolder, frame.byteCount <= Self.mostMemberBytes else { return nil }
    let bytes = try source.bytes(at: position, count: frame.byteCount)
    guard let member = Self.member(bytes, minor: minor, at: position) else { return nil }
    // Where the index is whole, it says where member frames are; without it they come in order.
    let number = Int(frame.tag)
    guard number > current?.number ?? reports.keys.max() ?? -1 else { return nil }
    if member.header.link == nil {
      try begin(member.header, number: number, byteCount: member.header.byteCount)
    } else {
      try endMember()
    }
    takenEnd = position + UInt64(frame.byteCount)
    return takenEnd
  }

  /// The member frame that `bytes` begin with, if its hash verifies.
  static func member(_ bytes: [UInt8], minor: UInt16, at position: UInt64) -> (header: MemberHeader, byteCount: Int)? {
    var reader = unsafe ByteReader(bytes.span.bytes, at: position)
    guard let frame = try? Frame.read(&reader), frame.kind == .member, frame.byteCount <= bytes.count else {
      return nil
    }
    let whole = Array(bytes[..<frame.byteCount])
    guard unsafe whole.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: frame.tag) }) == frame.storedHash else {
      return nil
    }
    var body = unsafe ByteReader(whole.span.bytes, at: position)
    guard (try? body.array(Frame.headerBytes)) != nil, let header = try? MemberHeader.read(&body, minor: minor) else {
      return nil
    }
    return (header, frame.byteCount)
  }

  // MARK: segments and blocks

  /// Takes the frame at `position` if one verifies there; returns where it ends.
  private func takeFrame(at position: UInt64) throws(SwzipError) -> UInt64? {
    let head = try source.bytes(at: position, count: BlockHeader.byteCount)
    var reader = unsafe ByteReader(head.span.bytes, at: position)
    guard let frame = try? Frame.read(&reader), UInt64(frame.byteCount) <= end - position else { return nil }
    switch frame.kind {
    case .directory: return nil
    case .member: return try takeMember(frame, at: position)
    case .segment: return try takeSegment(frame, at: position)
    case .block: return try takeBlock(frame, at: position)
    }
  }

  private func takeSegment(_ frame: Frame, at position: UInt64) throws(SwzipError) -> UInt64? {
    guard frame.byteCount <= 1 << 20 else { return nil }
    let bytes = try source.bytes(at: position, count: frame.byteCount)
    guard unsafe bytes.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: frame.tag) }) == frame.storedHash else {
      return nil
    }
    var reader = unsafe ByteReader(bytes.span.bytes, at: position)
    _ = try reader.array(Frame.headerBytes)
    segment = nil
    if let header = try? SegmentHeader.read(&reader) {
      let place = index?.segments.first { $0.framePosition == position }
      if try belongs(header, frame.tag, at: position, place), header.memberOffset >= report.byteCount,
        isPlausible(header.memberOffset)
      {
        let decoder = SegmentDecoder()
        try decoder.begin(header)
        segment = (decoder, 0)
        last = (frame.tag, header.memberOffset + header.byteCount)
        segmentEnd = place.map { $0.blocksPosition + $0.record.blocksByteCount } ?? .max
      }
    }
    takenEnd = position + UInt64(frame.byteCount)
    return takenEnd
  }

  /// Whether a segment is known to be the current member's. Where the index tells of another member, that begins, even if
  /// its frame is lost.
  private func belongs(
    _ header: SegmentHeader, _ number: UInt32, at position: UInt64, _ place: ContainerIndex.Place?
  ) throws(SwzipError) -> Bool {
    guard isFolder else { return true }
    if let index {
      guard let place else { return false }
      if place.member != current?.number, place.member > reports.keys.max() ?? -1 {
        let record = index.directory.members[place.member]
        try begin(record.header, number: place.member, byteCount: record.byteCount)
      }
      return place.member == current?.number
    }
    guard current != nil, let last else { return current != nil && header.memberOffset == 0 && position == takenEnd }
    // The next number at an offset above 0: no member can begin between.
    return number == last.number &+ 1 && header.memberOffset == last.end
  }

  private func takeBlock(_ frame: Frame, at position: UInt64) throws(SwzipError) -> UInt64? {
    guard let current, let (decoder, next) = segment, position < segmentEnd, Int(frame.tag) <= Limits.blockValues,
      frame.tag > 0,
      frame.byteCount <= (Int(frame.tag) * decoder.header.width + 15) & ~15 + Limits.blockOverhead
    else { return nil }
    let memory = try Memory(frame.byteCount + Limits.slack)
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<frame.byteCount])
    guard try unsafe source.read(at: position, into: target) == frame.byteCount else { return nil }
    let header = decoder.header
    let bytes = unsafe memory.prefix(frame.byteCount)
    let last = min(header.blockCount, next + Self.mostLostBlocks)
    var number = next
    while number < last,
      unsafe Frame.hash(of: bytes, tag: frame.tag, ordinal: UInt32(truncatingIfNeeded: number)) != frame.storedHash
    {
      number += 1
    }
    guard number < last else { return nil }
    // A gap holds the blocks before this one and nothing else, or a segment frame is lost and this is another's block.
    let most = header.valueCount(ofBlock: 0) * header.width + 15 + Limits.blockOverhead
    guard position - takenEnd <= (number - next) * UInt64(most) else {
      segment = nil
      return nil
    }
    let out = try Memory(header.valueCount(ofBlock: number) * header.width)
    let offset = header.memberOffset + number * UInt64(header.blockValues) * UInt64(header.width)
    let reference: ReferenceReader = { number, from, target throws(SwzipError) in
      guard case .earlier(let member, let base) = header.references[number], let other = Int(exactly: member),
        self.isWhole(other, base + from, target.count)
      else { throw SwzipError(.base, .baseMissing) }
      if other == current.number {
        try unsafe current.sink.readBack(at: base + from, into: target)
      } else {
        try unsafe self.members.readBack(member: other, at: base + from, into: target)
      }
      return nil
    }
    do throws(SwzipError) {
      try unsafe decoder.decode(
        bytes, block: number, into: out.bytes, policy: .strict, scratch: scratch, position: position,
        reference: reference)
      try skip(to: offset)
      try unsafe current.sink.write(UnsafeRawBufferPointer(out.bytes))
      report.recoveredByteCount += UInt64(out.byteCount)
      report.byteCount += UInt64(out.byteCount)
    } catch {
      if error.kind == .io { throw error }
    }
    segment = (decoder, number + 1)
    takenEnd = position + UInt64(frame.byteCount)
    return takenEnd
  }

  /// Whether zeros up to `offset` may be written: not for what damaged or hostile fields claim far beyond the container.
  private func isPlausible(_ offset: UInt64) -> Bool {
    (offset - report.byteCount) / 1024 <= end - min(end, zeroCount / 1024)
  }

  /// Whether a range of a member was recovered.
  private func isWhole(_ member: Int, _ offset: UInt64, _ count: Int) -> Bool {
    guard let found = member == current?.number ? report : reports[member] else { return false }
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    return !overflow && end <= found.byteCount && !found.missing.contains { $0.overlaps(offset..<end) }
  }

  /// Zeros for what is lost before `offset`.
  private func skip(to offset: UInt64) throws(SwzipError) {
    guard let current, offset > report.byteCount else { return }
    report.missing.append(report.byteCount..<offset)
    zeroCount += offset - report.byteCount
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    while report.byteCount < offset {
      let count = min(offset - report.byteCount, UInt64(zeros.count))
      try current.sink.write(Array(zeros[..<Int(count)]))
      report.byteCount += count
    }
  }
}
