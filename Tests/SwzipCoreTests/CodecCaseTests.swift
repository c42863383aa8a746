import CSwzipKernels
import SwzipCore
import SwzipSamples
import Testing

/// What holds of every codec and mode.
struct CodecCaseTests {
  @Test func everyModeHasACase() {
    // A copy has no values of its own to encode.
    #expect(Set(CodecCase.all.map(\.mode)) == CodecRegistry.standard.modes)
    #expect(Set(CodecCase.all.map(\.codec) + [.copy]) == Set(CodecRegistry.standard.codecs.map { $0.id }))
  }

  @Test(arguments: CodecCase.all) func comesBack(_ sample: CodecCase) throws {
    let tester = try BlockTester()
    let encoded = try sample.encode(by: tester)
    #expect(try encoded.readHeader().codec == sample.codec)
    #expect(encoded.frames[0][24] == sample.mode.rawValue)
    for policy in [CheckPolicy.strict, .loader] {
      for misalignment in [0, 1, 13] {
        let out = try tester.decode(encoded, policy: policy, misalignment: misalignment, streaming: misalignment == 1)
        #expect(same(out, sample.values))
      }
    }
  }

  @Test(arguments: CodecCase.all) func kernelLevelsAgree(_ sample: CodecCase) throws {
    let tester = try BlockTester()
    try KernelLevel.choosing { choose in
      let made = try KernelLevel.all.map { kernels in
        choose(kernels)
        return try sample.encode(by: tester)
      }
      for kernels in KernelLevel.all {
        choose(kernels)
        #expect(same(try tester.decode(made[0]), sample.values))
      }
      #expect(made.allSatisfy { $0.header == made[0].header && $0.frames == made[0].frames })
    }
  }

  @Test(arguments: CodecCase.all) func flipsAndCuts(_ sample: CodecCase) throws {
    let tester = try BlockTester()
    let encoded = try sample.encode(by: tester)
    let count = encoded.frames[0].count
    for position in stride(from: 0, to: count, by: max(1, count / 4000)) {
      var damaged = encoded
      damaged.frames[0][position] ^= position & 1 == 0 ? 0x10 : 0xFF
      #expect(throws: SwzipError.self, "byte \(position)") { try tester.decode(damaged) }
      // What does not change the values need not be noticed by a loader.
      do {
        #expect(same(try tester.decode(damaged, policy: .loader), sample.values), "byte \(position)")
      } catch {
        #expect(error is SwzipError)
      }
      damaged.frames[0] = Array(encoded.frames[0][..<position])
      #expect(throws: SwzipError.self, "cut at \(position)") { try tester.decode(damaged) }
    }
    // Less than that is padding, whose end the frame's size tells.
    for position in stride(from: Frame.headerBytes, to: encoded.header.count, by: 16) {
      var damaged = encoded
      damaged.header = Array(encoded.header[..<position])
      #expect(throws: SwzipError.self, "segment frame cut at \(position)") { try tester.decode(damaged) }
    }
  }

  /// Under right hashes of the frames: kernels stay inside their memory, other bytes never come out, and every level of kernels
  /// says the same.
  @Test(arguments: CodecCase.all) func hostileBytes(_ sample: CodecCase) throws {
    let tester = try BlockTester()
    var random = Random(9)
    let encoded = try sample.encode(by: tester)
    let valueCount = try encoded.readHeader().valueCount(ofBlock: 0)
    let count = encoded.frames[0].count
    for round in 0..<600 {
      var damaged = encoded
      for _ in 0...random.below(3) {
        let byte = UInt8(truncatingIfNeeded: random.next())
        switch round % 3 {
        case 0: damaged.frames[0][24 + random.below(min(count - 24, 200))] = byte
        case 1: damaged.frames[0][24 + random.below(count - 24)] ^= 1 << (byte & 7)
        default: damaged.header[40 + random.below(damaged.header.count - 40)] = byte
        }
      }
      _ = unsafe damaged.frames[0].withUnsafeMutableBytes {
        unsafe Frame.seal($0, .block, tag: UInt32(valueCount))
      }
      let verdicts = try KernelLevel.choosing { choose in
        KernelLevel.all.map { kernels in
          choose(kernels)
          do {
            return same(try tester.decode(damaged), sample.values) ? "" : "other bytes"
          } catch {
            return "\(error)"
          }
        }
      }
      #expect(Set(verdicts).count == 1 && verdicts[0] != "other bytes" && !verdicts[0].contains("encoderFault"))
    }
  }

  // MARK: the parts of a float's frame

  private static let floats = CodecCase.all.filter {
    $0.codec == .float && [.huffman, .nodes, .rans].contains($0.mode)
  }

  @Test(arguments: floats) func partsTileTheFrame(_ sample: CodecCase) throws {
    let encoded = try sample.encode(by: try BlockTester())
    let header = try encoded.readHeader()
    let coding = try #require(header.coding as? FloatCoding)
    for (block, bytes) in encoded.frames.enumerated() {
      let count = header.valueCount(ofBlock: UInt64(block))
      func read(_ bytes: [UInt8]) throws -> FloatFrame {
        try unsafe bytes.withUnsafeBytes {
          try unsafe FloatFrame($0, sample.mode, by: coding, count: count, position: 0)
        }
      }
      let frame = try read(bytes)
      var end = BlockHeader.byteCount
      for part in frame.parts where !part.isEmpty {
        let gap = end..<part.lowerBound
        #expect(gap.count < 16 && (part == frame.patches || bytes[gap].allSatisfy { $0 == 0 }))
        end = part.upperBound
      }
      if case .rans(_, nil) = frame.content { continue }  // raw bits are those of values that are not zero
      #expect((end + 15) & ~15 == bytes.count)
      // Whatever its bytes say, an error or parts within it.
      var random = Random(UInt64(bytes.count))
      for _ in 0..<2000 {
        var changed = bytes
        changed[25 + random.below(bytes.count - 25)] = UInt8(truncatingIfNeeded: random.next())
        guard let read = try? read(changed) else { continue }
        #expect(read.parts.allSatisfy { $0.upperBound <= bytes.count })
        #expect(zip(read.parts, read.parts.dropFirst()).allSatisfy { $0.upperBound <= $1.lowerBound })
      }
      for cut in stride(from: 0, to: bytes.count, by: 16) {
        #expect(throws: SwzipError.self, "cut at \(cut)") { try read(Array(bytes[..<cut])) }
      }
    }
  }

  // MARK: another codec

  /// Bytes with all their bits turned.
  private struct TurnedCoding: PlainCodec {
    static let id = CodecID(rawValue: 200)
    static let name = "turned"
    static let modes = [BlockMode(rawValue: 99)]

    func decode(_ block: CodedBlock) throws(SwzipError) -> UInt64? {
      guard unsafe block.frame.count >= 32 + block.out.count else { throw block.failure(.frameSize) }
      for index in unsafe block.out.indices { unsafe block.out[index] = ~block.frame[32 + index] }
      return nil
    }

    static func plan(_ segment: PlainSegment) throws(SwzipError) -> (any CodecPlan)? {
      segment.type == .u8 ? Plan(blockValues: segment.blockValues()) : nil
    }

    struct Plan: CodecPlan {
      let blockValues: Int
      var coding: any Coding { TurnedCoding() }

      func bound(_ valueCount: Int) -> Int { 0 }
      func encode(_ block: PlainBlock) -> BlockPayload? {
        for index in 26..<32 { unsafe block.frame[index] = 0 }
        for index in unsafe block.values.indices { unsafe block.frame[32 + index] = ~block.values[index] }
        return unsafe BlockPayload(
          TurnedCoding.modes[0],
          byteCount: padFrame(block.frame.baseAddress!, from: 32 + block.values.count))
      }
    }
  }

  /// A codec is a folder and a line of the registry: nothing else needs to know it, and who does not know it says so.
  @Test func anotherCodec() throws {
    let registry = CodecRegistry([TurnedCoding.self] + CodecRegistry.standard.codecs)
    let values = Random.made(1000)
    let scratch = try EncodeScratch()
    let range = SegmentRange(offset: 0, byteCount: values.count, elementType: .u8)
    let plan = try unsafe values.withUnsafeBytes {
      try unsafe SegmentPlan(range, $0, effort: Effort(level: 3), scratch: scratch, registry: registry)
    }
    let frame = try GuardedBuffer(plan.frameBound + Limits.slack)
    let entry = unsafe values.withUnsafeBytes { unsafe plan.encode(0, $0, into: frame.bytes, scratch: scratch) }
    let encoded = BlockTester.Encoded(header: plan.header.frame(number: 0).bytes, frames: [], entries: [])
    for (registry, isKnown) in [(registry, true), (.standard, false)] {
      let header = try encoded.readHeader(registry)
      #expect(header.codec == TurnedCoding.id && (header == plan.header) == isKnown)
      let decoder = SegmentDecoder()
      decoder.begin(header)
      let out = try GuardedBuffer(values.count)
      func decode() throws(SwzipError) {
        try unsafe decoder.decode(
          UnsafeRawBufferPointer(rebasing: frame.bytes[..<entry.frameByteCount]), block: 0, into: out.bytes,
          policy: .strict, scratch: DecodeScratch(), position: 0)
      }
      if isKnown {
        try decode()
        #expect(unsafe same([UInt8](out.bytes), values))
      } else {
        #expect(throws: SwzipError(.unsupported, .unknownCodec, at: 0)) { try decode() }
      }
    }
  }
}
