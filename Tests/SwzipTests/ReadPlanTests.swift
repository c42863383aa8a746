import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// How often and how much of a container is read for what is asked for.
struct ReadPlanTests {
  /// Tensors of more than a segment, of some blocks, and small ones.
  private static let model: SafetensorsFile = {
    var file = SafetensorsFile()
    file.add("large", .bf16, [5000, 1024])
    for number in 0..<6 { file.add("middle.\(number)", .bf16, [600, 512], seed: UInt64(number)) }
    for number in 0..<200 { file.add("small.\(number)", .f32, [10, 64], seed: UInt64(number)) }
    return file
  }()
  private static let original = model.bytes
  private static let container = try! packed(original)

  private static func tensor(_ name: String, _ file: Container) throws -> Container.Tensor {
    try #require(file.tensors.first { $0.name == name })
  }

  private func expect(_ file: Container, _ offset: UInt64, _ count: UInt64, threads: Int = 1) throws {
    let (offset, count) = (Int(offset), Int(count))
    #expect(same(try read(file, offset, count, threads: threads), Array(Self.original[offset..<(offset + count)])))
  }

  @Test func opening() throws {
    let source = CountingSource(Self.container)
    _ = try Container(source)
    #expect(source.reads <= 3 && source.byteCountRead <= (256 << 10) + 2 * FileHeader.byteCount)
  }

  /// A row: the segment's frame, then the block or two; its neighbours: nothing more.
  @Test func rows() throws {
    let source = CountingSource(Self.container)
    let file = try Container(source)
    let large = try Self.tensor("large", file)
    for row: UInt64 in [4000, 0, 2345] {
      source.restart()
      try expect(file, large.offset + row * 2048, 2048)
      #expect(source.reads <= 2 && source.byteCountRead < 250_000, "\(source.reads), \(source.byteCountRead)")
      source.restart()
      for next in row..<(row + 20) { try expect(file, large.offset + next * 2048, 2048) }
      #expect(source.reads <= 1, "\(source.reads)")
    }
  }

  /// Each in a few ranges of a megabyte, each byte once.
  @Test(arguments: [1, 3]) func allTensors(threads: Int) throws {
    let source = CountingSource(Self.container)
    let file = try Container(source)
    source.restart()
    let tensors = file.tensors
    for tensor in tensors {
      let before = source.reads
      try expect(file, tensor.offset, tensor.byteCount, threads: threads)
      let most = 3 + Int(tensor.byteCount >> (threads == 1 ? 19 : 17))
      #expect(source.reads - before <= most, "\(tensor.name): \(source.reads - before)")
    }
    #expect(source.reads < tensors.count, "small tensors share a segment, which is read once")
    #expect(source.byteCountRead < Self.container.count * 21 / 20)
  }

  @Test func allInOne() throws {
    let source = CountingSource(Self.container)
    let file = try Container(source)
    source.restart()
    try expect(file, 0, UInt64(Self.original.count))
    #expect(source.reads < 5 + Self.container.count >> 19, "\(source.reads)")
    #expect(source.byteCountRead <= Self.container.count)
  }

  /// Of a packed base: its index, and what is referred to in ranges of about a megabyte, each byte once.
  @Test(arguments: [1, 2]) func packedBase(threads: Int) throws {
    var next = Self.original
    for place in stride(from: next.count / 2, to: next.count, by: 100) { next[place] ^= 1 }
    let container = try BaseTests.packed(next, base: Self.container).bytes
    let source = CountingSource(Self.container)
    let bases = try Bases([BaseFile(name: "") { () throws(SwzipError) in source }], trust: .length)
    let file = try Container(ArraySource(container), bases: bases)
    source.restart()
    #expect(same(try read(file, 0, next.count, threads: threads), next))
    let index = (256 << 10) + 2 * FileHeader.byteCount
    #expect(source.reads < 20 + Self.container.count >> 18, "\(source.reads)")
    #expect(source.byteCountRead < index + Self.container.count * 11 / 10, "\(source.byteCountRead)")
    // A row of it is a block or two of each.
    source.restart()
    let row = Int(try Self.tensor("large", file).offset) + 4_000_000
    #expect(same(try read(Container(ArraySource(container), bases: bases), row, 2048), Array(next[row..<(row + 2048)])))
    #expect(source.reads <= 6 && source.byteCountRead < index + 400_000, "\(source.reads), \(source.byteCountRead)")
  }

  /// What occurs twice is read in ranges too.
  @Test func copies() throws {
    var twice = SafetensorsFile()
    twice.add("first", .bf16, [2500, 1024])
    twice.add("second", .bf16, [2500, 1024])
    let container = try packed(twice.bytes)
    #expect(container.count < twice.bytes.count * 2 / 5)
    let source = CountingSource(container)
    let file = try Container(source)
    let second = try Self.tensor("second", file)
    source.restart()
    let bytes = try read(file, Int(second.offset), Int(second.byteCount))
    #expect(same(bytes, twice.tensors[1].bytes))
    #expect(source.reads < 12 + bytes.count >> 19, "\(source.reads)")
  }
}
