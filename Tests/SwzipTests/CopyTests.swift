import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Tensors that occur twice are stored once.
struct CopyTests {
  /// Tied weights, a third copy, and one that differs in a byte far from where samples are compared.
  static let file: SafetensorsFile = {
    var file = SafetensorsFile()
    file.add("embedding", .bf16, [120, 400], .weights, seed: 1)
    file.add("middle", .f32, [100, 300], .weights, seed: 2)
    file.add("head", .bf16, [120, 400], .weights, seed: 1)
    file.add("almost", .bf16, [120, 400], .weights, seed: 1)
    file.tensors[3].bytes[30_000] ^= 1
    file.add("as f16", .f16, [120, 400], .weights, seed: 1)
    file.tensors[4].bytes = file.tensors[0].bytes
    file.add("last", .bf16, [48_000], .weights, seed: 1)
    return file
  }()

  @Test(arguments: [1, 3], [1, 2]) func roundTrip(level: Int, threads: Int) throws {
    let original = Self.file.bytes
    let (container, _) = try packed(from: ArraySource(original), options(level: level, threads: threads))
    let file = try Container(ArraySource(container))
    let codecs = Dictionary(grouping: file.segments, by: \.codec).mapValues(\.count)
    #expect(codecs["copy"] == 3)
    #expect(file.index.header.mustFlags == FileHeader.refersBack)
    #expect(same(try unpackedForward(container, threads: threads), original), "by decoding again")
    #expect(same(try unpackedForward(container, isPipe: true, threads: threads), original), "by reading back")
    for loader in [false, true] {
      #expect(same(try unpacked(container, capacity: original.count, loader: loader, threads: threads), original))
    }
    for segment in file.segments where segment.codec == "copy" {
      let (start, end) = (Int(segment.offset) - 5, Int(segment.offset + segment.byteCount) - 7)
      #expect(same(try read(file, start, end - start, threads: threads), Array(original[start..<end])))
    }
    #expect(try verify(ArraySource(container), threads: threads).rawByteCount == UInt64(original.count))
  }

  /// From a pipe into a pipe nothing can be looked up again.
  @Test func pipeToPipeIsRefused() throws {
    let (container, _) = try packed(from: ArraySource(Self.file.bytes), options(level: 1))
    #expect(throws: SwzipError(.refused, .notRandomAccess)) {
      try unpackedForward(container, isPipe: true, canReadBack: false)
    }
    // A file as source needs no reading back.
    #expect(same(try unpackedForward(container, canReadBack: false), Self.file.bytes))
  }

  /// A pipe as input: copies cannot be found, nothing is lost.
  @Test func pipesHaveNoCopies() throws {
    let original = Self.file.bytes
    let (container, _) = try packed(from: PipeSource(original), options())
    #expect(try Container(ArraySource(container)).segments.allSatisfy { $0.codec != "copy" })
    #expect(same(try unpackedForward(container, isPipe: true, canReadBack: false), original))
  }

  /// Damage in what a copy refers to shows in the copy too.
  @Test func damagedOriginal() throws {
    let (container, _) = try packed(from: ArraySource(Self.file.bytes), options())
    let file = try Container(ArraySource(container))
    let first = try #require(file.index.segments.first { $0.record.codec == CodecID.float.rawValue })
    let copy = try #require(file.segments.first { $0.codec == "copy" })
    var damaged = container
    damaged[Int(first.blocksPosition) + 100] ^= 4
    let broken = try Container(ArraySource(damaged))
    for policy in [CheckPolicy.strict, .loader] {
      #expect(throws: SwzipError.self) { try read(broken, Int(copy.offset), 10, policy: policy) }
    }
    let good = Int(copy.offset + copy.byteCount) + 10
    #expect(same(try read(broken, good, 10), Array(Self.file.bytes[good..<(good + 10)])))
  }
}
