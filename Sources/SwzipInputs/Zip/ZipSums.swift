package import SwzipCore

/// Where zip archives say the CRC-32 of their records.
package enum ZipSums {
  package struct Record: Sendable {
    /// What the sum is of.
    package let data: Range<UInt64>
    /// Where the sum may stand, four bytes each: in the local header, the central directory, the descriptor behind the data.
    package let places: [UInt64]
  }

  /// Of the stored records of all archives in a file, in the order of their data, which do not overlap; none where it is no
  /// archive, nil where one is unusual.
  package static func records(of input: some InputBytes) throws(SwzipError) -> [Record]? {
    var window = InputWindow(input)
    guard try input.peek(4).elementsEqual(ZipLocalHeader.magic) else { return [] }
    var found: [Record] = []
    for archive in try ZipArchive.all(in: &window) ?? [] {
      for record in archive.records where record.isStored {
        let end = record.offset + record.byteCount
        var places = [record.localHeader + 14, record.centralHeader + 16]
        if record.hasDescriptor {
          let mark = try window.read(at: end, count: 4)
          guard mark?.elementsEqual([0x50, 0x4B, 7, 8]) == true else { return nil }
          places.append(end + 4)
        }
        found.append(Record(data: record.offset..<end, places: places))
      }
    }
    return found.isEmpty ? nil : found
  }
}
