package import SwzipCore

/// The lines of a segment in the block tables: where its blocks lie in the container.
package struct SegmentTable: Sendable {
  package let entries: [BlockTableEntry]
  /// Where each block begins in the container, and the end of the last.
  package let positions: [UInt64]

  package var byteCount: Int {
    entries.count * (MemoryLayout<BlockTableEntry>.stride + MemoryLayout<UInt64>.stride)
  }

  /// `bytes`: the segment's part of the block tables, which is compared with the directory.
  package init(
    _ bytes: some RandomAccessCollection<UInt8>, _ place: ContainerIndex.Place, _ version: FormatVersion
  ) throws(SwzipError) {
    let record = place.record
    if bytes.isEmpty {
      // The directory says all of a single block.
      guard record.blocksByteCount <= UInt64(Limits.frameBytes) else {
        throw SwzipError(.corrupt, .frameSize, at: place.blocksPosition)
      }
      entries = [
        BlockTableEntry(
          frameByteCount: Int(record.blocksByteCount), storedHashLow: nil, decodedHash: record.tableHash)
      ]
    } else {
      entries = try Self.read(Array(bytes), place, version)
    }
    var positions = [place.blocksPosition]
    positions.reserveCapacity(entries.count + 1)
    for entry in entries { positions.append(positions[positions.count - 1] + UInt64(entry.frameByteCount)) }
    guard positions[entries.count] == place.blocksPosition + record.blocksByteCount else {
      throw SwzipError(.corrupt, .tiling, at: place.tablePosition)
    }
    self.positions = positions
  }

  private static func read(
    _ table: [UInt8], _ place: ContainerIndex.Place, _ version: FormatVersion
  ) throws(SwzipError) -> [BlockTableEntry] {
    guard xxh3(table) == place.record.tableHash else {
      throw SwzipError(.corrupt, .indexAgrees, at: place.tablePosition)
    }
    var reader = unsafe ByteReader(table.span.bytes, at: place.tablePosition)
    var entries: [BlockTableEntry] = []
    entries.reserveCapacity(Int(place.record.blockCount))
    for _ in 0..<place.record.blockCount { entries.append(try BlockTableEntry.read(&reader, version)) }
    return entries
  }

  /// Block `index` in the container.
  package func range(ofBlock index: Int) -> Range<UInt64> { positions[index]..<positions[index + 1] }

  /// Blocks that hold bytes `from` to `to` of a segment of `byteCount` bytes; nil where that takes its header to tell.
  package func blocks(from: UInt64, to: UInt64, of byteCount: UInt64) -> Range<Int>? {
    let count = UInt64(entries.count)
    guard count > 1, from > 0 || to < byteCount else { return 0..<entries.count }
    // All but the last are equally long: so long at least and at most.
    let (least, most) = ((byteCount + count - 1) / count, (byteCount - 1) / (count - 1))
    let (first, last) = (from / least, (to - 1) / least)
    guard first == from / most, last == (to - 1) / most, last < count else { return nil }
    return Int(first)..<Int(last + 1)
  }
}
