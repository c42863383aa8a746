import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Ranges read by `Container`, and segments that cover the file.
struct RandomAccessTests {
  @Test(arguments: [1, 2, 3], [1, 3]) func randomRanges(level: Int, threads: Int) throws {
    let original = SafetensorsFile.everything(seed: 9).bytes + Random.made(3000)
    let file = try Container(ArraySource(try packed(original, options(level: level))))
    var random = Random(UInt64(level * 10 + threads))
    for round in 0..<60 {
      let offset = random.below(original.count + 1)
      let count = min(random.below(round & 1 == 0 ? 5000 : 300_000), original.count - offset)
      let policy: CheckPolicy = round & 2 == 0 ? .strict : .loader
      let part = try read(file, offset, count, policy: policy, threads: threads)
      #expect(same(part, Array(original[offset..<(offset + count)])), "\(count) bytes at \(offset)")
    }
  }

  @Test func everyEdge() throws {
    let original = SafetensorsFile.everything(seed: 2).bytes
    let file = try Container(ArraySource(try packed(original)))
    for segment in file.segments {
      for offset in [Int(segment.offset) - 1, Int(segment.offset), Int(segment.offset + segment.byteCount) - 1]
      where offset >= 0 {
        let count = min(3, original.count - offset)
        #expect(try read(file, offset, count) == Array(original[offset..<(offset + count)]))
      }
    }
    #expect(try read(file, original.count, 0) == [])
  }

  @Test func rangesOutside() throws {
    let file = try Container(ArraySource(try packed(Random.made(100))))
    for (member, offset, count) in [(0, 101, 0), (0, 100, 1), (0, 0, 101), (1, 0, 1), (-1, 0, 1), (0, -1, 1)] {
      let target = try GuardedBuffer(count)
      #expect(throws: SwzipError(.invalidArgument, .range)) {
        try unsafe file.read(member: member, offset: UInt64(bitPattern: Int64(offset)), into: target.bytes)
      }
      #expect(target.guardsAreWhole)
    }
  }

  @Test(arguments: [1, 3]) func tensorsAreNamedRanges(level: Int) throws {
    let made = SafetensorsFile.everything(seed: 6)
    let original = made.bytes
    let file = try Container(ArraySource(try packed(original, options(level: level))))
    let found = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0) })
    #expect(found.count == made.tensors.count)
    for tensor in made.tensors {
      let stored = try #require(found[tensor.name])
      #expect(stored.elementType == tensor.type.name)
      #expect(stored.shape == tensor.shape.map(UInt64.init))
      #expect(stored.byteCount == UInt64(tensor.bytes.count))
      #expect(same(try read(file, Int(stored.offset), tensor.bytes.count), tensor.bytes), "\(tensor.name)")
    }
  }

  /// Small ranges from the beginning to the end, by several threads at once: a block that one of them has read gives its room
  /// to the next, while others may still copy from it.
  @Test func readersInOrder() async throws {
    let original = Random.made(3 << 20)
    let file = try Container(ArraySource(try packed(original)))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for reader in 0..<4 {
        group.addTask {
          var random = Random(UInt64(reader))
          var offset = 0
          while offset < original.count {
            let count = min(1 + random.below(8000), original.count - offset)
            guard same(try read(file, offset, count), Array(original[offset..<(offset + count)])) else { return false }
            offset += count
          }
          return true
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  /// Several threads may read at once.
  @Test func readersAtOnce() async throws {
    let original = SafetensorsFile.everything(seed: 8).bytes
    let file = try Container(ArraySource(try packed(original)))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for reader in 0..<4 {
        group.addTask {
          let offset = reader * 10_001
          return same(try read(file, offset, 200_000), Array(original[offset..<(offset + 200_000)]))
        }
      }
      for try await good in group { #expect(good) }
    }
  }

  // MARK: segments

  @Test(arguments: 0..<200) func plannerTilesTheFile(seed: Int) throws {
    var random = Random(UInt64(seed))
    var tensors: [TensorRecord] = []
    let types = ElementType.allCases.dropFirst()
    let headerBytes = 8 + random.below(200)
    var offset = UInt64(headerBytes)
    for index in 0..<random.below(30) {
      if random.below(6) == 0 { offset += UInt64(random.below(3000)) }  // a hole
      let type = types[1 + random.below(types.count)]
      let shapes: [[UInt64]] = [
        [3], [64, 48], [1, 40_000], [300, 4096], [17, 3, 5], [0, 7], [], [2_100_000], [5, 999_999], [40, 512],
        [9, 1_000_192],
      ]
      let shape = shapes[random.below(shapes.count)]
      guard let byteCount = TensorRecord.byteCount(of: type, shape: shape) else { continue }
      tensors.append(
        TensorRecord(name: "\(index)", elementType: type, shape: shape, offset: offset, byteCount: byteCount))
      offset += byteCount
    }
    var map = FileMap()
    map.tensors = tensors
    map.payloads = tensors.filter { $0.byteCount > 0 }.map(Payload.init)
    let dataEnd = tensors.last { $0.byteCount > 0 }.map { $0.offset + $0.byteCount } ?? 0
    for fileBytes in [offset, offset + UInt64(random.below(20_000_000)), UInt64(random.below(Int(offset) + 1))] {
      let layout = Planner.layout(of: map, format: "safetensors", fileByteCount: fileBytes)
      var end: UInt64 = 0
      for segment in layout.segments {
        #expect(segment.offset == end)
        #expect(segment.byteCount > 0 && segment.byteCount <= Limits.segmentBytes)
        #expect(segment.rowLength >= 0)
        end += UInt64(segment.byteCount)
      }
      #expect(end == fileBytes)
      #expect(layout.tensors.allSatisfy { $0.offset + $0.byteCount <= fileBytes })
      #expect(layout.warnings.isEmpty == (fileBytes >= dataEnd))
    }
    let piped = Planner.layout(of: map, format: "safetensors", fileByteCount: nil)
    #expect(piped.segments.reduce(0) { $0 + UInt64($1.byteCount) } <= offset)
  }

  @Test func segmentsTileTheMember() throws {
    for extra in [0, 1, 70_000] {
      let original = SafetensorsFile.everything(seed: 5).bytes + Random.made(extra)
      let file = try Container(ArraySource(try packed(original)))
      var end: UInt64 = 0
      var blocks = 0
      for segment in file.segments {
        #expect(segment.offset == end)
        end += segment.byteCount
        blocks += segment.blockCount
      }
      #expect(end == UInt64(original.count))
      #expect(blocks >= file.segments.count)
    }
  }

  @Test func predictionIsNear() throws {
    let original = SafetensorsFile.everything(seed: 5).bytes
    let predicted = try predict(ArraySource(original), level: 3)
    let file = try Container(ArraySource(try packed(original)))
    #expect(predicted.map(\.offset) == file.segments.map(\.offset))
    #expect(predicted.map(\.codec) == file.segments.map(\.codec))
    let sum = predicted.reduce(0) { $0 + $1.predictedByteCount }
    let real = file.segments.reduce(0) { $0 + $1.packedByteCount }
    #expect(sum > real * 9 / 10 && sum < real * 11 / 10)
  }
}
