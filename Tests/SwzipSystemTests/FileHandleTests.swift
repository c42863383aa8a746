import SwzipTestSupport
import Testing

@testable import SwzipSystem

struct FileHandleTests {
  let folder = TestFolder()

  private func read(_ count: Int, at position: UInt64? = nil, of file: FileHandle) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0xEE, count: count)
    let done = try unsafe bytes.withUnsafeMutableBytes { buffer in
      if let position { return unsafe try file.read(at: position, into: buffer) }
      return unsafe try file.read(into: buffer)
    }
    return Array(bytes[..<done])
  }

  @Test func readsForwardAndByPosition() throws {
    folder.write("file", Array(0..<100))
    let file = try FileHandle.open(folder("file"))
    #expect(try read(10, of: file) == Array(0..<10))
    #expect(try read(10, at: 95, of: file) == Array(95..<100))
    #expect(try read(10, at: 100, of: file) == [])
    #expect(try read(10, at: 1 << 40, of: file) == [])
    #expect(try read(10, of: file) == Array(10..<20))
    #expect(try read(0, of: file) == [])
    #expect(file.position == 20)
    try file.close()
    try file.close()
  }

  @Test func refusesImpossiblePositions() throws {
    folder.write("file", [1])
    let file = try FileHandle.open(folder("file"))
    #expect(throws: SystemError.self) { try read(1, at: .max, of: file) }
  }

  @Test func opensNoLinkWhenTold() throws {
    folder.write("file", [1])
    folder.link("link", to: "file")
    #expect(try read(1, of: FileHandle.open(folder("link"))) == [1])
    let error = #expect(throws: SystemError.self) { try FileHandle.open(folder("link"), followingLinks: false) }
    #expect(error?.errno == System.isLink)
  }

  @Test func namesWhatIsMissing() {
    let error = #expect(throws: SystemError.self) { try FileHandle.open(folder("none")) }
    #expect(error?.isMissing == true)
    #expect(error?.path == folder("none"))
    #expect(error?.operation == "open")
    #expect(error?.words == "No such file or directory")
    #expect(error?.text == "no such file")
  }

  @Test func statusTellsKinds() throws {
    folder.write("file", [1, 2, 3], mode: 0o4755)
    folder.makeFolder("folder")
    folder.link("link", to: "file")
    folder.makePipe("pipe")
    #expect(try FileStatus.of(folder("file")).kind == .regular)
    #expect(try FileStatus.of(folder("file")).byteCount == 3)
    #expect(try FileStatus.of(folder("file")).permissions == 0o755)
    #expect(try FileStatus.of(folder("folder")).kind == .directory)
    #expect(try FileStatus.of(folder("link"), followingLinks: false).kind == .link)
    #expect(try FileStatus.of(folder("link")).isSameFile(as: FileStatus.of(folder("file"))))
    #expect(try FileStatus.of(folder("pipe")).kind == .pipe)
    #expect(try FileStatus.of("/dev/null").kind == .device)
  }

  @Test func statusShowsChanges() throws {
    folder.write("file", [1])
    let before = try FileStatus.of(folder("file"))
    #expect(try FileStatus.of(folder("file")).isUnchanged(since: before))
    folder.setTime("file", seconds: 1, nanoseconds: 1)
    #expect(try !FileStatus.of(folder("file")).isUnchanged(since: before))
  }

  @Test func reservesSpaceAndTellsWhatIsFree() throws {
    let file = try AtomicFile(target: folder("out"))
    try file.handle.reserve(1 << 16)
    #expect(try file.handle.status().byteCount == 0)
    #expect(file.handle.freeByteCount != nil)
    #expect(!file.handle.isTerminal)
  }

  @Test func twoOpenFilesCannotBothBeLocked() throws {
    folder.write("file", [1])
    let first = try FileHandle.open(folder("file"))
    let second = try FileHandle.open(folder("file"))
    #expect(first.lock())
    #expect(!second.lock())
    try first.close()
    #expect(second.lock())
  }

  @Test(arguments: [
    ("a", ".", "a"), ("./a", ".", "a"), ("/a", "/", "a"), ("b/c/a.swz", "b/c", "a.swz"), ("//a", "/", "a"),
  ])
  func pathsSplit(_ path: String, _ directory: String, _ name: String) throws {
    let parts = try #require(splitPath(path))
    #expect(parts.directory == directory && parts.name == name)
  }

  @Test(arguments: ["", "/", "a/", ".", "..", "a/..", "a/."])
  func pathsWithoutAName(_ path: String) { #expect(splitPath(path) == nil) }
}
