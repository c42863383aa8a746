package import SwzipCore

/// A segment whose frame and block table have been read and verified against the directory.
package final class OpenSegment: Sendable {
  package let decoder: SegmentDecoder
  package let entries: [BlockTableEntry]
  /// Where each block begins in the container.
  package let positions: [UInt64]

  /// What it holds in memory at most.
  package var byteCount: Int {
    decoder.header.decoderByteCount
      + entries.count * (MemoryLayout<BlockTableEntry>.stride + MemoryLayout<UInt64>.stride)
  }

  package init(
    _ source: any RandomSource, _ place: ContainerIndex.Place, _ version: FormatVersion, number: Int,
    decoder: SegmentDecoder
  ) throws(SwzipError) {
    let header = try Self.readHeader(source, place, number: number)
    let count = Int(place.record.blockCount)
    guard header.blockCount == place.record.blockCount else {
      throw SwzipError(.corrupt, .indexAgrees, at: place.framePosition)
    }
    entries = try Self.readTable(source, place, version)
    var positions: [UInt64] = []
    positions.reserveCapacity(count)
    var position = place.blocksPosition
    for entry in entries {
      positions.append(position)
      position += UInt64(entry.frameByteCount)
    }
    guard position == place.blocksPosition + place.record.blocksByteCount else {
      throw SwzipError(.corrupt, .tiling, at: place.tablePosition)
    }
    self.positions = positions
    self.decoder = decoder
    decoder.begin(header)
  }

  private static func readTable(
    _ source: any RandomSource, _ place: ContainerIndex.Place, _ version: FormatVersion
  ) throws(SwzipError) -> [BlockTableEntry] {
    let record = place.record
    let byteCount = BlockTableEntry.tableByteCount(record.blockCount, version)
    guard byteCount > 0 else {
      guard record.blocksByteCount <= UInt64(Limits.frameBytes) else {
        throw SwzipError(.corrupt, .frameSize, at: place.blocksPosition)
      }
      return [
        BlockTableEntry(
          frameByteCount: Int(record.blocksByteCount), storedHashLow: nil, decodedHash: record.tableHash)
      ]
    }
    let table = try source.bytes(at: place.tablePosition, count: Int(byteCount))
    guard xxh3(table) == record.tableHash else {
      throw SwzipError(.corrupt, .indexAgrees, at: place.tablePosition)
    }
    var reader = unsafe ByteReader(table.span.bytes, at: place.tablePosition)
    var entries: [BlockTableEntry] = []
    entries.reserveCapacity(Int(record.blockCount))
    for _ in 0..<record.blockCount { entries.append(try BlockTableEntry.read(&reader, version)) }
    return entries
  }

  /// Reads the segment's frame and compares it with the directory.
  package static func readHeader(
    _ source: any RandomSource, _ place: ContainerIndex.Place, number: Int
  ) throws(SwzipError) -> SegmentHeader {
    let bytes = try source.bytes(at: place.framePosition, count: Int(place.record.frameByteCount))
    var reader = unsafe ByteReader(bytes.span.bytes, at: place.framePosition)
    let frame = try Frame.read(&reader)
    guard frame.kind == .segment, frame.byteCount == bytes.count, frame.tag == UInt32(truncatingIfNeeded: number),
      unsafe bytes.withUnsafeBytes({ unsafe Frame.hash(of: $0, tag: frame.tag) }) == frame.storedHash,
      frame.storedHash == place.record.frameHash
    else { throw SwzipError(.corrupt, .frameHash, at: place.framePosition) }
    let header = try SegmentHeader.read(&reader)
    guard header.memberOffset == place.memberOffset, header.byteCount == place.record.byteCount,
      header.elementType.rawValue == place.record.elementType, header.codec == place.record.codec
    else { throw SwzipError(.corrupt, .indexAgrees, at: place.framePosition) }
    return header
  }

  /// Blocks that hold bytes `from` to `to` of the segment.
  package func blocks(from: UInt64, to: UInt64) -> Range<Int> {
    let share = UInt64(decoder.header.blockValues) * UInt64(decoder.header.width)
    return Int(from / share)..<Int((to + share - 1) / share)
  }

  /// Bytes of block `index` in the segment.
  package func bytes(ofBlock index: Int) -> Range<Int> {
    let header = decoder.header
    let start = index * Int(header.blockValues) * header.width
    return start..<(start + header.valueCount(ofBlock: UInt64(index)) * header.width)
  }
}
