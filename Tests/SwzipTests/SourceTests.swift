import SwzipCore
import SwzipSamples
import SwzipSystem
import SwzipTestSupport
import Testing

@testable import Swzip

/// What every source of random access keeps to: one contract, run on each.
struct SourceTests {
  /// A kind of source. `make`: one of these bytes. `failing`: one that can no longer read all of them, though it still claims
  /// them; nil where that cannot be.
  struct Kind: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let make: @Sendable ([UInt8], TestFolder) throws -> any RandomSource
    var failing: (@Sendable ([UInt8], TestFolder) throws -> any RandomSource)?

    init(
      _ name: String, _ make: @escaping @Sendable ([UInt8], TestFolder) throws -> any RandomSource,
      failing: (@Sendable ([UInt8], TestFolder) throws -> any RandomSource)? = nil
    ) {
      testDescription = name
      self.make = make
      self.failing = failing
    }
  }

  static let kinds = [
    Kind("array") { bytes, _ in ArraySource(bytes) },
    Kind("memory") { bytes, folder in try KeptMemory.source(bytes) },
    Kind("file", file, failing: cutFile),
    Kind("file from where its descriptor stands") { bytes, folder in
      folder.write("begun", Random.made(100) + bytes)
      let handle = try FileHandle.open(folder("begun"))
      let stream = try FileStream(handle)
      var start = [UInt8](repeating: 0, count: 100)
      _ = try unsafe start.withUnsafeMutableBytes { unsafe try handle.read(into: $0) }
      #expect(stream.byteCount == UInt64(bytes.count + 100))
      return try FileSource(handle)
    },
    Kind("cached", { CachedSource(try file($0, $1)) }, failing: { CachedSource(try cutFile($0, $1)) }),
    Kind(
      "part", { PartSource(try file($0 + [1, 2, 3], $1), 0..<UInt64($0.count)) },
      failing: { PartSource(try cutFile($0 + [1, 2, 3], $1), 0..<UInt64($0.count)) }),
    Kind("part of memory") { bytes, _ in
      PartSource(try KeptMemory.source([9, 9] + bytes + [9]), 2..<UInt64(bytes.count + 2))
    },
    Kind("joined", joined, failing: { try joined($0, $1) { source, folder in try cutFile(source, folder) } }),
    Kind("member of a container") { try member($0, $1) },
    Kind("member of a container in memory") { bytes, _ in
      try Container(KeptMemory.source(try packed(bytes))).source(ofMember: 0)
    },
    Kind("differences to a packed base") { bytes, folder in
      let base = bytes.enumerated().map { $0.offset % 97 == 0 ? $0.element ^ 1 : $0.element }
      let files = [try member(base, folder)].map { source in BaseFile(name: "base") { source } }
      let sink = ArraySink()
      _ = try pack(
        from: ArraySource(bytes), bases: [PackBase(hint: "", open: files[0].open)], to: sink, options: options())
      return try Container(ArraySource(sink.bytes), bases: Bases(files)).source(ofMember: 0)
    },
  ]

  private static func file(_ bytes: [UInt8], _ folder: TestFolder) throws -> any RandomSource {
    folder.write("file", bytes)
    return try FileSource(path: folder("file"))
  }

  private static func cutFile(_ bytes: [UInt8], _ folder: TestFolder) throws -> any RandomSource {
    let source = try file(bytes, folder)
    folder.write("file", Array(bytes.prefix(bytes.count / 2)))
    return source
  }

  private static func joined(_ bytes: [UInt8], _ folder: TestFolder) throws -> any RandomSource {
    try joined(bytes, folder) { part, _ in ArraySource(part) }
  }

  /// Empty files in it too. The third part is opened by `open`.
  private static func joined(
    _ bytes: [UInt8], _ folder: TestFolder, open: ([UInt8], TestFolder) throws -> any RandomSource
  ) throws -> any RandomSource {
    let cuts = [0, bytes.count / 3, bytes.count / 3, bytes.count]
    let parts = zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
    let last = try open(parts[2], folder)
    let members = parts.indices.map { number in
      PackMember(name: "\(number)") { number == 2 ? last : ArraySource(parts[number]) }
    }
    return JoinedSource(members, parts.map { UInt64($0.count) })
  }

  private static func member(_ bytes: [UInt8], _ folder: TestFolder) throws -> any RandomSource {
    try Container(ArraySource(try packed(bytes))).source(ofMember: 0)
  }

  /// More than a segment of floats, and a few bytes.
  static let samples = [[UInt8](), [7], Random.made(3000), Pattern.weights.bytes(.f32, 300_000) + [1, 2, 3]]

  @Test(arguments: kinds) func everyRange(of kind: Kind) throws {
    for (number, bytes) in Self.samples.enumerated() {
      let folder = TestFolder()
      let source = try kind.make(bytes, folder)
      #expect(source.byteCount == UInt64(bytes.count))
      var random = Random(UInt64(number))
      for round in 0..<40 {
        let start = round == 0 ? 0 : Int(random.next() % UInt64(bytes.count + 3))
        let count = round == 0 ? bytes.count + 5 : Int(random.next() % UInt64(bytes.count + 3))
        let expected = Array(bytes.dropFirst(start).prefix(count))
        #expect(same(try Self.read(source, start, count), expected), "\(start), \(count) of \(bytes.count)")
        guard let lent = try source.borrow(at: UInt64(start), count: count) else { continue }
        #expect(unsafe same([UInt8](lent.bytes), expected) && start + count <= bytes.count)
      }
      // Positions beyond all bounds.
      for start in [UInt64(bytes.count), UInt64(bytes.count) + 1, UInt64(Int64.max), .max] {
        var room = [UInt8](repeating: 0, count: 10)
        #expect(try unsafe room.withUnsafeMutableBytes { unsafe try source.read(at: start, into: $0) } == 0)
        #expect(try source.borrow(at: start, count: 1) == nil)
      }
      #expect(same(try Self.readForward(source), bytes))
    }
  }

  @Test(arguments: kinds) func manyThreads(of kind: Kind) async throws {
    let bytes = Self.samples[3]
    let folder = TestFolder()
    let source = try kind.make(bytes, folder)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for thread in 0..<4 {
        group.addTask {
          var random = Random(UInt64(thread))
          return try (0..<20).allSatisfy { _ in
            let start = Int(random.next() % UInt64(bytes.count))
            let count = Int(random.next() % 100_000)
            return same(try Self.read(source, start, count), Array(bytes.dropFirst(start).prefix(count)))
          }
        }
      }
      for try await isRight in group { #expect(isRight) }
    }
  }

  /// What cannot be read is an error, never fewer bytes; what can be read before it and after stays right.
  @Test(arguments: kinds.filter { $0.failing != nil }) func failureInTheMiddle(of kind: Kind) throws {
    let bytes = Random.made(5 << 20)
    let folder = TestFolder()
    let source = try kind.failing!(bytes, folder)
    #expect(source.byteCount == UInt64(bytes.count))
    let error = #expect(throws: SwzipError.self) { try Self.read(source, 0, bytes.count) }
    #expect(error?.kind == .io)
    #expect(throws: SwzipError.self) { try Self.readForward(source) }
    #expect(throws: SwzipError.self) { try Self.read(source, bytes.count - 10, 10) }
    #expect(same(try Self.read(source, 0, 1000), Array(bytes.prefix(1000))))
  }

  private static func read(_ source: any RandomSource, _ start: Int, _ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    let read = try unsafe bytes.withUnsafeMutableBytes { unsafe try source.read(at: UInt64(start), into: $0) }
    return Array(bytes.prefix(read))
  }

  private static func readForward(_ source: any RandomSource) throws -> [UInt8] {
    let reader = source.forward()
    #expect(reader.byteCount == source.byteCount && reader.random === source)
    var (bytes, part) = ([UInt8](), [UInt8](repeating: 0, count: 9999))
    while case let count = try unsafe part.withUnsafeMutableBytes({ unsafe try reader.read(into: $0) }), count > 0 {
      bytes += part.prefix(count)
    }
    return bytes
  }
}

/// Memory that stays until the process ends, as what a source of memory is given must outlive it.
private enum KeptMemory {
  static func source(_ bytes: [UInt8]) throws -> MemorySource {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 64)
    unsafe memory.copyBytes(from: bytes)
    return unsafe MemorySource(UnsafeRawBufferPointer(memory))
  }
}
