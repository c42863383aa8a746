import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Floats are found in files that no parser knows, wherever they lie; nothing else is taken for floats.
struct RegionTests {
  /// Arrays behind names, as they lie in msgpack: at any byte.
  static func packedArrays(_ types: [ElementType], values: Int, count: Int) -> (bytes: [UInt8], arrays: [Payload]) {
    var (bytes, arrays): ([UInt8], [Payload]) = (Array("head".utf8), [])
    for index in 0..<count {
      bytes += Array("\u{88}layer\(index * index * 977).kernel\(String(repeating: "s", count: index % 9))".utf8)
      let type = types[index % types.count]
      let array = Pattern.weights.bytes(type, values, seed: UInt64(index + 1))
      arrays.append(
        Payload(offset: UInt64(bytes.count), byteCount: UInt64(array.count), elementType: type))
      bytes += array
    }
    return (bytes + Array("end".utf8), arrays)
  }

  /// Bytes of `arrays` that are found, at least in their width and with their sign and exponent where these are: values in the
  /// other byte order cost about the same.
  static func covered(_ arrays: [Payload], by found: [Payload]) -> UInt64 {
    func top(_ payload: Payload) -> UInt64 {
      let width = UInt64(payload.elementType.width)
      return (payload.offset + (payload.elementType.isSwapped ? 0 : width - 1)) % width
    }
    return arrays.reduce(0) { sum, array in
      let end = array.offset + array.byteCount
      return found.reduce(sum) { sum, other in
        guard other.elementType.width == array.elementType.width, top(other) == top(array) else { return sum }
        let start = max(array.offset, other.offset)
        return sum + max(min(end, other.offset + other.byteCount), start) - start
      }
    }
  }

  static let types: [ElementType] = [.bf16, .f16, .f32, .f64, .bf16BE, .f32BE, .f64BE]

  @Test(arguments: types) func arraysAtAnyByte(type: ElementType) throws {
    let (bytes, arrays) = Self.packedArrays([type], values: 12_000, count: 7)
    var map = FileMap()
    map.payloads = try RawGuess.payloads(of: SparseBytes(bytes), in: 0..<UInt64(bytes.count))
    let all = arrays.reduce(0) { $0 + $1.byteCount }
    #expect(Self.covered(arrays, by: map.payloads) * 100 > all * 98)
    #expect(map.problem(byteCount: UInt64(bytes.count)) == nil)
    for level in [1, 3, 7] {
      let (container, _) = try packed(from: ArraySource(bytes), options(level: level))
      #expect(same(try unpackedForward(container), bytes))
    }
  }

  /// Types that change within a megabyte, with noise and text between them.
  @Test func typesChange() throws {
    var (bytes, arrays) = Self.packedArrays([.f32, .bf16, .f32BE, .f64], values: 16_000, count: 8)
    bytes += Random.made(50_000) + Array(String(repeating: "The quick brown fox jumps. ", count: 3000).utf8)
    let more = Self.packedArrays([.f16, .bf16], values: 30_000, count: 2)
    arrays += more.arrays.map {
      Payload(offset: $0.offset + UInt64(bytes.count), byteCount: $0.byteCount, elementType: $0.elementType)
    }
    bytes += more.bytes
    let found = try RawGuess.payloads(of: SparseBytes(bytes), in: 0..<UInt64(bytes.count))
    let all = arrays.reduce(0) { $0 + $1.byteCount }
    #expect(Self.covered(arrays, by: found) * 100 > all * 97)
    #expect(found.reduce(0) { $0 + $1.byteCount } * 100 < all * 102)
    // A part of a file: nothing outside it.
    let part = UInt64(70_001)..<UInt64(400_003)
    for payload in try RawGuess.payloads(of: SparseBytes(bytes), in: part) {
      #expect(part.contains(payload.offset) && payload.offset + payload.byteCount <= part.upperBound)
    }
  }

  /// What is no float costs hardly more than as plain bytes.
  @Test func mistakesCostLittle() throws {
    let words = Array(String(repeating: "The quick brown fox jumps over the lazy dog. ", count: 4000).utf8)
    var random = Random(5)
    var tokens: [UInt8] = []
    for _ in 0..<60_000 { tokens += [UInt8(random.below(256)), UInt8(random.below(120)), 0, 0] }
    var sound: [UInt8] = []
    for index in 0..<80_000 {
      let level = Int16(random.normal() * 900) &+ Int16(index % 200 * 20)
      sound += [UInt8(truncatingIfNeeded: level), UInt8(truncatingIfNeeded: level >> 8)]
    }
    let pixels: [UInt8] = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 40 + random.below(7)) }
    let files: [[UInt8]] = [words, tokens, sound, pixels, Random.made(200_000), [UInt8](repeating: 0, count: 100_000)]
    for bytes in files {
      let guessed = try packed(from: ArraySource(bytes), options()).bytes.count
      var plain = options()
      plain.format = .raw
      let alone = try packed(from: ArraySource(bytes), plain).bytes.count
      #expect(guessed <= alone + alone / 200 + 64)
    }
  }

  /// From a pipe too, within what is read at once.
  @Test func pipes() throws {
    let (bytes, _) = Self.packedArrays([.f32, .bf16], values: 40_000, count: 6)
    let (container, _) = try packed(from: PipeSource(bytes), options())
    let (known, _) = try packed(from: ArraySource(bytes), options())
    #expect(same(try unpackedForward(container, isPipe: true), bytes))
    #expect(container.count < known.count + 200)
  }
}
