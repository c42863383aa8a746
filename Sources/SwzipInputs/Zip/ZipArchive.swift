internal import SwzipCore

/// A record of a zip archive.
struct ZipRecord {
  var name: String
  /// Where its data begins in the file.
  fileprivate(set) var offset: UInt64
  var byteCount: UInt64
  /// Where its two headers lie in the file.
  fileprivate(set) var localHeader: UInt64 = 0
  let centralHeader: UInt64
  /// Its sizes and sum stand behind the data too.
  fileprivate(set) var hasDescriptor = false
  fileprivate let method: UInt16
  /// The data lies there as it is, neither compressed nor encrypted.
  var isStored: Bool
}

/// The directory of a zip archive (PKWARE APPNOTE 6.3.10, section 4.3), zip64 too, of one disk. The archive may begin
/// anywhere in the file: its offsets are relative to its own start. A comment or other bytes may follow it.
struct ZipArchive {
  /// Bytes of a file's directories at most: of a record for each tensor that a container may list.
  static let mostDirectoryBytes: UInt64 = 160 << 20
  private static let mostRecords = UInt64(Limits.tensors) + 1024
  static let leastBytes: UInt64 = 22
  /// Archives one behind the other at most.
  private static let mostArchives = 1 << 18

  /// Where the archive begins in the file.
  private(set) var start: UInt64
  /// With its end record.
  let directoryByteCount: UInt64
  /// In the order of their places; they do not overlap.
  private(set) var records: [ZipRecord] = []

  /// Reads the last archive before `end`; nil if there is none whose directory is whole. Records that are odd, or overlap, are
  /// left out.
  init?(before end: UInt64, _ window: inout InputWindow<some InputBytes>) throws(SwzipError) {
    guard let directory = try ZipDirectoryEnd.last(before: end, &window) else { return nil }
    start = directory.archiveStart
    directoryByteCount = directory.end - directory.start + Self.leastBytes
    guard try readDirectory(directory, &window) else { return nil }
    records.sort { $0.offset < $1.offset }
    var cursor = start
    var found: [ZipRecord] = []
    for var record in records {
      let (place, overflow) = start.addingReportingOverflow(record.offset)
      // All numbers are below the file's length.
      guard !overflow, place >= cursor, place < directory.start,
        let header = try ZipLocalHeader(at: place, &window), header.method == record.method,
        header.dataOffset <= directory.start, record.byteCount <= directory.start - header.dataOffset
      else { continue }
      (record.localHeader, record.hasDescriptor) = (place, header.hasDescriptor)
      record.offset = header.dataOffset
      // Data that is not stored takes another length than it says.
      cursor = header.dataOffset + (record.isStored ? record.byteCount : 0)
      found.append(record)
    }
    records = found
  }

  /// Whether an archive ends there: behind its end record a comment may follow, if the archive is all of the file.
  static func endsWhole(at end: UInt64, _ window: inout InputWindow<some InputBytes>) throws(SwzipError) -> Bool {
    guard let directory = try ZipDirectoryEnd.last(before: end, &window) else { return false }
    return directory.isLast(before: end) || directory.archiveStart == 0
  }

  /// All archives of a file, one behind the other, in their order; nil if there are too many, or their directories too long.
  static func all(in window: inout InputWindow<some InputBytes>) throws(SwzipError) -> [ZipArchive]? {
    var archives: [ZipArchive] = []
    var end = window.input.byteCount ?? 0
    var directoryBytes: UInt64 = 0
    while end > 0, archives.count < mostArchives, let archive = try ZipArchive(before: end, &window) {
      archives.append(archive)
      end = archive.start
      directoryBytes += archive.directoryByteCount
      guard directoryBytes <= mostDirectoryBytes else { return nil }
    }
    return archives.reversed()
  }

  // MARK: central directory

  /// Collects the records, with the offsets of their local headers in the archive. False if the directory is damaged.
  private mutating func readDirectory(
    _ directory: ZipDirectoryEnd, _ window: inout InputWindow<some InputBytes>
  ) throws(SwzipError) -> Bool {
    guard directoryByteCount <= Self.mostDirectoryBytes,
      directory.entryCount <= min((directory.end - directory.start) / 46, Self.mostRecords)
    else { return false }
    var cursor = directory.start
    for _ in 0..<directory.entryCount {
      guard let fixed = try window.read(at: cursor, count: 46), fixed.number(at: 0, 4) == 0x0201_4B50 else {
        return false
      }
      let (nameBytes, extraBytes) = (Int(fixed.number(at: 28, 2)), Int(fixed.number(at: 30, 2)))
      let byteCount = 46 + nameBytes + extraBytes + Int(fixed.number(at: 32, 2))
      guard let all = try window.read(at: cursor, count: byteCount) else { return false }
      let name = all.dropFirst(46).prefix(nameBytes)
      var numbers = [fixed.number(at: 24, 4), fixed.number(at: 20, 4), fixed.number(at: 42, 4)]
      guard Self.widen(&numbers, all.dropFirst(46 + nameBytes).prefix(extraBytes)) else { return false }
      let method = UInt16(fixed.number(at: 10, 2))
      let isStored = method == 0 && fixed.number(at: 8, 2) & 1 == 0
      let place = cursor
      cursor += UInt64(byteCount)
      // A record of another disk, or one whose lengths disagree.
      guard fixed.number(at: 34, 2) == 0, !isStored || numbers[0] == numbers[1] else { continue }
      records.append(
        ZipRecord(
          name: String(decoding: name, as: UTF8.self), offset: numbers[2], byteCount: numbers[1],
          centralHeader: place, method: method, isStored: isStored))
    }
    return cursor == directory.end
  }

  /// Takes the numbers that do not fit 32 bits from the zip64 extra field, in order; false if it lacks them.
  private static func widen(_ numbers: inout [UInt64], _ extra: ArraySlice<UInt8>) -> Bool {
    guard numbers.contains(0xFFFF_FFFF) else { return true }
    guard var field = extra.zipField(1) else { return false }
    for index in numbers.indices where numbers[index] == 0xFFFF_FFFF {
      guard field.count >= 8 else { return false }
      numbers[index] = field.number(at: 0, 8)
      field = field.dropFirst(8)
    }
    return true
  }
}

/// Where the central directory of an archive lies.
private struct ZipDirectoryEnd {
  var entryCount: UInt64
  var start: UInt64
  var end: UInt64
  var archiveStart: UInt64

  /// Bytes between an end record and the end of the file: a comment's at most.
  private static let mostTailBytes: UInt64 = 65_535
  private static let stepBytes: UInt64 = 4096
  /// End records that are looked at: a comment may hold what looks like one.
  private static let mostTries = 16

  /// By the last end record before `limit`.
  static func last(
    before limit: UInt64, _ window: inout InputWindow<some InputBytes>
  ) throws(SwzipError) -> ZipDirectoryEnd? {
    guard limit >= ZipArchive.leastBytes else { return nil }
    // Places of the last record from here down to there.
    var upper = limit - ZipArchive.leastBytes
    let least = upper - min(upper, mostTailBytes)
    if let end = try ZipDirectoryEnd(endingAt: limit, &window) { return end }
    var tries = 0
    while true {
      let lower = max(least, upper - min(upper, stepBytes))
      guard let bytes = try window.read(at: lower, count: Int(upper - lower) + 4) else { return nil }
      let found = Array(bytes)
      for index in (0...Int(upper - lower)).reversed() where found[index] == 0x50 && found[index...].starts(with: magic)
      {
        if let end = try ZipDirectoryEnd(endingAt: lower + UInt64(index) + ZipArchive.leastBytes, &window) {
          return end
        }
        tries += 1
        guard tries < mostTries else { return nil }
      }
      guard lower > least else { return nil }
      upper = lower - 1
    }
  }

  private static let magic: [UInt8] = [0x50, 0x4B, 5, 6]

  /// Whether no comment follows the end record; that of a large archive lies behind a longer one.
  func isLast(before limit: UInt64) -> Bool { end + 22 == limit || end + 98 == limit }

  /// By the end record whose last byte, but for a comment, is before `fileEnd`.
  private init?(endingAt fileEnd: UInt64, _ window: inout InputWindow<some InputBytes>) throws(SwzipError) {
    guard let last = try window.read(at: fileEnd - 22, count: 22), last.starts(with: Self.magic),
      last.number(at: 4, 4) == 0
    else { return nil }
    var (byteCount, offset) = (last.number(at: 12, 4), last.number(at: 16, 4))
    entryCount = last.number(at: 10, 2)
    end = fileEnd - 22
    if fileEnd >= 98, let locator = try window.read(at: fileEnd - 42, count: 20),
      locator.number(at: 0, 4) == 0x0706_4B50
    {
      let recordOffset = locator.number(at: 8, 8)
      guard let record = try window.read(at: fileEnd - 98, count: 56), record.number(at: 0, 4) == 0x0606_4B50,
        record.number(at: 4, 8) == 44
      else { return nil }
      entryCount = record.number(at: 32, 8)
      (byteCount, offset) = (record.number(at: 40, 8), record.number(at: 48, 8))
      end = fileEnd - 98
      guard recordOffset <= end, byteCount <= recordOffset, offset == recordOffset - byteCount else { return nil }
    }
    guard byteCount <= end, offset <= end - byteCount else { return nil }
    start = end - byteCount
    archiveStart = start - offset
  }
}

/// The header before a record's data.
struct ZipLocalHeader {
  static let magic: [UInt8] = [0x50, 0x4B, 3, 4]

  var name: String
  var method: UInt16
  /// The sizes follow the data, in a descriptor.
  var hasDescriptor: Bool
  /// Of the data; 0 if only the descriptor tells it.
  var byteCount: UInt64
  var isZip64: Bool
  /// Where the data begins in the file.
  var dataOffset: UInt64

  /// Nil if none lies at `offset`.
  init?(at offset: UInt64, _ window: inout InputWindow<some InputBytes>) throws(SwzipError) {
    guard let fixed = try window.read(at: offset, count: 30), fixed.starts(with: Self.magic) else { return nil }
    let (nameBytes, extraBytes) = (Int(fixed.number(at: 26, 2)), Int(fixed.number(at: 28, 2)))
    guard let all = try window.read(at: offset, count: 30 + nameBytes + extraBytes) else { return nil }
    name = String(decoding: all.dropFirst(30).prefix(nameBytes), as: UTF8.self)
    method = UInt16(fixed.number(at: 8, 2))
    hasDescriptor = fixed.number(at: 6, 2) & 8 != 0
    byteCount = fixed.number(at: 18, 4)
    isZip64 = all.dropFirst(30 + nameBytes).zipField(1) != nil
    dataOffset = offset + UInt64(30 + nameBytes + extraBytes)
  }
}

extension ArraySlice<UInt8> {
  /// A little-endian integer of `byteCount` bytes, `offset` bytes behind the start. They must be there.
  fileprivate func number(at offset: Int, _ byteCount: Int) -> UInt64 {
    self[(startIndex + offset)..<(startIndex + offset + byteCount)].littleEndianInteger
  }

  /// The content of the first extra field with an id; nil if it is not there whole.
  fileprivate func zipField(_ id: UInt64) -> ArraySlice<UInt8>? {
    var rest = self
    while rest.count >= 4 {
      let byteCount = Int(rest.number(at: 2, 2))
      guard rest.count >= 4 + byteCount else { return nil }
      if rest.number(at: 0, 2) == id { return rest.dropFirst(4).prefix(byteCount) }
      rest = rest.dropFirst(4 + byteCount)
    }
    return nil
  }
}
