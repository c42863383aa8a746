import CSwzipKernels
import SwzipCore
import SwzipSamples
import Testing

/// Every kernel level makes the same bytes as the portable one, and decodes what the others made.
struct KernelLevelTests {
  @Test(arguments: BlockTests.distinctTypes, [1, 2, 3]) func levelsAgree(type: ElementType, level: Int) throws {
    for usesNodes in [true, false] { try levelsAgree(type, level, usesNodes: usesNodes) }
  }

  private func levelsAgree(_ type: ElementType, _ level: Int, usesNodes: Bool) throws {
    let tester = try BlockTester()
    try KernelLevel.choosing { choose in
      for pattern in Pattern.allCases {
        for (count, rowLength) in [(1, 0), (31, 0), (255, 0), (257, 0), (2049, 0), (64 * 33, 64), (8192 + 17, 0)] {
          let values = pattern.bytes(type, count)
          let made = try KernelLevel.all.map { kernels in
            choose(kernels)
            return try tester.encode(values, type, level: level, rowLength: rowLength, usesNodes: usesNodes)
          }
          for other in made.dropFirst() {
            #expect(other.header == made[0].header, "\(pattern), \(count)")
            #expect(other.frames == made[0].frames, "\(pattern), \(count)")
          }
          for kernels in KernelLevel.all {
            choose(kernels)
            for misalignment in [0, 5] {
              let out = try tester.decode(made[0], misalignment: misalignment, streaming: misalignment > 0)
              #expect(same(out, values), "\(pattern), \(count), level \(kernels)")
            }
          }
        }
      }
    }
  }

  @Test func checksumsAgree() throws {
    let bytes = Random.made(3000, seed: 9)
    try KernelLevel.choosing { choose in
      var sums: [[UInt64]] = []
      for kernels in KernelLevel.all {
        choose(kernels)
        sums.append(
          try (0..<1100).flatMap { count throws -> [UInt64] in
            let part = Array(bytes[count..<(2 * count)])
            let stream = try StreamChecksum()
            unsafe part.withUnsafeBytes { part in
              // In two pieces.
              unsafe stream.add(UnsafeRawBufferPointer(rebasing: part[..<(count / 3)]))
              unsafe stream.add(UnsafeRawBufferPointer(rebasing: part[(count / 3)...]))
            }
            return [xxh3(part), xxh3(part, seed: UInt64(count)), stream.sum.low, stream.sum.high]
          })
      }
      for sum in sums.dropFirst() { #expect(sum == sums[0]) }
    }
  }

  /// The values of the xxHash project.
  @Test func knownChecksums() throws {
    #expect(xxh3([]) == 0x2D06_8005_38D3_94C2)
    #expect(try StreamChecksum().sum.digest.description == "99aa06d3014798d86001c324468d497f")
  }
}
