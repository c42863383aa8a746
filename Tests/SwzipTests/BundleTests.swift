import Swzip
import SwzipCore
import SwzipNames
import SwzipSamples
import Testing

/// Small files that are stored together.
struct BundleTests {
  typealias File = FolderTests.File

  /// Many small files, empty ones, a large one between them, arrays, and two of 8 KiB that are equal.
  static let files: [File] = {
    var random = Random(11)
    var files = (0..<300).map { small($0, &random) }
    files[7] = File(name: "small/7", bytes: [])
    files.append(File(name: "t/large", bytes: random.bytes(200_000)))
    let twin = random.bytes(8192)
    files += [
      File(name: "t/twin1", bytes: twin), File(name: "t/x", bytes: [1, 2]), File(name: "t/twin2", bytes: twin),
    ]
    files += (0..<5).map { File(name: "u/\($0).safetensors", bytes: model($0)) }
    files.append(File(name: "z", bytes: []))
    return files
  }()

  private static func model(_ seed: UInt64) -> [UInt8] {
    var file = SafetensorsFile()
    file.add("a", .bf16, [80, 60], .weights, seed: seed)
    file.add("b", .f32, [7], .weights, seed: seed)
    return file.bytes
  }

  private static func small(_ index: Int, _ random: inout Random) -> File {
    var file = File(name: "small/\(index)", bytes: Array("{\"number\": \(index)}".utf8))
    file.bytes += random.bytes(random.below(40))
    file.mode = index % 3 == 0 ? nil : 0o600
    file.time = index % 5 == 0 ? nil : FileTime(nanoseconds: Int64(index) * 1_500_000_000 - 9_000_000_000)
    return file
  }

  /// Tensors that small files have in common, or in two types, are no reason to refer to a bundle, or from it.
  @Test(arguments: [3, 9]) func sharedTensors(level: Int) throws {
    var files: [File] = []
    for index in 0..<4 {
      var file = SafetensorsFile()
      file.add("half", .bf16, [60, 100])
      file.add("shared", .f32, [60, 100], .weights, seed: 1)
      file.add("own", .i16, [70, 70], .weights, seed: UInt64(2 + index))
      let shared = file.tensors[1].bytes
      file.tensors[0].bytes = stride(from: 0, to: shared.count, by: 4).flatMap { shared[($0 + 2)..<($0 + 4)] }
      if index == 3 { file.add("large", .f32, [200, 100], .weights, seed: 9) }
      files.append(File(name: "\(index).safetensors", bytes: file.bytes))
    }
    let container = try FolderTests.packed(files, options(level: level)).bytes
    let file = try Container(ArraySource(container))
    #expect(file.index.directory.members.count <= 2)
    let sinks = ArraySinks()
    _ = try unpack(from: ArraySource(container), to: sinks, threads: 1)
    sinks.expect(files)
    let again = ArraySinks()
    _ = try unpack(Array(files.indices), of: file, to: again, threads: 1)
    again.expect(files)
  }

  @Test(arguments: [1, 3], [false, true]) func roundTrip(threads: Int, sha256: Bool) throws {
    let (container, report) = try FolderTests.packed(Self.files, options(threads: threads, sha256: sha256))
    #expect(report.memberCount == Self.files.count)
    for isPipe in [false, true] {
      let sinks = ArraySinks()
      _ = try unpack(from: byteSource(container, isPipe: isPipe), to: sinks, threads: threads)
      sinks.expect(Self.files)
    }
    let file = try Container(ArraySource(container))
    #expect(file.index.directory.members.count < 10 && file.members.map(\.name) == Self.files.map(\.name))
    for chosen in [[0], [7, 8], [299, 300, 301], Array(Self.files.indices)] {
      let sinks = ArraySinks()
      _ = try unpack(chosen, of: file, to: sinks, threads: threads)
      sinks.expect(chosen.map { Self.files[$0] })
    }
    for (member, known) in zip(file.members, Self.files) {
      var sum = SHA256Sum()
      sum.add(known.bytes)
      let digest = Digest(sum.finish())
      #expect(member.sha256 == (sha256 ? digest : nil))
    }
  }

  /// What is listed of small files lies in them.
  @Test func listing() throws {
    let file = try Container(ArraySource(try FolderTests.packed(Self.files, options()).bytes))
    let members = file.members
    #expect(file.tensors.count > 5)
    for tensor in file.tensors {
      #expect(tensor.offset + tensor.byteCount <= members[tensor.member].byteCount)
      #expect(members[tensor.member].name.hasPrefix("u/"))
    }
    var covered = members.map { _ in UInt64(0) }
    for segment in file.segments {
      #expect(segment.offset == covered[segment.member])
      covered[segment.member] += segment.byteCount
    }
    #expect(covered == members.map(\.byteCount))
  }

  /// Files of a few bytes cost few, and equal ones of some size are stored once.
  @Test func sizes() throws {
    let few = Self.files.filter { $0.name.hasPrefix("small/") }
    let raw = few.reduce(0) { $0 + $1.bytes.count + $1.name.utf8.count }
    #expect(try FolderTests.packed(few, options()).bytes.count < raw)
    let twins = Self.files.filter { $0.name.contains("twin") }
    #expect(try FolderTests.packed(twins, options()).bytes.count < 8192 + 800)
  }

  /// One model in three formats is stored about once from level 7 on; one that nothing repeats is coded by its values.
  @Test(arguments: [3, 7]) func formatsOfOneModel(level: Int) throws {
    let values = Pattern.weights.bytes(.f32, 20_000)
    var other = SafetensorsFile()
    other.add("x", .bf16, [300, 200], .weights, seed: 5)
    var files = [
      File(name: "m.msgpack", bytes: Array("weights".utf8) + values + [1]), File(name: "m.other", bytes: other.bytes),
      File(name: "m.tensors", bytes: [9] + values), File(name: "m.tflite", bytes: Random.made(50) + values),
    ]
    files[0].mode = 0o640
    let (container, _) = try FolderTests.packed(files, options(level: level))
    let file = try Container(ArraySource(container))
    #expect((file.index.directory.members.count == 2) == (level == 7))
    if level == 7 { #expect(container.count < values.count + other.bytes.count * 3 / 4 + 2000) }
    #expect(Set(file.members.map(\.name)) == Set(files.map(\.name)))
    #expect(file.tensors.map(\.name) == ["x"])
    for isPipe in [false, true] {
      let sinks = ArraySinks()
      _ = try unpack(from: byteSource(container, isPipe: isPipe), to: sinks, threads: 1)
      sinks.expect(file.members.compactMap { member in files.first { $0.name == member.name } })
    }
  }

  @Test func tables() throws {
    let files = Self.files.prefix(50).map {
      BundledFile(name: $0.name, mode: $0.mode, time: $0.time, byteCount: UInt64($0.bytes.count))
    }
    let header = MemberHeader(bundling: files, storesSHA256: true)
    let frame = header.frame(number: 3).bytes
    var reader = unsafe ByteReader(frame.span.bytes, at: 0)
    _ = try reader.array(Frame.headerBytes)
    #expect(try MemberHeader.read(&reader, .current) == header)
    var older = unsafe ByteReader(frame.span.bytes, at: 0)
    _ = try older.array(Frame.headerBytes)
    do {
      _ = try MemberHeader.read(&older, .oldest)
      Issue.record("version 0.1 has no bundles")
    } catch {
      #expect(error.kind == .unsupported)
    }
  }
}
