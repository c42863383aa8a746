import Swzip
import SwzipLibc
import SwzipSamples
import SwzipSystem
import SwzipTestSupport
import Testing

/// Packing and unpacking by path: what is there is never harmed.
struct PathTests {
  private static let original = SafetensorsFile.everything(seed: 4).bytes
  private let folder = TestFolder()

  init() { folder.write("a", Self.original) }

  private func refuses(_ name: String, _ body: () throws -> Void) {
    let error = #expect(throws: SwzipError.self) { try body() }
    #expect(error?.kind == .refused && error?.file == folder(name), "\(name): \(error?.text ?? "")")
  }

  /// A container of a descriptor, which may be closed then; wherever that stood.
  @Test func descriptor() throws {
    folder.write("a.swz", try packed(Self.original))
    let descriptor = unsafe SwzipLibc.open(folder("a.swz"), O_RDONLY)
    for position in [100, 1 << 30] {
      #expect(lseek(descriptor, off_t(position), SEEK_SET) == position)
      #expect(same(try Container(descriptor: descriptor).bytes(ofMember: 0), Self.original))
    }
    let container = try Container(descriptor: descriptor)
    #expect(lseek(descriptor, 0, SEEK_CUR) == 1 << 30)
    #expect(close(descriptor) == 0)
    #expect(same(try container.bytes(ofMember: 0), Self.original))
    #expect(throws: SwzipError.self) { try Container(descriptor: descriptor) }
  }

  /// Every tensor once, in order, with a buffer of any size.
  @Test(arguments: [0, 3000, 1 << 30]) func tensorsInOrder(bufferByteCount: Int) throws {
    let container = try Container(bytes: packed(Self.original))
    var names: [String] = []
    try unsafe container.forEachTensor(bufferByteCount: bufferByteCount) { tensor, bytes in
      names.append(tensor.name)
      #expect(unsafe same(Array(bytes), Array(Self.original[Int(tensor.offset)...].prefix(Int(tensor.byteCount)))))
    }
    let sorted = container.tensors.sorted { $0.offset < $1.offset }
    #expect(names.count == sorted.count && Set(names) == Set(sorted.map(\.name)))
  }

  @Test func thereAndBack() throws {
    folder.write("a.swz", [1, 2, 3])
    let report = try pack(path: folder("a"), to: folder("a.swz"))
    #expect(report.rawByteCount == UInt64(Self.original.count))
    _ = try unpack(path: folder("a.swz"), to: folder("back"), threads: 2)
    #expect(same(folder.read("back") ?? [], Self.original))
    #expect(Set(folder.files(".").keys) == ["a", "a.swz", "back"], "nothing temporary stays")
  }

  @Test func outputsThatAreRefused() throws {
    folder.link("link", to: "a")
    folder.hardLink("again", to: "a")
    folder.write("base", Self.original)
    folder.makePipe("pipe")
    for name in ["a", "link", "again"] { refuses(name) { _ = try pack(path: folder("a"), to: folder(name)) } }
    refuses("base") { _ = try pack(path: folder("a"), bases: [folder("base")], to: folder("base")) }
    refuses("pipe") { _ = try pack(path: folder("a"), to: folder("pipe")) }
    _ = try pack(path: folder("a"), bases: [folder("base")], to: folder("delta"))
    refuses("base") { _ = try unpack(path: folder("delta"), bases: [folder("base")], to: folder("base")) }
    refuses("delta") { _ = try unpack(path: folder("delta"), bases: [folder("base")], to: folder("delta")) }
    #expect(same(folder.read("a") ?? [], Self.original) && same(folder.read("base") ?? [], Self.original))
  }

  @Test func failuresLeaveWhatWasThere() throws {
    folder.write("out", [7])
    folder.write("broken", [1, 2, 3])
    let error = #expect(throws: SwzipError.self) { try unpack(path: folder("broken"), to: folder("out")) }
    #expect(error?.file == folder("broken") && folder.read("out") == [7])
    // Somebody writes to the source while it is packed.
    let changed = #expect(throws: SwzipError.self) {
      try pack(path: folder("a"), to: folder("out")) { _ in folder.setTime("a", seconds: 12345, nanoseconds: 0) }
    }
    #expect(changed?.kind == .io && changed?.file == folder("a") && folder.read("out") == [7])
  }

  /// Who may not read a base may not read what holds all that differs from it, nor what is made of it.
  @Test func privateBases() throws {
    folder.write("base", Self.original, mode: 0o600)
    _ = try pack(path: folder("a"), bases: [folder("base")], to: folder("delta"))
    _ = try unpack(path: folder("delta"), bases: [folder("base")], to: folder("back"))
    for name in ["delta", "back"] { #expect(try FileStatus.of(folder(name)).permissions & 0o077 == 0) }
  }
}
