import SwzipCore

/// The central directory of a zip archive (APPNOTE 6.3.10, 4.3 and 4.4), zip64 included. Needs random access.
struct ZipDirectory {
  struct Entry {
    var name: [UInt8]
    var isStored: Bool
    var byteCount: UInt64
    /// Of the local header.
    var offset: UInt64
  }

  static let localMagic: [UInt8] = [0x50, 0x4B, 3, 4]
  private static let endMagic: UInt32 = 0x0605_4B50
  private static let end64Magic: UInt32 = 0x0606_4B50
  private static let locator64Magic: UInt32 = 0x0706_4B50
  private static let entryMagic: UInt32 = 0x0201_4B50
  private static let zip64Extra: UInt64 = 1
  private static let mostEntries: UInt64 = 1 << 20

  /// In the order of their local headers.
  private(set) var entries: [Entry] = []
  private var start: UInt64 = 0

  /// Nil if there is none, or if it is damaged.
  init?(_ input: some InputBytes) throws(SwzipError) {
    guard let byteCount = input.byteCount, let end = try Self.findEnd(input, byteCount),
      end.count <= Self.mostEntries, end.offset <= byteCount, end.count <= (byteCount - end.offset) / 46
    else { return nil }
    start = end.offset
    var cursor = InputCursor(input, at: end.offset)
    for _ in 0..<end.count {
      guard let entry = try Self.entry(&cursor), entry.offset < end.offset else { return nil }
      entries.append(entry)
    }
    entries.sort { $0.offset < $1.offset }
  }

  /// Where the entries begin, and how many there are.
  private static func findEnd(
    _ input: some InputBytes, _ byteCount: UInt64
  ) throws(SwzipError) -> (offset: UInt64, count: UInt64)? {
    let tailBytes = min(byteCount, 22 + 65_535)
    let tail = try input.bytes(at: byteCount - tailBytes, count: Int(tailBytes))
    guard tail.count >= 22 else { return nil }
    // Backwards: a comment may hold anything.
    for at in stride(from: tail.count - 22, through: 0, by: -1)
    where tail[at..<(at + 4)].littleEndianInteger == endMagic
      && Int(tail[(at + 20)..<(at + 22)].littleEndianInteger) == tail.count - at - 22
    {
      let end = byteCount - tailBytes + UInt64(at)
      let count = tail[(at + 10)..<(at + 12)].littleEndianInteger
      let offset = tail[(at + 16)..<(at + 20)].littleEndianInteger
      guard count == 0xFFFF || offset == 0xFFFF_FFFF else { return (offset, count) }
      guard end >= 20 else { return nil }
      var cursor = InputCursor(input, at: end - 20)
      guard try cursor.integer(UInt32.self) == locator64Magic, cursor.skip(4),
        let place = try cursor.integer(UInt64.self)
      else { return nil }
      cursor.seek(place)
      guard try cursor.integer(UInt32.self) == end64Magic, cursor.skip(28),
        let count64 = try cursor.integer(UInt64.self), cursor.skip(8), let offset64 = try cursor.integer(UInt64.self)
      else { return nil }
      return (offset64, count64)
    }
    return nil
  }

  private static func entry(_ cursor: inout InputCursor<some InputBytes>) throws(SwzipError) -> Entry? {
    guard let fixed = try cursor.bytes(46), fixed[..<4].littleEndianInteger == entryMagic else { return nil }
    let field = { (at: Int, count: Int) in fixed[at..<(at + count)].littleEndianInteger }
    guard let name = try cursor.bytes(Int(field(28, 2))), let extra = try cursor.bytes(Int(field(30, 2))),
      cursor.skip(field(32, 2))
    else { return nil }
    // Sizes and offset that do not fit are in the zip64 extra field, in this order, only those.
    var wide = zip64Field(extra)[...]
    func value(_ narrow: UInt64) -> UInt64? {
      guard narrow == 0xFFFF_FFFF else { return narrow }
      guard wide.count >= 8 else { return nil }
      defer { wide.removeFirst(8) }
      return wide.prefix(8).littleEndianInteger
    }
    guard let byteCount = value(field(24, 4)), let storedBytes = value(field(20, 4)), let offset = value(field(42, 4))
    else { return nil }
    let isPlain = field(10, 2) == 0 && field(8, 2) & 1 == 0
    return Entry(name: name, isStored: isPlain && byteCount == storedBytes, byteCount: byteCount, offset: offset)
  }

  private static func zip64Field(_ extra: [UInt8]) -> ArraySlice<UInt8> {
    var rest = extra[...]
    while rest.count >= 4 {
      let id = rest.prefix(2).littleEndianInteger
      let body = rest.dropFirst(4).prefix(Int(rest.dropFirst(2).prefix(2).littleEndianInteger))
      if id == zip64Extra { return body }
      rest = rest[body.endIndex...]
    }
    return []
  }

  /// The bytes of a stored entry; nil if its local header is not there or they overlap the central directory.
  func dataRange(of entry: Entry, in input: some InputBytes) throws(SwzipError) -> Range<UInt64>? {
    let header = try input.bytes(at: entry.offset, count: 30)
    guard header.count == 30, header.starts(with: Self.localMagic) else { return nil }
    let begin =
      entry.offset + 30 + header[26..<28].littleEndianInteger + header[28..<30].littleEndianInteger
    guard begin <= start, entry.byteCount <= start - begin else { return nil }
    return begin..<(begin + entry.byteCount)
  }
}
