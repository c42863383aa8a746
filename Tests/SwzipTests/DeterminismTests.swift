import CSwzipKernels
import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// The same input makes the same container: whatever the threads, the processor and the kind of source.
struct DeterminismTests {
  static let original = SafetensorsFile.everything(seed: 3).bytes + Random.made(70_000)

  @Test(arguments: [1, 2, 3, 6]) func threads(level: Int) throws {
    let one = try packed(Self.original, options(level: level))
    for threads in [2, 3, 8] {
      #expect(same(try packed(Self.original, options(level: level, threads: threads)), one), "\(threads) threads")
    }
    #expect(same(try packed(Self.original, options(level: level, verify: false)), one), "without verification")
    let file = try packed(from: ArraySource(Self.original), options(level: level, threads: 2))
    #expect(same(file.bytes, one), "not from memory")
  }

  @Test func threadsOverManyBatches() throws {
    let original = RoundTripTests.content((16 << 20) + 12_345)
    let one = try packed(original, options(level: 1, verify: false))
    for threads in [2, 3, 8] {
      #expect(same(try packed(original, options(level: 1, threads: threads, verify: false)), one), "\(threads) threads")
    }
  }

  @Test(arguments: [1, 2, 3]) func kernelLevels(level: Int) throws {
    let made = try KernelLevel.choosing { choose in
      try KernelLevel.all.map { kernels in
        choose(kernels)
        return try packed(Self.original, options(level: level))
      }
    }
    for container in made.dropFirst() { #expect(same(container, made[0])) }
    // Each level decodes what the others made.
    try KernelLevel.choosing { choose in
      for kernels in KernelLevel.all {
        choose(kernels)
        for container in made {
          let (all, forward) = (
            try unpacked(container, capacity: Self.original.count), try unpackedForward(container)
          )
          #expect(same(all, Self.original))
          #expect(same(forward, Self.original))
        }
      }
    }
  }

  /// A pipe gives no length: header and member frame say so, and what is derived from them; all else is equal.
  @Test(arguments: [1, 2]) func pipe(threads: Int) throws {
    let options = options(threads: threads)
    let (piped, report) = try packed(from: PipeSource(Self.original), options)
    let (stored, fileReport) = try packed(from: ArraySource(Self.original), options)
    #expect(report.checksum == fileReport.checksum)
    #expect(report.tensorCount == fileReport.tensorCount)
    #expect(same(try unpackedForward(piped, isPipe: true), Self.original))
    #expect(piped.count == stored.count)
    let index = try Container(ArraySource(stored)).index
    let members = try #require(index.directory.members.first)
    let content = FileHeader.byteCount + Int(members.frameByteCount)
    let end = Int(index.trailer.directoryPosition)
    #expect(same(Array(piped[content..<end]), Array(stored[content..<end])), "segments, blocks and tables")
    let pipedIndex = try Container(ArraySource(piped)).index
    #expect(pipedIndex.directory == index.directory)
    #expect(pipedIndex.header.totalByteCount == nil)
  }
}

extension Random {
  static func made(_ count: Int, seed: UInt64 = 5) -> [UInt8] {
    var random = Random(seed)
    return random.bytes(count)
  }
}
