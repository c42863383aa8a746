import Testing

@testable import SwzipCore

struct DifferencesTests {
  /// What is chosen on a sample has tables of all blocks: a sample of all values is the blocks themselves.
  @Test(arguments: [1, 1000, 65_536, 131_072, 150_000, 262_143, 262_144, 300_000, 1_000_000], [64, 384, 5000])
  func samples(count: Int, rowLength: Int) throws {
    let values = [UInt8](repeating: 0, count: 2 * count)
    let kind = try #require(DeltaKind(.bf16))
    unsafe values.withUnsafeBytes { bytes in
      let differences = unsafe Differences(bytes, bytes, kind: kind, blockValues: 60_000 / rowLength * rowLength)
      let (sample, blocks) = (differences.sample(rowLength: rowLength), differences.blocks)
      let sampled = sample.reduce(0) { $0 + $1.count }
      #expect(blocks.reduce(0) { $0 + $1.count } == count)
      #expect(sample == blocks || sampled < count)
      #expect(sampled >= min(count, 100_000))
      #expect(sample.allSatisfy { $0.lowerBound % rowLength == 0 })
    }
  }
}
