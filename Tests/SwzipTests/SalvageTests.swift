import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// What can be saved of a damaged container is saved, and what cannot is said.
struct SalvageTests {
  static let original: [UInt8] = {
    var file = SafetensorsFile()
    file.add("a", .bf16, [600, 384], .weights, seed: 1)
    file.add("b", .f32, [100, 500], .weights, seed: 2)
    file.add("c", .i16, [90, 400], .weights, seed: 3)
    file.add("d", .bf16, [600, 384], .weights, seed: 1)  // a copy of a
    file.add("e", .f8e4m3, [100, 2048], .weights, seed: 5)
    return file.bytes + Random.made(1000)
  }()
  static let container = (try? packed(original)) ?? []

  struct Block: Sendable, CustomTestStringConvertible {
    let segment: Int
    let number: Int
    let frame: Range<Int>
    let content: Range<Int>
    let isCopy: Bool
    var testDescription: String { "block \(number) of segment \(segment)" }
  }

  static let segments: [ContainerIndex.Place] = (try? Container(ArraySource(container)).index.segments) ?? []

  static let blocks: [Block] = {
    do {
      return try segments.enumerated().flatMap { number, place in
        let open = try OpenSegment(ArraySource(container), place, .current, number: number)
        return open.table.entries.indices.map { index in
          let content = open.range(ofBlock: index)
          return Block(
            segment: number, number: index,
            frame: Int(
              open.table.positions[index])..<(Int(open.table.positions[index])
              + open.table.entries[index].frameByteCount),
            content: Int(content.lowerBound)..<Int(content.upperBound),
            isCopy: place.record.codec == CodecID.copy.rawValue)
        }
      }
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  /// Without damage all is saved, whatever the codec, the block type or the mode.
  @Test(arguments: ModelFile.all) func wholeFiles(file: ModelFile) throws {
    for level in [3, 7] {
      let (saved, report) = try salvaged(try packed(file.bytes, options(level: level)), isWhole: true)
      #expect(report.missing.isEmpty && same(saved, file.bytes), "level \(level)")
    }
  }

  @Test(arguments: SmallContainer.all) func wholeContainers(sample: SmallContainer) throws {
    let (saved, report) = try salvaged(sample.container, isWhole: true)
    #expect(report.missing.isEmpty && same(saved, sample.original))
  }

  @Test func nothingIsLost() throws {
    #expect(Self.blocks.contains { $0.isCopy } && Self.blocks.contains { $0.number > 1 })
    let (bytes, report) = try salvaged(Self.container, isWhole: true)
    #expect(same(bytes, Self.original))
    #expect(report.missing.isEmpty)
    #expect(report.recoveredByteCount == UInt64(Self.original.count))
  }

  /// Only the block with the damaged byte is lost, and copies of it.
  @Test(arguments: blocks) func oneDamagedBlock(block: Block) throws {
    for place in [0, 3, 9, 17, 24, block.frame.count / 2, block.frame.count - 1] {
      var damaged = Self.container
      damaged[block.frame.lowerBound + place] ^= 0x10
      let lost = Self.lost(block)
      try expectAllBut(lost, damaged, "byte \(place)")
    }
  }

  /// Ranges that depend on a block: itself, and in the copies of it all blocks that overlap.
  private static func lost(_ block: Block) -> [Range<Int>] {
    let copies = blocks.filter { copy in
      guard copy.isCopy, let original = segments.first(where: { $0.memberOffset > 0 && $0.record.codec == 1 }) else {
        return false
      }
      let shift = Int(segments[copy.segment].memberOffset - original.memberOffset)
      return (copy.content.lowerBound - shift..<copy.content.upperBound - shift).overlaps(block.content)
    }
    return [block.content] + copies.map(\.content).filter { $0 != block.content }
  }

  @Test(arguments: segments.indices) func lostSegmentFrame(number: Int) throws {
    let place = Self.segments[number]
    var damaged = Self.container
    let start = Int(place.framePosition)
    for index in start..<(start + Int(place.record.frameByteCount)) { damaged[index] = 0xDB }
    let lost = Self.blocks.filter { $0.segment == number }
    try expectAllBut(lost.flatMap(Self.lost), damaged, "segment \(number)")
  }

  /// Neither index nor trailer is needed.
  @Test func cutOff() throws {
    let tables = Int(try Container(ArraySource(Self.container)).index.trailer.tablesPosition)
    for end in [Self.container.count - 1, tables + 20, tables] {
      let (bytes, report) = try salvaged(Array(Self.container[..<end]))
      #expect(same(bytes, Self.original), "cut at \(end)")
      #expect(report.missing.isEmpty)
    }
    for block in [Self.blocks[2], try #require(Self.blocks.last)] {
      let end = block.frame.upperBound - 1
      try expectAllBut([block.content.lowerBound..<Self.original.count], Array(Self.container[..<end]), "cut at \(end)")
    }
  }

  @Test func damagedHeader() throws {
    for position in [8, 20, 40, 57, 63, 64, 80] {
      var damaged = Self.container
      damaged[position] ^= 0x40
      // The index tells all that a member's frame does.
      let (bytes, report) = try salvaged(damaged, isWhole: position >= 64)
      #expect(same(bytes, Self.original), "byte \(position)")
      #expect(report.missing.isEmpty)
    }
    let headless = [UInt8](repeating: 0xDB, count: 64) + Self.container[64...]
    for other in [headless, Array(headless[64...]), Array(headless[112...])] {
      #expect(same(try salvaged(other).bytes, Self.original))
    }
    #expect(throws: SwzipError(.corrupt, .notAContainer, at: 0)) { try salvaged(Random.made(5000)) }
    #expect(throws: SwzipError(.corrupt, .notAContainer, at: 0)) { try salvaged([]) }
  }

  /// One stretch of damage over the end of a segment, the next segment's frame and its first blocks: what follows belongs
  /// to the segment whose frame is lost and must not pass for the rest of the one before, whose blocks look alike.
  /// With the index and without.
  @Test(arguments: [0, 1, 2, 3], [true, false]) func burstOverASegmentFrame(firstBlocks: Int, hasIndex: Bool) throws {
    let count = Limits.blockValues
    let original = Random.made(8 * count, seed: 21)
    let (_, container) = try SmallContainer.assembled(original) { _ in
      [0, 4].map { SegmentRange(offset: UInt64($0 * count), byteCount: 4 * count, elementType: .bytes) }
    }
    let segments = try Container(ArraySource(container)).index.segments
    let frame = count + 32
    var damaged = container
    let start = Int(segments[1].framePosition) - frame * (4 - firstBlocks)
    let end = Int(segments[1].blocksPosition) + frame * firstBlocks
    for index in start..<end { damaged[index] = 0xDB }
    if !hasIndex { damaged.removeLast(64) }
    let sink = ArraySink()
    let report = try #require(try salvage(from: ArraySource(damaged), to: sink).files.first)
    let bytes = sink.bytes
    // Of what nothing is left there is no output.
    #expect(bytes.count == (firstBlocks == 0 ? 0 : original.count))
    #expect(report.recoveredByteCount == UInt64(count * firstBlocks))
    var wrong = 0
    for block in 0..<8 {
      let range = (block * count)..<((block + 1) * count)
      guard range.upperBound <= bytes.count,
        !report.missing.contains(where: { $0.overlaps(UInt64(range.lowerBound)..<UInt64(range.upperBound)) })
      else { continue }
      if !same(Array(bytes[range]), Array(original[range])) { wrong += 1 }
    }
    #expect(wrong == 0, "blocks of another segment were taken")
  }

  /// Random damage: what is said to be recovered is right.
  @Test(arguments: 0..<25) func whatIsRecoveredIsRight(seed: Int) throws {
    var random = Random(UInt64(seed))
    var damaged = Self.container
    for _ in 0...random.below(4) {
      let start = 64 + random.below(damaged.count - 64)
      let end = min(damaged.count, start + 1 + random.below(20_000))
      damaged.replaceSubrange(start..<end, with: random.bytes(end - start))
    }
    let (bytes, report) = try salvaged(damaged)
    expectRightOutside(report, bytes)
  }

  private func salvaged(
    _ container: [UInt8], isWhole: Bool = false
  ) throws -> (bytes: [UInt8], report: SalvagedFile) {
    let sink = ArraySink()
    let found = try salvage(from: ArraySource(container), to: sink)
    #expect(found.isWhole == isWhole && found.lost.isEmpty && found.files.count == 1)
    let report = try #require(found.files.first)
    #expect(report.byteCount == UInt64(sink.bytes.count))
    return (sink.bytes, report)
  }

  /// Everything is recovered but these ranges, which are zero and reported.
  private func expectAllBut(_ lost: [Range<Int>], _ damaged: [UInt8], _ what: String) throws {
    let (bytes, report) = try salvaged(damaged)
    var expected = Self.original
    for range in lost { expected.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count)) }
    #expect(same(bytes, expected), "\(what): \(report)")
    let missing = Set(report.missing.flatMap { [Int($0.lowerBound), Int($0.upperBound)] })
    for range in lost {
      #expect(
        report.missing.contains { $0.lowerBound <= range.lowerBound && $0.upperBound >= range.upperBound },
        "\(what): \(missing)")
    }
    #expect(report.missing.reduce(0) { $0 + $1.count } == lost.reduce(0) { $0 + $1.count }, "\(what)")
    #expect(report.recoveredByteCount == UInt64(Self.original.count - lost.reduce(0) { $0 + $1.count }), "\(what)")
  }

  private func expectRightOutside(_ report: SalvagedFile, _ bytes: [UInt8]) {
    guard bytes.count <= Self.original.count else {
      Issue.record("\(bytes.count) bytes")
      return
    }
    var expected = Array(Self.original[..<bytes.count])
    for range in report.missing {
      expected.replaceSubrange(
        Int(range.lowerBound)..<Int(range.upperBound), with: [UInt8](repeating: 0, count: range.count))
    }
    #expect(same(bytes, expected))
  }
}
