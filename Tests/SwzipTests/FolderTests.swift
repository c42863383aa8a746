import Swzip
import SwzipCore
import SwzipNames
import SwzipSamples
import Synchronization
import Testing

/// Containers of many members.
struct FolderTests {
  struct File: Sendable {
    let name: String
    var bytes: [UInt8]
    var mode: UInt16? = 0o640
    var time: FileTime? = FileTime(seconds: 1 << 40, nanoseconds: 999_999_999)
  }

  static func model(_ seed: UInt64, tied: Bool = true) -> [UInt8] {
    var file = SafetensorsFile()
    file.add("embedding", .bf16, [120, 400], .weights, seed: seed)
    file.add("norm", .f32, [50], .weights, seed: seed + 1)
    file.add("body", .f32, [100, 300], .weights, seed: seed + 2)
    file.add("head", .bf16, [120, 400], .weights, seed: tied ? seed : seed + 3)
    return file.bytes
  }

  /// What real folders hold: shards with tied weights, one of them twice, a file without tensors in two places, small and
  /// empty files.
  static let files: [File] = {
    let noise = Random.made(300_000)
    return [
      File(name: ".hidden", bytes: [1]), File(name: "a b/ü ✓.txt", bytes: Array("text".utf8), mode: nil),
      File(name: "blob", bytes: noise), File(name: "empty", bytes: [], time: nil),
      File(name: "m1", bytes: model(1)), File(name: "m2", bytes: model(1)),
      File(name: "m3", bytes: model(1, tied: false)),
      File(name: "x/" + String(repeating: "d/", count: 30) + "again", bytes: noise),
    ]
  }()

  static func members(_ files: [File]) -> [PackMember] {
    files.map { file in
      PackMember(name: file.name, mode: file.mode, time: file.time) { () throws(SwzipError) in ArraySource(file.bytes) }
    }
  }

  static func packed(_ files: [File], _ options: PackOptions) throws -> (bytes: [UInt8], report: PackReport) {
    let sink = ArraySink()
    let report = try pack(members: members(files), to: sink, options: options)
    return (sink.bytes, report)
  }

  @Test(arguments: [1, 2], [1, 3]) func roundTrip(threads: Int, level: Int) throws {
    let (container, report) = try Self.packed(
      Self.files, options(level: level, threads: threads, sha256: level == 1))
    #expect(report.packedByteCount == UInt64(container.count) && report.memberCount == Self.files.count)
    for isPipe in [false, true] {
      let sinks = ArraySinks()
      let found = try unpack(from: byteSource(container, isPipe: isPipe), to: sinks, threads: threads)
      sinks.expect(Self.files)
      #expect(found.root == report.root && found.memberCount == Self.files.count)
    }
    let file = try Container(ArraySource(container))
    for chosen in [[0], [7], [3, 5], Array(Self.files.indices)] {
      let sinks = ArraySinks()
      _ = try unpack(chosen, of: file, to: sinks, threads: threads)
      sinks.expect(chosen.map { Self.files[$0] })
    }
    #expect(try verify(ArraySource(container), threads: threads).root == report.root)
  }

  @Test func bytesDoNotDependOnThreads() throws {
    let one = try Self.packed(Self.files, options(threads: 1)).bytes
    for threads in [2, 5] { #expect(same(try Self.packed(Self.files, options(threads: threads)).bytes, one)) }
  }

  /// Members that are not wanted do not disturb the others.
  @Test func someMembers() throws {
    let (container, _) = try Self.packed(Self.files, options())
    let sinks = ArraySinks { $0 == "m2" || $0 == "empty" }
    _ = try unpack(from: ArraySource(container), to: sinks, threads: 2)
    sinks.expect(Self.files.filter { $0.name == "m2" || $0.name == "empty" })
  }

  /// Whatever occurs again costs less than a thousandth, and what a file costs anyway. No copy refers to a byte of another one.
  @Test func duplicates() throws {
    let once = [File(name: "a", bytes: Self.model(9)), File(name: "b", bytes: Random.made(1_000_000))]
    let again =
      once + [
        File(name: "c", bytes: Self.model(9)), File(name: "d", bytes: once[1].bytes),
        File(name: "e", bytes: Self.model(9)),
        // The tensors of `a` in a file that differs.
        File(name: "f", bytes: Self.model(9, tied: true) + [0]),
      ]
    let (small, large) = (try Self.packed(once, options()).bytes, try Self.packed(again, options()).bytes)
    let added = again.dropFirst(once.count).reduce(0) { $0 + $1.bytes.count }
    #expect((large.count - small.count) * 1000 < added + 1024 * 1000 * 4)
    try Self.expectNoChains(large)
  }

  /// Random folders of pieces that overlap, repeat within files and between them.
  @Test(arguments: 0..<12) func randomFolders(seed: UInt64) throws {
    var random = Random(seed)
    let pieces = (0..<3).map { _ in random.bytes(70_000) }
    let files = (0..<6).map { number in
      var file = SafetensorsFile()
      for tensor in 0..<random.below(4) {
        file.add("t\(tensor)", .bf16, [35_000], .weights, seed: 1)
        file.tensors[tensor].bytes = pieces[random.below(3)]
      }
      let bytes = random.below(4) == 0 ? pieces[random.below(3)] : file.bytes + random.bytes(random.below(2))
      return File(name: "f\(number)", bytes: bytes)
    }
    let (container, _) = try Self.packed(files, options(level: 1))
    try Self.expectNoChains(container)
    for isPipe in [false, true] {
      let sinks = ArraySinks()
      _ = try unpack(from: byteSource(container, isPipe: isPipe), to: sinks, threads: 1)
      sinks.expect(files)
    }
  }

  private static func expectNoChains(_ container: [UInt8]) throws {
    let file = try Container(ArraySource(container))
    let copies = file.segments.filter { $0.codec == "copy" }
    for (number, place) in file.index.segments.enumerated() where place.record.codec == CodecID.copy.rawValue {
      let header = try OpenSegment.readHeader(ArraySource(container), place, number: number)
      guard case .earlier(let member, let offset) = header.references.first else { throw TestFailure.wrongReport }
      let range = offset..<(offset + header.byteCount)
      #expect(!copies.contains { $0.member == member && range.overlaps($0.offset..<($0.offset + $0.byteCount)) })
      #expect(member < place.member || range.upperBound <= place.memberOffset)
    }
  }

  @Test(arguments: [
    ["../a"], ["/a"], ["a/../b"], ["a//b"], [""], ["."], ["a/"], ["a\0b"], ["a", "a"], ["a", "a/b"],
    ["a/b/c", "a/b"], ["b", "a/x", "a"], [],
    [String(repeating: "x", count: 256)], [String(repeating: "d/", count: 32) + "x"],
  ]) func namesThatCannotBe(_ names: [String]) {
    let sink = ArraySink()
    #expect(throws: SwzipError.self) {
      try pack(members: Self.members(names.map { File(name: $0, bytes: [1]) }), to: sink, options: options())
    }
    #expect(sink.bytes.isEmpty)
  }

  /// Names that only some systems can create, or tell apart, are packed with a warning.
  @Test func namesOfOtherSystems() throws {
    let names = ["A", "GRÖSSE", "Größe", "a", "a:b", "e\u{301}", "z\u{10FFFF}.", "\u{E9}"]
    let files = names.map { File(name: $0, bytes: Array($0.utf8)) }
    let (container, report) = try Self.packed(files, options())
    #expect(report.warnings.count == 2)
    let sinks = ArraySinks()
    _ = try unpack(from: ArraySource(container), to: sinks, threads: 1)
    sinks.expect(files)
  }

  /// Names of one file are refused before a byte of the second is written.
  @Test func collidingNames() throws {
    for (first, second) in [("a", "a"), ("x", "x/y"), ("x/y", "x")] {
      let container = try Self.crafted([first, second])
      let sinks = ArraySinks()
      #expect(throws: SwzipError.self) {
        try unpack(from: PipeSource(container), to: sinks, threads: 1)
      }
      #expect(sinks.names == [first])
    }
  }

  /// A container of empty files with any names.
  static func crafted(_ names: [String]) throws -> [UInt8] {
    var header = FileHeader()
    header.kind = .folder
    header.totalByteCount = 0
    var bytes = header.bytes
    var account = ContainerAccount()
    account.add(byteCount: bytes.count)
    for (number, name) in names.enumerated() {
      var member = MemberHeader()
      member.name = name
      member.byteCount = 0
      let frame = member.frame(number: number)
      account.beginMember(member, frameByteCount: frame.bytes.count, hash: frame.hash)
      account.endMember(byteCount: 0, checksum: try StreamChecksum().sum, sha256: [], tensors: [])
      bytes += frame.bytes
    }
    return bytes + (try account.index(header: header.bytes).bytes)
  }

  /// A file that grows, shrinks or goes away between the two passes.
  @Test func changingFiles() {
    for later in [[UInt8](repeating: 1, count: 9), [], [UInt8](repeating: 1, count: 5000)] {
      let opened = Mutex(0)
      let member = PackMember(name: "a") { () throws(SwzipError) in
        let count = opened.withLock { count in
          count += 1
          return count
        }
        return ArraySource(count == 1 ? [UInt8](repeating: 1, count: 10) : later)
      }
      #expect(throws: SwzipError.self) { try pack(members: [member], to: ArraySink(), options: options()) }
    }
  }

  // MARK: salvage

  @Test func salvageOfWholeFolder() throws {
    let (container, _) = try Self.packed(Self.files, options())
    let sinks = ArraySinks()
    let found = try salvage(from: ArraySource(container), to: sinks)
    sinks.expect(Self.files)
    #expect(found.isWhole && found.lost.isEmpty && found.files.map(\.name) == Self.files.map(\.name))
    #expect(found.files.allSatisfy { $0.missing.isEmpty && $0.recoveredByteCount == $0.byteCount })
  }

  /// With the index or without, after any damage: what is not reported as lost is right, and stays in its file.
  @Test(arguments: [false, true]) func salvageNeverLies(cutsIndex: Bool) throws {
    let files = Self.files.map { File(name: $0.name, bytes: $0.bytes, mode: nil, time: nil) }
    let (container, _) = try Self.packed(files, options(level: 1))
    let frames = try Container(ArraySource(container)).index
    var random = Random(3)
    var places = frames.segments.map { Int($0.framePosition) - 20 } + [70, 130]
    places += (0..<12).map { _ in random.below(Int(frames.trailer.tablesPosition)) }
    for place in places {
      var damaged = container
      for offset in 0..<min(300, container.count - place) { damaged[place + offset] ^= 0x5A }
      if cutsIndex { damaged.removeLast(100) }
      let sinks = ArraySinks()
      let found = try salvage(from: ArraySource(damaged), to: sinks)
      #expect(!found.isWhole || (!cutsIndex && files.allSatisfy { sinks.content(of: $0.name) == $0.bytes }))
      for report in found.files {
        guard let file = files.first(where: { $0.name == report.name }) else {
          Issue.record("a file of no such name")
          continue
        }
        var expected = file.bytes
        for range in report.missing where Int(range.upperBound) <= expected.count {
          for index in range { expected[Int(index)] = 0 }
        }
        let saved = sinks.content(of: report.name)
        #expect(saved.count <= expected.count && saved == Array(expected.prefix(saved.count)), "damage at \(place)")
      }
    }
  }
}

/// Sinks that keep what is written, by name.
final class ArraySinks: MemberSinks {
  private struct Entry {
    let info: MemberInfo
    let number: Int
    let sink: ArraySink
    var hasEnded = false
  }

  private let entries = Mutex<[Entry]>([])
  /// Targets by names.
  let links = Mutex<[String: String]>([:])
  private let takes: @Sendable (String) -> Bool

  init(takes: @escaping @Sendable (String) -> Bool = { _ in true }) { self.takes = takes }

  var names: [String] { entries.withLock { $0.map(\.info.name) } }

  func content(of name: String) -> [UInt8] {
    entries.withLock { $0.first { $0.info.name == name }?.sink.bytes ?? [] }
  }

  func begin(_ member: MemberInfo, number: Int) throws(SwzipError) -> (any OutputSink)? {
    guard takes(member.name) else { return nil }
    let sink = ArraySink()
    entries.withLock { $0.append(Entry(info: member, number: number, sink: sink)) }
    return sink
  }

  func end() throws(SwzipError) {
    entries.withLock { entries in
      guard let last = entries.indices.last else { return }
      #expect(!entries[last].hasEnded)
      entries[last].hasEnded = true
    }
  }

  func link(_ name: String, to target: String, path: String) throws(SwzipError) {
    links.withLock { $0[name] = target }
  }

  func readBack(
    member: Int, at position: UInt64, into buffer: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    guard let entry = entries.withLock({ $0.first { $0.number == member && $0.hasEnded } }) else {
      throw SwzipError(.refused, .notRandomAccess)
    }
    unsafe try entry.sink.readBack(at: position, into: buffer)
  }

  func expect(_ files: [FolderTests.File], sourceLocation: SourceLocation = #_sourceLocation) {
    let found = entries.withLock { $0 }
    #expect(found.map(\.info.name) == files.map(\.name), sourceLocation: sourceLocation)
    for (entry, file) in zip(found, files) {
      #expect(entry.hasEnded && same(entry.sink.bytes, file.bytes), "\(file.name)", sourceLocation: sourceLocation)
      #expect(entry.info.mode == file.mode && entry.info.time == file.time, sourceLocation: sourceLocation)
    }
  }
}
