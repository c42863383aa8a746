import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Whatever is lost of a container: what salvage calls recovered is right, what is missing is said, and nothing is called
/// whole without an index that proves it.
struct SalvageDamageTests {
  /// Of known length, and as a pipe gives them.
  static let samples: [(name: String, original: [UInt8], container: [UInt8])] = SmallContainer.all.flatMap { sample in
    let piped = try? packed(from: PipeSource(sample.original), options(level: 3)).bytes
    return [
      (sample.name, sample.original, sample.container), (sample.name + ", piped", sample.original, piped ?? []),
    ]
  }

  @Test(arguments: samples.indices) func cutAnywhere(number: Int) throws {
    let sample = Self.samples[number]
    for length in stride(from: 0, to: sample.container.count, by: sample.container.count > 700 ? 7 : 1) {
      try expectHonest(Array(sample.container[..<length]), sample.original, "\(sample.name) cut at \(length)")
    }
  }

  /// Each frame destroyed, alone and with the index.
  @Test(arguments: samples.indices) func everyFrameDestroyed(number: Int) throws {
    let sample = Self.samples[number]
    for range in try Self.frames(sample.container) {
      var damaged = sample.container
      damaged.replaceSubrange(range, with: [UInt8](repeating: 0xDB, count: range.count))
      try expectHonest(damaged, sample.original, "\(sample.name) without \(range)")
      try expectHonest(Array(damaged.dropLast(64)), sample.original, "\(sample.name) without \(range) and trailer")
    }
  }

  /// What does not belong to the container is told from it.
  @Test(arguments: samples.indices) func bytesBeforeAndBehind(number: Int) throws {
    let sample = Self.samples[number]
    for count in [1, 16, 1000] {
      let noise = Random.made(count)
      for (bytes, isBefore) in [(noise + sample.container, true), (sample.container + noise, false)] {
        let sink = ArraySink()
        let report = try salvage(from: ArraySource(bytes), to: sink)
        #expect(same(sink.bytes, sample.original), "\(sample.name)")
        #expect(report.hasIndex && report.isWhole != isBefore)
        #expect(report.precedingByteCount == UInt64(isBefore ? count : 0))
      }
    }
  }

  private func expectHonest(_ damaged: [UInt8], _ original: [UInt8], _ what: String) throws {
    let sink = ArraySink()
    let report: SalvageReport
    do {
      report = try salvage(from: ArraySource(damaged), to: sink)
    } catch {
      #expect(error == SwzipError(.corrupt, .notAContainer, at: 0), "\(what)")
      return
    }
    let file = try #require(report.files.first)
    expectRight(file, sink.bytes, original, what)
    let hasIndex = (try? Container(ArraySource(damaged))) != nil
    #expect(report.hasIndex == hasIndex && report.isWhole == (hasIndex && same(sink.bytes, original)), "\(what)")
  }

  // MARK: folders

  private static let files = [
    FolderTests.File(name: "a", bytes: Random.made(300, seed: 1)), FolderTests.File(name: "b/empty", bytes: []),
    FolderTests.File(name: "b/c", bytes: [UInt8](repeating: 7, count: 5000)),
    FolderTests.File(name: "d", bytes: Random.made(400, seed: 2)),
  ]

  @Test func folders() throws {
    let (container, _) = try FolderTests.packed(Self.files, options())
    var damages = try Self.frames(container).flatMap { range in
      var damaged = container
      damaged.replaceSubrange(range, with: [UInt8](repeating: 0xDB, count: range.count))
      return [damaged, damaged.dropLast(64)]
    }
    damages += (0...container.count).map { Array(container[..<$0]) }
    for (number, damaged) in damages.enumerated() {
      let hasIndex = (try? Container(ArraySource(damaged))) != nil
      guard let isFolder = try? looksLikeFolder(ArraySource(damaged)), isFolder else {
        #expect(!hasIndex)
        continue
      }
      let sinks = ArraySinks()
      let report = try salvage(from: ArraySource(damaged), to: sinks)
      var isAll = true
      for file in Self.files {
        let found = report.files.first { $0.name == file.name }
        isAll = isAll && found != nil && sinks.content(of: file.name) == file.bytes
        if let found {
          expectRight(found, sinks.content(of: file.name), file.bytes, "\(file.name), damage \(number)")
        } else if hasIndex {
          #expect(report.lost.contains(file.name), "\(file.name), damage \(number)")
        }
      }
      #expect(Set(sinks.names).count == sinks.names.count && report.files.map(\.name) == sinks.names)
      #expect(report.isWhole == (hasIndex && isAll), "damage \(number)")
    }
  }

  /// The output is the original but for what is missing, which is told as far as the length is known.
  private func expectRight(_ file: SalvagedFile, _ saved: [UInt8], _ original: [UInt8], _ what: String) {
    var expected = Array(original.prefix(saved.count))
    for range in file.missing {
      for index in range where index < UInt64(expected.count) { expected[Int(index)] = 0 }
    }
    #expect(saved.count <= original.count && same(saved, expected), "\(what)")
    let missing = file.missing.reduce(0) { $0 + $1.count }
    #expect(Int(file.recoveredByteCount) + missing <= original.count, "\(what)")
    if file.knowsEnd { #expect(Int(file.recoveredByteCount) + missing == original.count, "\(what)") }
  }

  /// Header, frames, tables, directory and trailer.
  private static func frames(_ container: [UInt8]) throws -> [Range<Int>] {
    let index = try Container(ArraySource(container)).index
    var ends = [0, FileHeader.byteCount]
    for (number, member) in index.directory.members.enumerated() {
      ends.append(ends[ends.count - 1] + Int(member.frameByteCount))
      for segment in index.firstSegment[number]..<index.firstSegment[number + 1] {
        let place = index.segments[segment]
        ends.append(Int(place.blocksPosition))
        let open = try OpenSegment(
          ArraySource(container), place, index.header.version, number: segment)
        for entry in open.table.entries { ends.append(ends[ends.count - 1] + entry.frameByteCount) }
      }
    }
    ends += [Int(index.trailer.directoryPosition), container.count - Trailer.byteCount, container.count]
    return zip(ends, ends.dropFirst()).map { $0..<$1 }.filter { !$0.isEmpty }
  }

  // MARK: bases

  /// Differences are saved given the base, and missing without it, which is said.
  @Test func bases() throws {
    let (before, after) = (BaseTests.before.bytes, BaseTests.after.bytes)
    let (container, _) = try BaseTests.packed(after, base: before)
    let first = try #require(try Container(ArraySource(container)).index.segments.dropFirst(2).first)
    var damaged = container
    damaged[Int(first.blocksPosition) + 40] ^= 1
    for bytes in [container, damaged, Array(damaged.dropLast(64))] {
      let sink = ArraySink()
      let report = try salvage(from: ArraySource(bytes), to: sink, bases: try Bases([BaseTests.file(before)]))
      let file = try #require(report.files.first)
      expectRight(file, sink.bytes, after, "with base")
      #expect(file.missing.count == (bytes == container ? 0 : 1) && file.missingBase == nil)
      #expect(report.isWhole == (bytes == container))
    }
    for bases in [nil, try Bases([BaseTests.file(after)])] {
      let sink = ArraySink()
      let report = try salvage(from: ArraySource(container), to: sink, bases: bases)
      let file = try #require(report.files.first)
      expectRight(file, sink.bytes, after, "without base")
      #expect(!report.isWhole && !file.missing.isEmpty && file.missingBase != nil)
    }
  }

  // MARK: hostile claims

  /// A segment of very many blocks, then headers of blocks that are none: each claims the bytes behind it, and could be any
  /// of a thousand.
  @Test(arguments: [0x42, 0x53, 0x4D] as [UInt8]) func falseFrames(kind: UInt8) throws {
    var header = FileHeader()
    header.totalByteCount = nil
    let segment = SegmentHeader(
      memberOffset: 0, byteCount: 1 << 40, blockValues: 1 << 18, elementType: .f64, coding: PlanesCoding())
    var fake: [UInt8] = [0, 0x10, 0, kind] + [0, 0, 4, 0] + [UInt8](repeating: 0, count: 8)
    if kind != 0x42 { fake.replaceSubrange(4..<8, with: [0, 0, 0, 0]) }
    let bytes =
      header.bytes + MemberHeader().frame(number: 0).bytes + segment.frame(number: 0).bytes
      + Array([[UInt8]](repeating: fake, count: 1 << 14).joined()) + Random.made(1 << 16)
    let sink = ArraySink()
    let report = try salvage(from: ArraySource(bytes), to: sink)
    #expect(sink.bytes.isEmpty && !report.isWhole)
    #expect(report.files.first?.missing == [0..<(1 << 40)])
  }

  /// Blocks far from each other: zeros between them are bounded by the container's size.
  @Test func farOffsets() throws {
    var bytes = FileHeader().bytes + MemberHeader().frame(number: 0).bytes
    for number in 0..<40 {
      let (_, container) = try SmallContainer.assembled([1]) { _ in
        [SegmentRange(offset: 0, byteCount: 1, elementType: .bytes)]
      }
      let place = try Container(ArraySource(container)).index.segments[0]
      let block = container[Int(place.blocksPosition)..<Int(place.blocksPosition + place.record.blocksByteCount)]
      let header = SegmentHeader(
        memberOffset: UInt64(number) << 21, byteCount: 1, blockValues: 1, elementType: .bytes,
        coding: BytesCoding())
      bytes += header.frame(number: 2 * number).bytes + block
    }
    let sink = ArraySink()
    let report = try salvage(from: ArraySource(bytes), to: sink)
    #expect(sink.bytes.count > 1 && sink.bytes.count <= bytes.count * 256 + 16 << 20)
    #expect(!report.isWhole && report.files.first?.missing.isEmpty == false)
  }
}
