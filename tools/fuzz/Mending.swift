// Makes the checksums of a mutated container right again, so that the fuzzer gets past them. It follows
// spec/FORMAT.md and trusts nothing: what is not a container comes out as it is.
import SwzipCore

struct Mender {
  private var bytes: [UInt8]
  private var segments: [(record: Int, table: Int, blocks: Int)] = []

  static func mend(_ bytes: [UInt8]) -> [UInt8] {
    var mender = Mender(bytes: bytes)
    mender.run()
    return mender.bytes
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func run() {
    guard bytes.count >= 192, bytes.count & 15 == 0 else { return }
    put(hash(0..<56), at: 56)
    let trailer = bytes.count - 64
    // The layout is taken from the frames; the trailer must then say where they end.
    var position = 64
    var frames: [(kind: UInt8, at: Int, size: Int)] = []
    var ordinal: UInt64 = 0
    while position + 16 <= trailer {
      let size = Int(number(position, 3)) * 16
      let kind = bytes[position + 3]
      guard [0x4D, 0x53, 0x42].contains(kind), size >= 32, size <= trailer - position else { break }
      ordinal = kind == 0x42 ? ordinal : 0
      seal(position, size, ordinal)
      if kind == 0x42 { ordinal += 1 }
      frames.append((kind, position, size))
      position += size
    }
    let blocks = frames.filter { $0.kind == 0x42 }
    let tables = position
    let directory = tables + 16 * blocks.count
    guard directory + 48 <= trailer, bytes[directory + 3] == 0x44, directory + Int(number(directory, 3)) * 16 == trailer
    else { return }
    for (index, block) in blocks.enumerated() {
      let entry = tables + 16 * index
      put(UInt64(block.size / 16) | number(block.at + 8, 4) << 32, at: entry)
      put(number(block.at + 16, 8), at: entry + 8)
    }
    mendRecords(frames, tables: tables, directory: directory, end: trailer)
    seal(directory, trailer - directory, 0)
    put(UInt64(tables), at: trailer)
    put(UInt64(directory), at: trailer + 8)
    var sum = SHA256Sum()
    sum.add(Array(bytes[..<64]))
    sum.add(Array(bytes[directory..<(trailer + 16)]))
    bytes.replaceSubrange((trailer + 16)..<(trailer + 48), with: sum.finish())
    put(hash(trailer..<(trailer + 48)), at: trailer + 48)
    bytes.replaceSubrange((trailer + 56)..., with: Trailer.magic)
  }

  /// Frame and table hashes in the segment records: walks the directory's records as far as they make sense.
  private mutating func mendRecords(
    _ frames: [(kind: UInt8, at: Int, size: Int)], tables: Int, directory: Int, end: Int
  ) {
    var cursor = Cursor(at: directory + 32, end: end)
    var segment = frames.indices.filter { frames[$0].kind == 0x53 }[...]
    var table = tables
    for _ in 0..<min(64, number(directory + 16, 4)) {
      guard let flags = cursor.skip(1).map({ _ in bytes[cursor.at] }), cursor.skip(3) != nil,
        let name = cursor.varint(bytes), cursor.skip(name) != nil, cursor.skip(flags & 2 != 0 ? 8 : 0) != nil,
        cursor.varint(bytes) != nil, cursor.varint(bytes) != nil, cursor.skip(flags & 8 != 0 ? 48 : 16) != nil,
        let bases = cursor.varint(bytes), bases <= 64
      else { return }
      for _ in 0..<bases {
        guard cursor.skip(40) != nil, cursor.at + 2 <= end, let hint = cursor.skip(2),
          cursor.skip(Int(number(hint, 2))) != nil
        else { return }
      }
      guard let segments = cursor.varint(bytes), let tensors = cursor.varint(bytes) else { return }
      for _ in 0..<min(segments, segment.count) {
        for _ in 0..<4 where cursor.varint(bytes) == nil { return }
        guard let next = segment.popFirst(), let place = cursor.skip(18), place + 18 <= end else { return }
        let count = frames[(next + 1)...].prefix { $0.kind == 0x42 }.count
        put(number(frames[next].at + 8, 8), at: place + 2)
        put(hash(table..<min(directory, table + 16 * count)), at: place + 10)
        table += 16 * count
      }
      for _ in 0..<tensors {
        guard let name = cursor.varint(bytes), cursor.skip(name + 1) != nil, cursor.at < end else { return }
        let rank = Int(bytes[cursor.at])
        guard cursor.skip(1) != nil else { return }
        for _ in 0..<(rank + 1) where cursor.varint(bytes) == nil { return }
      }
    }
  }

  private struct Cursor {
    var at: Int
    let end: Int

    /// Returns where it was.
    mutating func skip(_ count: Int) -> Int? {
      guard count >= 0, count < end - at else { return nil }
      at += count
      return at - count
    }

    mutating func varint(_ bytes: [UInt8]) -> Int? {
      var value = 0
      for shift in stride(from: 0, to: 56, by: 7) {
        guard at < end else { return nil }
        value |= Int(bytes[at] & 0x7F) << shift
        at += 1
        if bytes[at - 1] < 0x80 { return value }
      }
      return nil
    }
  }

  private mutating func seal(_ position: Int, _ size: Int, _ ordinal: UInt64) {
    let seed = number(position + 4, 4) << 32 | ordinal
    put(hash((position + 16)..<(position + size), seed: seed), at: position + 8)
  }

  private func number(_ position: Int, _ count: Int) -> UInt64 {
    bytes[position..<(position + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func hash(_ range: Range<Int>, seed: UInt64 = 0) -> UInt64 {
    bytes.withUnsafeBytes { xxh3(UnsafeRawBufferPointer(rebasing: $0[range]), seed: seed) }
  }

  private mutating func put(_ value: UInt64, at position: Int) {
    for index in 0..<8 { bytes[position + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
  }
}
