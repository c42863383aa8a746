package import SwzipCore

/// A segment whose frame and block table have been read and verified against the directory.
package final class OpenSegment: Sendable {
  package let decoder: SegmentDecoder
  package let table: SegmentTable
  /// What it holds in memory at most.
  package let byteCount: Int

  package init(
    _ header: SegmentHeader, _ table: SegmentTable, _ place: ContainerIndex.Place
  ) throws(SwzipError) {
    guard header.blockCount == place.record.blockCount else {
      throw SwzipError(.corrupt, .indexAgrees, at: place.framePosition)
    }
    decoder = SegmentDecoder()
    decoder.begin(header)
    self.table = table
    byteCount = header.decoderByteCount + table.byteCount
  }

  /// Reads a segment on its own.
  package convenience init(
    _ source: any RandomSource, _ place: ContainerIndex.Place, _ version: FormatVersion, number: Int
  ) throws(SwzipError) {
    let header = try Self.readHeader(source, place, number: number)
    let count = Int(BlockTableEntry.tableByteCount(place.record.blockCount, version))
    let table = try SegmentTable(source.bytes(at: place.tablePosition, count: count), place, version)
    try self.init(header, table, place)
  }

  package static func readHeader(
    _ source: any RandomSource, _ place: ContainerIndex.Place, number: Int
  ) throws(SwzipError) -> SegmentHeader {
    let frame = try source.bytes(at: place.framePosition, count: Int(place.record.frameByteCount))
    return try unsafe readHeader(frame.span.bytes, place, number: number)
  }

  /// A segment's header. `frame`: of the segment, which is compared with the directory.
  package static func readHeader(
    _ frame: RawSpan, _ place: ContainerIndex.Place, number: Int
  ) throws(SwzipError) -> SegmentHeader {
    var reader = ByteReader(frame, at: place.framePosition)
    let head = try reader.record()
    guard head.kind == .segment, head.tag == UInt32(truncatingIfNeeded: number),
      head.storedHash == place.record.frameHash
    else { throw SwzipError(.corrupt, .frameHash, at: place.framePosition) }
    let header = try SegmentHeader.read(&reader)
    guard header.memberOffset == place.memberOffset, header.byteCount == place.record.byteCount,
      header.elementType.rawValue == place.record.elementType, header.codec.rawValue == place.record.codec
    else { throw SwzipError(.corrupt, .indexAgrees, at: place.framePosition) }
    return header
  }

  /// Blocks that hold bytes `from` to `to` of the segment.
  package func blocks(from: UInt64, to: UInt64) -> Range<Int> {
    let share = UInt64(decoder.header.blockValues) * UInt64(decoder.header.width)
    return Int(from / share)..<Int((to + share - 1) / share)
  }

  /// Bytes of block `index` in the member.
  package func range(ofBlock index: Int) -> Range<UInt64> {
    let header = decoder.header
    let start = header.memberOffset + UInt64(index) * UInt64(header.blockValues) * UInt64(header.width)
    return start..<(start + UInt64(header.valueCount(ofBlock: UInt64(index)) * header.width))
  }
}
