import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// What a higher level makes is not larger than what a lower one makes.
struct LevelTests {
  static let files: [(name: String, bytes: [UInt8])] = {
    var files = [ElementType.bf16, .f16, .f32, .f32BE].flatMap { type in
      [Pattern.weights, .rows, .zeros, .outliers].map { ("\(type) \($0)", $0.bytes(type, 9000)) }
    }
    // Names of tokens: here zstd 19 takes twice what zstd 3 takes.
    var names: [UInt8] = []
    for number in 0..<5000 {
      names += Array("tok\(number)".utf8)
      names.insert(contentsOf: [UInt8("tok\(number)".utf8.count), 0, 0, 0, 0, 0, 0, 0], at: names.endIndex)
    }
    files.append(("names", names))
    files.append(("text", Array((0..<4000).map { "line \($0 * $0) of \($0 % 77)\n" }.joined().utf8)))
    files.append(("noise", Random.made(100_000)))
    files.append(("nothing", []))
    // Two filter banks: values that come again.
    let bank = Pattern.weights.bytes(.f32, 9000)
    files.append(("again", bank + bank + Array("between".utf8) + bank))
    return files
  }()

  /// Blocks of plain bytes grow where matches lie further apart than 256 KiB, and any part can be read.
  @Test(arguments: [1, 3, 5, 7]) func longMatches(level: Int) throws {
    var random = Random(8)
    let words = (0..<60_000).map { _ in "\(random.below(100_000)) " }.joined().utf8
    let bytes = Array(words) + Array("again".utf8) + Array(words)
    let container = try packed(from: ArraySource(bytes), options(level: level, threads: 2)).bytes
    let once = try packed(from: ArraySource(Array(words)), options(level: level)).bytes.count
    #expect(container.count * 10 < once * 11)
    #expect(same(try unpackedForward(container, isPipe: true), bytes))
    let file = try Container(ArraySource(container))
    #expect(file.segments.map(\.blockCount) == [1])
    for start in [0, 300_000, bytes.count - 7] {
      let part = try file.source(ofMember: 0).bytes(at: UInt64(start), count: 7)
      #expect(part == Array(bytes[start..<(start + 7)]))
    }
  }

  /// Words without order, where matches are short and near, take no more than in one stream of zstd of the level.
  @Test(arguments: 1...6) func noLargerThanZstd(level: Int) throws {
    var random = Random(9)
    let names = (0..<400).map { _ in "name\(random.below(1 << 20))" }
    let text = (0..<500_000).map { _ in names[random.below(20) * random.below(20)] + " " }.joined().utf8
    let bytes = Array(text.prefix(3 << 20))
    let target = try Memory(bytes.count)
    let zstd = unsafe bytes.withUnsafeBytes {
      unsafe Compressors().zstd($0, into: target.bytes, level: Int32(level))
    }
    let size = try packed(from: ArraySource(bytes), options(level: level)).bytes.count
    let most = try #require(zstd) * 501 / 500 + 464
    #expect(size <= most)
  }

  @Test func noLevelExceedsALowerOne() throws {
    for (name, bytes) in Self.files {
      var least = Int.max
      for level in [1, 2, 3, 5, 7, 9] {
        let size = try packed(from: ArraySource(bytes), options(level: level)).bytes.count
        #expect(least == .max || size <= least + least / 500 + 64, "\(name), level \(level): \(size), before \(least)")
        least = min(least, size)
      }
    }
  }
}
