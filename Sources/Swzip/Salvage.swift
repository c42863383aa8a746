public import SwzipCore

/// What could be saved of a damaged container.
public struct SalvageReport: Sendable {
  /// Ranges of the original that are lost; they are zero in the output.
  public var missing: [Range<UInt64>]
  public var recoveredByteCount: UInt64
  public var byteCount: UInt64
}

/// Writes what can be read of a damaged container of one member; lost ranges become zeros. Neither index nor trailer is
/// needed: frames are found by walking, and after damage by scanning for one whose hash verifies.
/// Throws `notAContainer` if not even the header is there, `notRandomAccess` for a pipe.
public func salvage(from source: any InputSource, to sink: any OutputSink) throws(SwzipError) -> SalvageReport {
  try Salvager(source, sink).run()
}

private final class Salvager {
  private let source: any InputSource
  private let sink: any OutputSink
  private let end: UInt64
  private let scratch: DecodeScratch
  private var report = SalvageReport(missing: [], recoveredByteCount: 0, byteCount: 0)
  private var segment: (decoder: SegmentDecoder, next: UInt64)?
  /// Where the segments lie, if the index is whole: blocks behind the end of a segment belong to one whose frame is lost,
  /// however much they look like its own.
  private let index: ContainerIndex?
  private var segmentEnd = UInt64.max
  /// Where the last frame that was taken ended.
  private var takenEnd: UInt64 = 0
  private var memberEnd: UInt64?
  /// How many blocks after the expected one are tried as a found frame's number.
  private static let mostLostBlocks: UInt64 = 1024

  init(_ source: any InputSource, _ sink: any OutputSink) throws(SwzipError) {
    guard let byteCount = source.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
    self.source = source
    self.sink = sink
    end = byteCount
    index = try? SwzFile(source).index
    scratch = try DecodeScratch()
  }

  func run() throws(SwzipError) -> SalvageReport {
    let start = try source.bytes(at: 0, count: Int(min(end, UInt64(FileHeader.byteCount))))
    do throws(SwzipError) {
      let header = try FileHeader.read(start)
      guard header.kind == .file else { throw SwzipError(.refused, .range) }
      memberEnd = header.totalByteCount
    } catch {
      guard error.rule == .headerHash else { throw error }
    }
    var position = UInt64(FileHeader.byteCount)
    while position + UInt64(BlockHeader.byteCount) <= end {
      position = try takeFrame(at: position) ?? position + 16
    }
    if let memberEnd, report.byteCount < memberEnd, isPlausible(memberEnd) { try skip(to: memberEnd) }
    return report
  }

  /// Takes the frame at `position` if one verifies there; returns where it ends.
  private func takeFrame(at position: UInt64) throws(SwzipError) -> UInt64? {
    let head = try source.bytes(at: position, count: BlockHeader.byteCount)
    var reader = unsafe ByteReader(head.span.bytes, at: position)
    guard let frame = try? Frame.read(&reader), UInt64(frame.byteCount) <= end - position else { return nil }
    switch frame.kind {
    case .member, .directory: return nil
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
    if let header = try? SegmentHeader.read(&reader), header.memberOffset >= report.byteCount,
      isPlausible(header.memberOffset)
    {
      let decoder = SegmentDecoder()
      try decoder.begin(header)
      segment = (decoder, 0)
      let place = index?.segments.first { $0.framePosition == position }
      segmentEnd = place.map { $0.blocksPosition + $0.record.blocksByteCount } ?? .max
    }
    takenEnd = position + UInt64(frame.byteCount)
    return takenEnd
  }

  private func takeBlock(_ frame: Frame, at position: UInt64) throws(SwzipError) -> UInt64? {
    guard let (decoder, next) = segment, position < segmentEnd, Int(frame.tag) <= Limits.blockValues, frame.tag > 0,
      frame.byteCount <= (Int(frame.tag) * 8 + 15) & ~15 + Limits.blockOverhead
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
    let reference: ReferenceReader = { from, target throws(SwzipError) in
      guard case .earlier(0, let base) = header.references.first, self.isWhole(base + from, target.count) else {
        throw SwzipError(.base, .base)
      }
      try unsafe self.sink.readBack(at: base + from, into: target)
    }
    do throws(SwzipError) {
      try unsafe decoder.decode(
        bytes, block: number, into: out.bytes, policy: .strict, scratch: scratch, position: position,
        reference: reference)
      try skip(to: offset)
      try unsafe sink.write(UnsafeRawBufferPointer(out.bytes))
      report.recoveredByteCount += UInt64(out.byteCount)
      report.byteCount += UInt64(out.byteCount)
    } catch {
      if error.kind == .io { throw error }
    }
    segment = (decoder, number + 1)
    takenEnd = position + UInt64(frame.byteCount)
    return takenEnd
  }

  /// Whether zeros up to `offset` may be written: not for what a damaged or hostile field claims far beyond the container.
  private func isPlausible(_ offset: UInt64) -> Bool { (offset - report.byteCount) / 1024 <= end }

  /// Whether a range was recovered.
  private func isWhole(_ offset: UInt64, _ count: Int) -> Bool {
    offset + UInt64(count) <= report.byteCount
      && !report.missing.contains { $0.overlaps(offset..<(offset + UInt64(count))) }
  }

  /// Zeros for what is lost before `offset`.
  private func skip(to offset: UInt64) throws(SwzipError) {
    guard offset > report.byteCount else { return }
    report.missing.append(report.byteCount..<offset)
    let zeros = [UInt8](repeating: 0, count: 1 << 16)
    while report.byteCount < offset {
      let count = min(offset - report.byteCount, UInt64(zeros.count))
      try sink.write(Array(zeros[..<Int(count)]))
      report.byteCount += count
    }
  }
}
