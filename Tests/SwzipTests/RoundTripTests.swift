import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Whatever goes in comes out, by every way in and every way out.
struct RoundTripTests {
  static let lengths =
    [0, 1, 7, 8, 9, 63, 64, 65, 4096, 262_143, 262_144, 262_145, 262_151, 300_000, 786_433]

  /// Bytes of three kinds, one after the other, so that blocks differ.
  static func content(_ count: Int) -> [UInt8] {
    var random = Random(UInt64(count))
    let third = count / 3
    return random.bytes(third) + Array(Pattern.weights.bytes(.bf16, third).prefix(third))
      + [UInt8](repeating: 7, count: count - 2 * third)
  }

  @Test(arguments: lengths, [1, 2, 3]) func plainBytes(count: Int, threads: Int) throws {
    let original = Self.content(count)
    for level in [1, 3] {
      let container = try packed(original, options(level: level, threads: threads))
      try expectEveryWayOut(container, original)
    }
  }

  /// Around the largest segment, and over several batches.
  @Test(arguments: [(8 << 20) - 1, 8 << 20, (8 << 20) + 1, 20 << 20]) func manySegments(count: Int) throws {
    let original = Self.content(count)
    let container = try packed(original, options(threads: 2, sha256: true))
    #expect(same(try unpacked(container, capacity: count, loader: true), original))
    #expect(same(try unpackedForward(container, isPipe: true, threads: 2), original))
    let piped = try packed(from: PipeSource(original), options(level: 1, verify: false))
    #expect(same(try unpackedForward(piped.bytes), original))
    #expect(piped.report.rawByteCount == UInt64(count))
  }

  @Test(arguments: [1, 2, 3, 5, 9], [1, 2]) func safetensors(level: Int, threads: Int) throws {
    let original = SafetensorsFile.everything(seed: UInt64(level)).bytes
    for sha256 in [false, true] {
      let options = options(level: level, threads: threads, sha256: sha256)
      let (container, report) = try packed(from: ArraySource(original), options)
      #expect(report.format == "safetensors")
      #expect(report.warnings.isEmpty)
      #expect((report.sha256 != nil) == sha256)
      #expect(report.packedByteCount == UInt64(container.count))
      try expectEveryWayOut(container, original)
      let file = try Container(ArraySource(container))
      #expect(file.members[0].checksum == report.checksum)
      #expect(file.members[0].sha256 == report.sha256)
    }
  }

  /// Every type alone with every content: nothing in one segment can hide behind another.
  @Test(arguments: ElementType.safetensors) func everyContent(type: ElementType) throws {
    for pattern in Pattern.allCases {
      for level in [1, 2, 3] {
        var file = SafetensorsFile()
        file.add("t", type, [16, 1200], pattern)
        let original = file.bytes
        let container = try packed(original, options(level: level))
        let out = try unpacked(container, capacity: original.count, loader: level == 2)
        #expect(same(out, original), "\(pattern) at level \(level)")
        #expect(same(try unpackedForward(container), original), "\(pattern) at level \(level), forward")
      }
    }
  }

  /// A container that just fits; one byte less is an error and no more.
  @Test(arguments: [0, 100, 5000, 300_000]) func exactRoom(count: Int) throws {
    let original = Self.content(count)
    let container = try packed(original)
    for missing in [0, 1, 64, container.count] {
      let room = try GuardedBuffer(container.count - missing)
      let pack = {
        try unsafe original.withUnsafeBytes { try unsafe packBytes($0, into: room.bytes, options: PackOptions()) }
      }
      if missing == 0 {
        #expect(try pack() == container.count)
        #expect(same(unsafe [UInt8](room.bytes), container))
      } else {
        #expect(throws: SwzipError(.invalidArgument, .outputTooSmall)) { try pack() }
      }
      #expect(room.guardsAreWhole)
    }
    guard count > 0 else { return }
    #expect(throws: SwzipError(.invalidArgument, .outputTooSmall)) { try unpacked(container, capacity: count - 1) }
  }

  /// `packBound` holds for the worst content.
  @Test(arguments: [1, 1000, 73_728, 600_000]) func boundHolds(count: Int) throws {
    var file = SafetensorsFile()
    for type in [ElementType.bf16, .f32, .i64, .f8e4m3] { file.add(type.name, type, [count / 4 + 1], .random) }
    for level in [1, 3] {
      let original = file.bytes
      let container = try packed(original, options(level: level))
      #expect(container.count <= original.count + original.count / 64 + 4096)
    }
  }

  @Test func progressReachesTheEnd() throws {
    let original = Self.content(9 << 20)
    var last: UInt64 = 0
    let sink = ArraySink()
    _ = try pack(from: ArraySource(original), to: sink, options: options(level: 1, verify: false)) { done in
      #expect(done >= last)
      last = done
    }
    #expect(last == UInt64(original.count))
    last = 0
    let report = try verify(ArraySource(sink.bytes), threads: 1) { done in
      #expect(done >= last)
      last = done
    }
    #expect(last == UInt64(original.count))
    #expect(report.rawByteCount == UInt64(original.count))
  }

  private func expectEveryWayOut(_ container: [UInt8], _ original: [UInt8]) throws {
    for loader in [false, true] {
      for threads in [1, 2] {
        let out = try unpacked(container, capacity: original.count, loader: loader, threads: threads)
        #expect(same(out, original), "loader \(loader), \(threads) threads")
      }
    }
    for isPipe in [false, true] {
      for threads in [1, 2] {
        let out = try unpackedForward(container, isPipe: isPipe, threads: threads)
        #expect(same(out, original), "pipe \(isPipe), \(threads) threads")
      }
    }
    let report = try verify(PipeSource(container), threads: 2)
    #expect(report.rawByteCount == UInt64(original.count))
    #expect(same(try readAtRandom(container, threads: 2), original))
  }

  /// fp32 values that come again bit by bit pack smaller than each by itself would, where the level has zstd.
  @Test(arguments: [1, 2, 3, 9]) func valuesComeAgain(level: Int) throws {
    let table = Pattern.weights.bytes(.f32, 16_384)
    var file = SafetensorsFile()
    file.add("alone", .f32, [16_384])
    file.add("table", .f32, [3, 16_384])
    let last = file.tensors.count - 1
    file.tensors[last].bytes = stride(from: 0, to: table.count, by: 2048).flatMap { start in
      let piece = table[start..<(start + 2048)]
      return piece + piece + piece
    }
    let container = try packed(file.bytes, options(level: level))
    #expect(same(try readAtRandom(container), file.bytes))
    let segments = try Container(ArraySource(container)).segments.filter { $0.elementType == "F32" }
    #expect(segments.map(\.codec) == ["float", level == 1 ? "float" : "bytes"])
    #expect(level == 1 || segments[1].packedByteCount < 2 * segments[0].packedByteCount)
  }
}
