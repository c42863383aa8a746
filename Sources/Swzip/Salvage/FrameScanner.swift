internal import SwzipCore

/// Finds frames in a damaged container, whose hashes verify. Its work is limited by the bytes of the container, whatever
/// they claim: what it reads and hashes in all is at most `workFactor` times as much, and some.
final class FrameScanner {
  /// Sound containers are read and hashed once, damage costs about as much again.
  static let workFactor: UInt64 = 16
  private static let freeWork: UInt64 = 64 << 20
  /// Larger frames of records are not looked for.
  private static let mostRecordBytes = 1 << 20
  /// A member's or segment's frame: so many can there be at most.
  private static let leastRecordBytes: UInt64 = 48
  /// How many blocks after the expected one are tried as a found frame's number.
  private static let mostLostBlocks: UInt64 = 1024
  /// How many damaged blocks in a row are stepped over by the sizes that their headers tell.
  private static let mostSteps = 8

  private let source: any RandomSource
  private let version: FormatVersion
  let end: UInt64
  private var work: UInt64
  private let memory: Memory
  private var window: Range<UInt64> = 0..<0

  /// A member's or segment's frame.
  enum Record {
    case member(number: Int, MemberHeader, byteCount: Int)
    /// The header is nil where a newer version made it.
    case segment(number: UInt32, SegmentHeader?, byteCount: Int)

    var byteCount: UInt64 {
      switch self {
      case .member(_, _, let count), .segment(_, _, let count): UInt64(count)
      }
    }
  }

  /// A block's frame, by its number in the segment.
  struct Block {
    let number: UInt64
    let byteCount: UInt64
  }

  init(_ source: any RandomSource, _ version: FormatVersion = .current) throws(SwzipError) {
    self.version = version
    self.source = source
    end = source.byteCount
    work = min(end, 1 << 56) * Self.workFactor + Self.freeWork
    memory = try Memory(Int(min(end, 4 << 20)) + Limits.slack)
  }

  // MARK: records

  /// The member's or segment's frame at `position`.
  func record(at position: UInt64) throws(SwzipError) -> Record? {
    guard let frame = try frame(at: position), frame.kind == .member || frame.kind == .segment,
      frame.byteCount <= Self.mostRecordBytes, UInt64(frame.tag) <= end / Self.leastRecordBytes,
      spend(frame.byteCount), let bytes = unsafe try bytes(at: position, frame.byteCount)
    else { return nil }
    var reader = unsafe ByteReader(bytes.bytes, at: position)
    guard (try? reader.record()) != nil else { return nil }
    if frame.kind == .segment {
      return .segment(number: frame.tag, try? SegmentHeader.read(&reader), byteCount: frame.byteCount)
    }
    return (try? MemberHeader.read(&reader, version)).map {
      .member(number: Int(frame.tag), $0, byteCount: frame.byteCount)
    }
  }

  /// The first member's frame that is whole.
  func firstMember() throws(SwzipError) -> MemberHeader? {
    var position: UInt64 = 0
    while position < end {
      if case .member(_, let header, _)? = try record(at: position) { return header }
      position = try next(after: position)
    }
    return nil
  }

  // MARK: blocks

  /// The block's frame at `position`, if it is one of a segment's from number `first` on.
  func block(at position: UInt64, of header: SegmentHeader, from first: UInt64) throws(SwzipError) -> Block? {
    guard let block = try blockHeader(at: position), let bytes = unsafe try bytes(at: position, block.frame.byteCount)
    else { return nil }
    let frame = block.frame
    for number in Self.numbers(block, of: header, from: first) {
      guard spend(frame.byteCount) else { return nil }
      if unsafe Frame.hash(of: bytes, tag: frame.tag, ordinal: UInt32(truncatingIfNeeded: number)) == frame.storedHash {
        return Block(number: number, byteCount: UInt64(frame.byteCount))
      }
    }
    return nil
  }

  /// The bytes of a frame that was found, with slack behind them; valid until the next call.
  func bytes(at position: UInt64, _ count: Int) throws(SwzipError) -> UnsafeRawBufferPointer? {
    guard position <= end, UInt64(count) <= end - position, count + Limits.slack <= memory.byteCount else { return nil }
    if position < window.lowerBound || position + UInt64(count) > window.upperBound {
      let most = memory.byteCount - Limits.slack
      guard spend(min(most, Int(min(end - position, UInt64(most))))) else { return nil }
      let read = try unsafe source.read(
        at: position, into: UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<most]))
      window = position..<(position + UInt64(read))
      guard read >= count else { return nil }
    }
    let start = Int(position - window.lowerBound)
    return unsafe UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory.bytes)[start..<(start + count)])
  }

  /// Where damage ends that left the headers of blocks whole: behind some blocks of those sizes, the first number `first`,
  /// the next block's frame verifies, or a frame of records. Returns also how many blocks are stepped over.
  func step(
    over header: SegmentHeader, from first: UInt64, at position: UInt64
  ) throws(SwzipError) -> (position: UInt64, lost: UInt64)? {
    var (place, number) = (position, first)
    for _ in 0..<Self.mostSteps {
      guard number < header.blockCount, let head = try blockHeader(at: place), head.fits(header, index: number) else {
        return nil
      }
      place += UInt64(head.frame.byteCount)
      number += 1
      if number < header.blockCount {
        if try block(at: place, of: header, from: number)?.number == number { return (place, number - first) }
      } else {
        return try record(at: place) == nil ? nil : (place, number - first)
      }
    }
    return nil
  }

  /// The next position where a frame may begin, by the byte that tells its kind; the end if there is none.
  func next(after position: UInt64) throws(SwzipError) -> UInt64 {
    var position = position + 1
    while position + UInt64(BlockHeader.byteCount) <= end {
      let place = position + 3
      let known = window.contains(place) ? Int(window.upperBound - place) : 1
      guard let bytes = unsafe try bytes(at: place, known) else { return end }
      for index in 0..<bytes.count where Self.isKind(unsafe bytes[index]) { return position + UInt64(index) }
      position += UInt64(bytes.count)
    }
    return end
  }

  // MARK: frames

  private static func isKind(_ byte: UInt8) -> Bool {
    byte == Frame.Kind.block.rawValue || byte == Frame.Kind.segment.rawValue || byte == Frame.Kind.member.rawValue
  }

  /// Which blocks of a segment, from number `first` on, a block may be.
  private static func numbers(_ block: BlockHeader, of header: SegmentHeader, from first: UInt64) -> Range<UInt64> {
    guard first < header.blockCount else { return 0..<0 }
    let last = header.blockCount - 1
    let isLast = block.fits(header, index: last)
    guard block.fits(header, index: first) else { return isLast ? last..<(last + 1) : 0..<0 }
    return first..<min(isLast ? last + 1 : last, first + mostLostBlocks)
  }

  private func frame(at position: UInt64) throws(SwzipError) -> Frame? {
    guard let head = unsafe try bytes(at: position, Frame.headerBytes) else { return nil }
    var reader = unsafe ByteReader(head.bytes, at: position)
    guard let frame = try? Frame.read(&reader), UInt64(frame.byteCount) <= end - position else { return nil }
    return frame
  }

  private func blockHeader(at position: UInt64) throws(SwzipError) -> BlockHeader? {
    guard let bytes = unsafe try bytes(at: position, BlockHeader.byteCount),
      let header = unsafe try? BlockHeader.read(bytes, at: position), UInt64(header.frame.byteCount) <= end - position
    else { return nil }
    return header
  }

  private func spend(_ count: Int) -> Bool {
    guard UInt64(count) <= work else { return false }
    work -= UInt64(count)
    return true
  }
}
