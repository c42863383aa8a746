import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Damage is a typed error, never a crash, never other bytes than were packed.
struct DamageTests {
  /// The samples are what their names say: else the tests below prove little.
  @Test func samplesHaveEveryMode() throws {
    let expected: [String: (codec: CodecID, mode: BlockMode?)] = [
      "empty": (.bytes, nil), "raw": (.bytes, .raw), "constant": (.bytes, .constant), "zstd": (.bytes, .zstd),
      "lz4": (.bytes, .lz4), "huffman": (.float, .huffman), "huffman, sorted": (.float, .huffman),
      "huffman, patches": (.float, .huffman), "huffman, f32": (.float, .huffman),
      "huffman, symbols": (.symbols, .huffman), "nodes": (.float, .nodes), "nodes, sorted": (.float, .nodes),
      "nodes, patches": (.float, .nodes), "nodes, f32": (.float, .nodes), "nodes, symbols": (.symbols, .nodes),
      "fixed4": (.float, .fixed4),
      "planes": (.planes, .planes), "copy": (.copy, .copy), "J = 2": (.float, .nodes),
      "symbols, rans": (.symbols, .rans), "sparse": (.float, .sparse),
      "sparse, rans": (.float, .sparse), "rans": (.float, .rans), "rans, zeros": (.float, .rans),
      "rans, f16": (.float, .rans),
    ]
    for sample in SmallContainer.all {
      #expect(sample.container.count <= 4096, "\(sample.name)")
      #expect(same(try unpackedForward(sample.container), sample.original), "\(sample.name)")
      let file = try Container(ArraySource(sample.container))
      let (codec, mode) = try #require(expected[sample.name])
      guard let last = file.index.segments.last, let mode else {
        #expect(mode == nil)
        continue
      }
      let start = Int(last.blocksPosition)
      #expect(last.record.codec == codec.rawValue, "\(sample.name)")
      #expect(sample.container[start + 24] == mode.rawValue, "\(sample.name)")
      let flags: UInt8 = sample.name.hasSuffix("sorted") ? 2 : sample.name.hasSuffix("patches") ? 4 : 0
      #expect(sample.container[start + 25] & 6 == flags, "\(sample.name)")
      if sample.name == "rans, zeros" { #expect(sample.container[start + 25] == 8) }
      if sample.name == "J = 2" { #expect(sample.container[Int(last.framePosition) + 42] == 2) }
    }
  }

  @Test(arguments: SmallContainer.all) func everyTruncation(sample: SmallContainer) {
    for count in 0..<sample.container.count {
      let cut = Array(sample.container[..<count])
      expectRefused("cut at \(count)") { try unpackedForward(cut, isPipe: count & 1 == 0) }
      expectRefused("cut at \(count), at random") { try readAtRandom(cut) }
      expectRefused("cut at \(count), in memory") {
        try unpacked(cut, capacity: sample.original.count, loader: count & 1 == 0)
      }
    }
  }

  @Test(arguments: SmallContainer.all) func everythingAppended(sample: SmallContainer) {
    for count in 1...64 {
      for filler: UInt8 in [0, 0xFF] {
        let longer = sample.container + [UInt8](repeating: filler, count: count)
        expectRefused("\(count) more") { try unpackedForward(longer) }
        expectRefused("\(count) more, at random") { try readAtRandom(longer) }
      }
    }
    expectRefused("twice") { try unpackedForward(sample.container + sample.container) }
    expectRefused("twice, at random") { try readAtRandom(sample.container + sample.container) }
  }

  @Test(arguments: SmallContainer.all, [0x01, 0x80, 0xFF] as [UInt8])
  func everyByteFlipped(sample: SmallContainer, mask: UInt8) throws {
    let index = try Container(ArraySource(sample.container)).index
    // Reading at random has no need of the member frame, and does not look at it.
    let member = FileHeader.byteCount..<(FileHeader.byteCount + Int(index.directory.members[0].frameByteCount))
    var damaged = sample.container
    for position in damaged.indices {
      damaged[position] ^= mask
      expectRefused("byte \(position)") { try unpackedForward(damaged, isPipe: position & 1 == 0) }
      if member.contains(position) {
        expectRightOrRefused("byte \(position), strict", sample) {
          try unpacked(damaged, capacity: sample.original.count)
        }
      } else {
        expectRefused("byte \(position), strict") { try unpacked(damaged, capacity: sample.original.count) }
      }
      // The loader's policy leaves stored hashes alone: what does not change the content may pass.
      expectRightOrRefused("byte \(position), loader", sample) {
        try unpacked(damaged, capacity: sample.original.count, loader: true)
      }
      damaged[position] ^= mask
    }
  }

  /// Two bytes swapped, blocks of zeros, random bytes: the same promise.
  @Test(arguments: SmallContainer.all) func largerDamage(sample: SmallContainer) {
    var random = Random(11)
    for round in 0..<300 {
      var damaged = sample.container
      let start = random.below(damaged.count)
      let count = min(1 + random.below(round & 1 == 0 ? 16 : 200), damaged.count - start)
      let new = round & 2 == 0 ? [UInt8](repeating: 0, count: count) : random.bytes(count)
      damaged.replaceSubrange(start..<(start + count), with: new)
      expectRightOrRefused("\(count) bytes at \(start)", sample) { try unpackedForward(damaged) }
      expectRightOrRefused("\(count) bytes at \(start), loader", sample) {
        try unpacked(damaged, capacity: sample.original.count, loader: true)
      }
    }
  }

  /// A directory whose hashes are right but which says something else than frames and blocks do.
  @Test(arguments: SmallContainer.all.filter { $0.name != "empty" }) func directoryDisagrees(sample: SmallContainer)
    throws
  {
    let changes: [(String, atRandom: Bool, (inout MemberRecord) -> Void)] = [
      ("checksum", false, { $0.checksum.low ^= 1 }), ("checksum, high", false, { $0.checksum.high ^= 1 << 63 }),
      ("SHA-256", false, { $0.sha256 = $0.sha256.map { $0.reversed() } ?? Random.made(32) }),
      ("frame hash", true, { $0.segments[0].frameHash ^= 1 }), ("table hash", true, { $0.segments[0].tableHash ^= 1 }),
      ("type", true, { $0.segments[0].elementType ^= 3 }), ("codec", true, { $0.segments[0].codec ^= 1 }),
      ("blocks", true, { $0.segments[0].blockCount += 1 }),
      (
        "length", true,
        {
          $0.segments[0].byteCount += 1
          $0.header.byteCount! += 1
        }
      ),
      (
        "sizes", true,
        {
          $0.segments[0].frameByteCount += 16
          $0.segments[0].blocksByteCount -= 16
        }
      ),
      (
        "member frame", true,
        {
          $0.frameByteCount += 16
          $0.segments[0].frameByteCount -= 16
        }
      ),
      ("a mode", true, { $0.header.mode = 0o644 }), ("a name", true, { $0.header.name = "x" }),
    ]
    for (what, atRandom, change) in changes {
      let container = try withDirectory(of: sample.container, change)
      expectRefused(what) { try unpackedForward(container) }
      if atRandom { expectRefused("\(what), at random") { try readAtRandom(container) } }
    }
  }

  /// The same of the block tables, which single blocks have none of.
  @Test func tablesDisagree() throws {
    let container = try packed(from: ArraySource(Random.made(2_000_000)), options()).bytes
    #expect(try Container(ArraySource(container)).index.segments[0].record.blockCount > 1)
    let changed = try withDirectory(of: container) { $0.segments[0].tableHash ^= 1 }
    expectRefused("forward") { try unpackedForward(changed) }
    expectRefused("at random") { try readAtRandom(changed) }
  }

  /// A container whose directory says something else, with hashes that are right.
  private func withDirectory(of container: [UInt8], _ change: (inout MemberRecord) -> Void) throws -> [UInt8] {
    let index = try Container(ArraySource(container)).index
    var directory = index.directory
    change(&directory.members[0])
    directory.members[0].header.storesSHA256 = directory.members[0].sha256 != nil
    let frame = try directory.frame()
    let position = index.trailer.directoryPosition
    let trailer = Trailer(
      tablesPosition: index.trailer.tablesPosition, directoryPosition: position,
      header: Array(container[..<FileHeader.byteCount]), directory: frame)
    return Array(container[..<Int(position)]) + frame + trailer.bytes
  }

  /// Nothing that a pipe of random bytes says is believed.
  @Test func noContainers() throws {
    var random = Random(4)
    for count in [0, 1, 7, 8, 9, 63, 64, 191, 192, 1000] {
      for start in [[], FileHeader.magic, FileHeader().bytes] {
        let bytes = Array((start + random.bytes(count)).prefix(max(count, 1)))
        expectRefused("\(count) bytes") { try unpackedForward(bytes, isPipe: true) }
        expectRefused("\(count) bytes, at random") { try readAtRandom(bytes) }
      }
    }
    #expect(throws: SwzipError(.corrupt, .notAContainer, at: 0)) { try unpackedForward(Random.made(500)) }
    #expect(throws: SwzipError(.corrupt, .notAContainer, at: 0)) { try unpackedForward([]) }
  }

  private func expectRefused(_ what: String, _ body: () throws -> [UInt8]) {
    do {
      let bytes = try body()
      Issue.record("\(what): \(bytes.count) bytes came out")
    } catch {
      expectTyped(what, error)
    }
  }

  private func expectRightOrRefused(_ what: String, _ sample: SmallContainer, _ body: () throws -> [UInt8]) {
    do {
      let bytes = try body()
      #expect(same(bytes, sample.original), "\(what): other bytes came out")
    } catch {
      expectTyped(what, error)
    }
  }

  /// Damage is never the caller's fault, nor the system's; a length that was damaged may ask for a larger buffer.
  private func expectTyped(_ what: String, _ error: any Error) {
    guard let error = error as? SwzipError else {
      Issue.record("\(what): \(error)")
      return
    }
    #expect([.corrupt, .unsupported, .base].contains(error.kind), "\(what): \(error)")
    #expect(!error.text.isEmpty)
  }
}
