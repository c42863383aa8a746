import Swzip
import SwzipCore
import SwzipSamples
import Synchronization
import Testing

/// `ContainerDecoder`: a container that arrives in pieces of any size.
struct PushTests {
  private static let original = SafetensorsFile.everything(seed: 3).bytes + Random.made(100)
  private static let container = try! packed(original, options(sha256: true))

  private func pushed(
    _ container: [UInt8], _ sink: ArraySink, threads: Int = 1, pieces: () -> Int
  ) throws -> UnpackReport {
    let decoder = try ContainerDecoder(to: sink, threads: threads)
    var rest = container[...]
    while !rest.isEmpty {
      let piece = Array(rest.prefix(pieces()))
      try unsafe piece.withUnsafeBytes { unsafe try decoder.push($0) }
      rest = rest.dropFirst(piece.count)
    }
    return try decoder.finish()
  }

  @Test(arguments: [1, 13, 4096, 1 << 20, 1 << 30], [1, 3]) func pieces(count: Int, threads: Int) throws {
    let sink = ArraySink()
    let report = try pushed(Self.container, sink, threads: threads) { count }
    #expect(same(sink.bytes, Self.original))
    #expect(report.rawByteCount == UInt64(Self.original.count))
    #expect(report.packedByteCount == UInt64(Self.container.count))
    #expect(report.checksum == (try verify(ArraySource(Self.container), threads: 1)).checksum)
  }

  /// Small pieces make no small batches: threads get as much at once as from a file.
  @Test func piecesFillBatches() throws {
    let container = try packed(Random.made(4 << 20))
    func batches(_ count: Int) throws -> Int {
      let batches = Atomic(0)
      let control = Control(runner: { count, work in
        batches.add(1, ordering: .relaxed)
        for number in 0..<count { work(number) }
      })
      let decoder = try ContainerDecoder(to: ArraySink(), threads: 3, control: control)
      for start in stride(from: 0, to: container.count, by: count) {
        let piece = Array(container[start..<min(start + count, container.count)])
        try unsafe piece.withUnsafeBytes { unsafe try decoder.push($0) }
      }
      _ = try decoder.finish()
      return batches.load(ordering: .relaxed)
    }
    #expect(try batches(10_000) == batches(container.count))
  }

  @Test func piecesOfAnySize() throws {
    var random = Random(4)
    for _ in 0..<20 {
      let sink = ArraySink()
      _ = try pushed(Self.container, sink) { 1 + random.below(100_000) }
      #expect(same(sink.bytes, Self.original))
    }
  }

  /// What it repeats is read back from what was written.
  @Test func copies() throws {
    var twice = SafetensorsFile()
    twice.add("first", .f32, [300, 300])
    twice.add("second", .f32, [300, 300])
    let sink = ArraySink()
    _ = try pushed(packed(twice.bytes), sink) { 777 }
    #expect(same(sink.bytes, twice.bytes))
  }

  /// Cut anywhere it is an error at the end at the latest; what follows its end is one too.
  @Test func cutOrLonger() throws {
    var random = Random(5)
    let cuts = [0, 1, 63, 64, 65, Self.container.count - 1] + (0..<60).map { _ in random.below(Self.container.count) }
    for cut in cuts {
      let error = #expect(throws: SwzipError.self) {
        try pushed(Array(Self.container[..<cut]), ArraySink()) { 5000 }
      }
      #expect(error?.kind == .corrupt)
    }
    #expect(throws: SwzipError(.corrupt, .trailingBytes, at: UInt64(Self.container.count))) {
      try pushed(Self.container + [0], ArraySink()) { 5000 }
    }
  }

  /// Whoever pushes a container learns of damage before its end, and the same as from a pipe.
  @Test func damage() throws {
    var random = Random(6)
    for _ in 0..<40 {
      var damaged = Self.container
      damaged[random.below(damaged.count)] ^= UInt8(1 << random.below(8))
      let found = #expect(throws: SwzipError.self) { try pushed(damaged, ArraySink()) { 999 } }
      let piped = #expect(throws: SwzipError.self) { try unpackedForward(damaged, isPipe: true) }
      #expect(found == piped)
    }
  }
}
