import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Tensors that another one determines in a different float type cost next to nothing.
struct CastTests {
  /// The four pairs of spec/codecs/cast.md, by arithmetic of the language: (what is predicted, from what).
  private static func cast(_ bits: UInt32, _ pair: Pair) -> UInt64 {
    let value = Float(bitPattern: bits)
    return switch pair {
    case .bf16FromF32, .f32FromBF16:
      // The nearer neighbour, the even one of two that are as near.
      UInt64(UInt16(truncatingIfNeeded: (UInt64(bits) + 0x7FFF + UInt64(bits >> 16 & 1)) >> 16))
    case .f16FromF32: UInt64(Float16(value).bitPattern)
    case .f32FromF16: UInt64(Float(Float16(bitPattern: UInt16(truncatingIfNeeded: bits))).bitPattern)
    }
  }

  enum Pair: CaseIterable { case bf16FromF32, f16FromF32, f32FromBF16, f32FromF16 }

  /// Two tensors of a pair, the second predicted from the first but for every `exception`-th value.
  private static func file(_ pair: Pair, exception: Int = .max, seed: UInt64 = 1) -> SafetensorsFile {
    let count = 150 * 400
    var random = Random(seed)
    var master = [UInt32]()
    for _ in 0..<count {
      master.append((random.normal() * 0.02).bitPattern)
    }
    for (index, special) in [
      0, 0x8000_0000, 0x7F80_0000, 0xFF80_0000, 0x477F_EFFF, 0x477F_F000, 0x3300_0000, 0x3300_0001,
      0x387F_FFFF, 0x0000_0001, 0x3F80_8000, 0x3F81_8000, 0x3F80_8001,
    ].enumerated() {
      master[100 * index + 7] = UInt32(special)
    }
    func bytes(_ values: [UInt64], _ width: Int) -> [UInt8] {
      values.flatMap { value in (0..<width).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
    }
    var (first, second): ((ElementType, [UInt8]), (ElementType, [UInt8]))
    switch pair {
    case .bf16FromF32, .f16FromF32:
      first = (.f32, bytes(master.map(UInt64.init), 4))
      second = (pair == .bf16FromF32 ? .bf16 : .f16, bytes(master.map { cast($0, pair) }, 2))
    case .f32FromBF16:
      first = (.bf16, bytes(master.map { cast($0, pair) }, 2))
      second = (.f32, bytes(master.map(UInt64.init), 4))
    case .f32FromF16:
      let halves = master.map { UInt32(Float16(Float(bitPattern: $0)).bitPattern) }
      first = (.f16, bytes(halves.map(UInt64.init), 2))
      second = (.f32, bytes(halves.map { cast($0, pair) }, 4))
    }
    for index in stride(from: exception - 1, to: count, by: exception) {
      second.1[index * second.0.width + second.0.width - 1] ^= 0x15
    }
    var file = SafetensorsFile()
    file.add("first", first.0, [150, 400], .weights, seed: 1)
    file.add("between", .bf16, [64, 300], .weights, seed: 9)
    file.add("second", second.0, [150, 400], .weights, seed: 1)
    file.tensors[0].bytes = first.1
    file.tensors[2].bytes = second.1
    return file
  }

  @Test(arguments: Pair.allCases, [1, 3, 7]) func roundTrip(pair: Pair, level: Int) throws {
    for threads in [1, 2] {
      let original = Self.file(pair).bytes
      let (container, _) = try packed(from: ArraySource(original), options(level: level, threads: threads))
      let file = try Container(ArraySource(container))
      let cast = try #require(file.segments.last { $0.codec == "cast" })
      #expect(cast.byteCount == UInt64(150 * 400 * (pair == .bf16FromF32 || pair == .f16FromF32 ? 2 : 4)))
      if pair != .f32FromBF16 { #expect(cast.packedByteCount * 1000 < cast.byteCount + 200_000) }
      #expect(file.index.header.mustFlags == FileHeader.refersBack)
      #expect(same(try unpackedForward(container, threads: threads), original), "by decoding again")
      #expect(same(try unpackedForward(container, isPipe: true, threads: threads), original), "by reading back")
      for loader in [false, true] {
        #expect(same(try unpacked(container, capacity: original.count, loader: loader, threads: threads), original))
      }
      let (start, end) = (Int(cast.offset) + 501, Int(cast.offset + cast.byteCount) - 77)
      #expect(same(try read(file, start, end - start, threads: threads), Array(original[start..<end])))
      #expect(try verify(ArraySource(container), threads: threads).rawByteCount == UInt64(original.count))
    }
  }

  /// Some exceptions become patches; with many the tensor is no cast. Either way every byte comes back.
  @Test(arguments: Pair.allCases, [2, 100, 400, 5000]) func exceptions(pair: Pair, every: Int) throws {
    let original = Self.file(pair, exception: every).bytes
    let (container, _) = try packed(from: ArraySource(original), options())
    let casts = try Container(ArraySource(container)).segments.filter { $0.codec == "cast" }
    #expect(casts.isEmpty == (every <= 100))
    #expect(same(try unpackedForward(container), original))
  }

  /// Pipes as input have no casts, and lose nothing.
  @Test(arguments: Pair.allCases) func pipes(pair: Pair) throws {
    let original = Self.file(pair).bytes
    let (container, _) = try packed(from: PipeSource(original), options())
    #expect(try Container(ArraySource(container)).segments.allSatisfy { $0.codec != "cast" })
    #expect(same(try unpackedForward(container, isPipe: true, canReadBack: false), original))
  }

  /// Every flipped byte of a block that is a cast, or of what it refers to, is an error.
  @Test func damage() throws {
    let original = Self.file(.bf16FromF32, exception: 5000).bytes
    let (container, _) = try packed(from: ArraySource(original), options())
    let file = try Container(ArraySource(container))
    let place = try #require(file.index.segments.last { $0.record.codec == CodecID.cast.rawValue })
    for offset in stride(
      from: Int(place.framePosition), to: Int(place.blocksPosition + place.record.blocksByteCount), by: 3)
    {
      var damaged = container
      damaged[offset] ^= 0x20
      #expect(throws: SwzipError.self, "byte \(offset)") { try unpackedForward(damaged) }
    }
  }
}
