import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// What is merely odd, or made to hurt, costs time and memory in proportion to its bytes.
struct HostileTests {
  // MARK: declared sizes

  /// A range that is referred to may be wider than the segment: of the longest segments it would not fit any number.
  @Test(arguments: [1, 4]) func longestSegments(references: Int) throws {
    let weight = Prediction.weight(
      Prediction.MomentDecay(beta1: 0.9, beta2: 0.999), Prediction.WeightStep(decay: 1, step: 0.001, epsilon: 1e-8))
    let delta = DeltaCoding(try #require(DeltaKind(.bf16)), weight, RansCoding(tables: [Self.table(0)]))
    let cast = try #require(CastKind(.bf16, from: .f32))
    var header = SegmentHeader(
      memberOffset: 0, byteCount: UInt64(Int64.max) - 1, blockValues: 8192, elementType: .bf16,
      coding: references == 1 ? cast : delta,
      references: Array(repeating: .earlier(member: 0, offset: 0), count: references))
    let frame = header.frame(number: 0).bytes
    #expect(throws: SwzipError(.corrupt, .reference, at: UInt64(frame.count))) { try Self.read(frame) }
    header.byteCount = UInt64(Int64.max) / 2 - 1
    #expect(try Self.read(header.frame(number: 0).bytes).referencedByteCount <= UInt64(Int64.max))
  }

  private static func read(_ frame: [UInt8]) throws -> SegmentHeader {
    var reader = unsafe ByteReader(frame.span.bytes, at: 0)
    _ = try reader.array(Frame.headerBytes)
    return try SegmentHeader.read(&reader)
  }

  // MARK: what decoders hold

  private static func table(_ seed: UInt32) -> RansTable {
    let counts = (0..<256).map { UInt32($0) &* seed % 61 }
    return unsafe counts.withUnsafeBufferPointer { unsafe RansTable(counts: $0.baseAddress!) }
  }

  private static let manyTables = RansCoding(tables: (1...32).map { table(UInt32($0)) })

  /// As many tables as a segment may have, and a block that needs none.
  private static func manyTables(_ count: Int) -> (header: SegmentHeader, blocks: [HandMade.Block]) {
    let header = SegmentHeader(
      memberOffset: 2 * UInt64(count), byteCount: 2, blockValues: 1, elementType: .bf16,
      coding: FloatCoding(FloatKind(.bf16, mantissaBits: 0)!, .rans(manyTables)))
    return (header, [.raw([0x80, 0x3F])])
  }

  @Test func tablesAreBuiltForBlocksThatNeedThem() throws {
    let segment = Self.manyTables(0)
    let decoder = SegmentDecoder()
    decoder.begin(try Self.read(segment.header.frame(number: 0).bytes))
    let frame = segment.blocks[0].frame(valueCount: 1, number: 0).bytes
    let memory = try GuardedBuffer(frame.count + Limits.slack)
    unsafe memory.bytes.copyBytes(from: frame)
    let out = try GuardedBuffer(2)
    try unsafe decoder.decode(
      UnsafeRawBufferPointer(rebasing: memory.bytes[..<frame.count]), block: 0, into: out.bytes, policy: .strict,
      scratch: DecodeScratch(), position: 0)
    #expect(!decoder.holdsTables)
  }

  /// The most that a segment may have is what readers make room for.
  @Test func largestDecoder() throws {
    var header = Self.manyTables(0).header
    header.byteCount = 4 << 18
    header.blockValues = 1 << 18
    var rans = Self.manyTables
    rans.columns = [UInt8](repeating: 0, count: 1 << 18)
    (rans.rowBits, rans.tableOfContext) = (1, [0, 1])
    header.coding = FloatCoding(FloatKind(.bf16, mantissaBits: 0)!, .rans(rans), rowLength: 1 << 18)
    let read = try Self.read(header.frame(number: 0).bytes)
    #expect(read.decoderByteCount > 32 << 14 && read.decoderByteCount <= Limits.decoderBytes)
  }

  /// Thousands of segments, each with 32 tables: forward and at random, with one thread and two.
  @Test(arguments: [1, 2]) func manySegmentsWithTables(threads: Int) throws {
    let container = try HandMade.container((0..<40).map(Self.manyTables))
    let original = [[UInt8]](repeating: [0x80, 0x3F], count: 40).flatMap { $0 }
    #expect(same(try unpackedForward(container, threads: threads), original))
    #expect(same(try readAtRandom(container, threads: threads), original))
  }

  // MARK: references

  /// A segment that others refer to is not opened anew for each of their blocks.
  @Test(arguments: [1, 2]) func copiesReadInProportion(threads: Int) throws {
    func read(_ blocks: Int) throws -> Double {
      let bytes = [UInt8](repeating: 7, count: 8192 * blocks)
      let first = HandMade.segment(bytes, at: 0)
      let copy = HandMade.segment(bytes, at: bytes.count, copyOf: .earlier(member: 0, offset: 0))
      let container = try HandMade.container([first, copy])
      let source = CountingSource(container)
      #expect(try verify(source, threads: threads).rawByteCount == UInt64(2 * bytes.count))
      return Double(source.byteCountRead) / Double(container.count)
    }
    #expect(try read(600) < 3)
  }

  /// Each step of a chain of bases reads each block of the next about once, though its blocks straddle those of the next.
  @Test(arguments: [1, 2]) func chainsReadInProportion(threads: Int) throws {
    let depth = 9
    let byteCount = 12 * 8192
    let plain = Random.made(byteCount + 16)
    let first = CountingSource(plain)
    var (bases, content, container) = ([[UInt8]](), plain, [UInt8]())
    for step in 1...depth {
      let start = [UInt8](repeating: UInt8(step), count: 16)
      let part = Array(content[8..<(8 + byteCount)])
      container = try HandMade.container(
        [HandMade.segment(start, at: 0), HandMade.segment(part, at: 16, copyOf: .base(number: 0, offset: 8))],
        bases: [BaseRecord(sha256: HandMade.digest(content), byteCount: UInt64(content.count), hint: "")])
      content = start + part
      bases.append(container)
    }
    let known = try Bases(
      [BaseFile(name: "plain") { () throws(SwzipError) in first }] + bases.dropLast().map { BaseTests.file($0) })
    let sink = ArraySink()
    _ = try unpack(from: ArraySource(container), to: sink, bases: known, threads: threads)
    #expect(same(sink.bytes, content))
    // Each base is read once to hash it, and once more to decode the last.
    #expect(first.byteCountRead < 2 * (depth + 2) * byteCount)
  }

  // MARK: headers of model files

  /// Names that are equal as characters, not as bytes, are two names.
  @Test func namesAreBytes() throws {
    var file = SafetensorsFile()
    file.add("\u{E9}", .u8, [8])
    file.add("e\u{301}", .u8, [8])
    #expect(SafetensorsHeader(Array(file.bytes.dropLast(16)))?.tensors.count == 2)
    file.add("\u{E9}", .u8, [8])
    #expect(SafetensorsHeader(Array(file.bytes.dropLast(24))) == nil)
  }

  /// Names of records are taken apart by bytes: a slash or an end that a mark follows is the same slash.
  @Test func recordsAreNamedByBytes() throws {
    var zip = PlainZip()
    let names = ["\u{E9}", "e\u{301}", "a/\u{301}b", "\u{301}"]
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (16,), }"
    let padded = header + String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let array = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(padded.utf8) + [UInt8](repeating: 0, count: 64)
    for name in names { zip.add(name + ".npy", array) }
    let file = try Container(ArraySource(packed(zip.finished)))
    #expect(file.tensors.map { Array($0.name.utf8) } == names.map { Array($0.utf8) })
  }

  /// What is skipped may be of any kind; what is no JSON is no header.
  @Test func skippedValues() {
    let tensor = #""t":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}"#
    for value in ["[1,1e5,-0.5]", #"{"a":"\\\"b","c":{}}"#, "null", "[[],true]", #""\u00e9""#] {
      let bytes = SafetensorsFile.file("{\"__metadata__\":\(value),\(tensor)}", [])
      #expect(SafetensorsHeader(bytes)?.tensors.count == 1, "\(value)")
    }
    for value in ["[1,,1]", "{1:2}", #""\x""#, "[1", "\"\u{1}\"", "[[[[[[1]]]]]]", ""] {
      let bytes = SafetensorsFile.file("{\"__metadata__\":\(value),\(tensor)}", [])
      #expect(SafetensorsHeader(bytes) == nil, "\(value)")
    }
  }
}
