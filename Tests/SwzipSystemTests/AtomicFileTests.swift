import SwzipNames
import SwzipTestSupport
import Testing

@testable import SwzipSystem

struct AtomicFileTests {
  let folder = TestFolder()

  private func make(_ text: String, _ name: String = "out") throws -> AtomicFile {
    let file = try AtomicFile(target: folder(name))
    try file.handle.write(text)
    return file
  }

  @Test func appearsOnlyWhenPublished() throws {
    let file = try make("content")
    #expect(folder.names.count == 1)
    #expect(TemporaryName.matches(folder.names[0]))
    #expect(try FileStatus.of(folder(folder.names[0])).permissions == 0o600)
    #expect(try file.publish(replacing: false) == .synced)
    #expect(folder.names == ["out"])
    #expect(folder.read("out") == Array("content".utf8))
    file.discard()
    #expect(folder.names == ["out"])
  }

  @Test func discardLeavesNothing() throws {
    let file = try make("content")
    file.discard()
    #expect(folder.names == [])
  }

  /// To a name that is new, or that a move which was interrupted gave it already.
  @Test func movesBetweenFolders() throws {
    folder.writeDeep("a/file", [1])
    folder.makeFolder("b")
    #expect(try moveFile(folder("a/file"), to: folder("b/new")) == .synced)
    #expect(folder.files("") == ["b/new": [1]])
    folder.hardLink("a/file", to: "b/new")
    #expect(try moveFile(folder("a/file"), to: folder("b/new")) == .synced)
    #expect(folder.files("") == ["b/new": [1]])
    folder.write("a/file", [2])
    #expect(throws: SystemError.self) { try moveFile(folder("a/file"), to: folder("b/new")) }
    #expect(throws: SystemError.self) { try moveFile(folder("a/none"), to: folder("b/none")) }
    #expect(folder.files("") == ["a/file": [2], "b/new": [1]])
  }

  @Test func losingTheLastReferenceLeavesNothing() throws {
    var file: AtomicFile? = try make("content")
    #expect(file != nil && folder.names.count == 1)
    file = nil
    #expect(folder.names == [])
  }

  @Test func neverReplacesANameThatAppearedMeanwhile() throws {
    let file = try make("new")
    folder.write("out", Array("old".utf8))
    let error = #expect(throws: SystemError.self) { try file.publish(replacing: false) }
    #expect(error?.alreadyExists == true)
    #expect(folder.names == ["out"])
    #expect(folder.read("out") == Array("old".utf8))
  }

  @Test func replacesWhenTold() throws {
    folder.write("out", Array("old".utf8))
    #expect(try make("new").publish(replacing: true) == .synced)
    #expect(folder.names == ["out"])
    #expect(folder.read("out") == Array("new".utf8))
  }

  @Test func replacesALinkAndNotWhatItPointsTo() throws {
    folder.write("precious", Array("old".utf8))
    folder.link("out", to: "precious")
    #expect(try make("new").publish(replacing: true) == .synced)
    #expect(folder.read("precious") == Array("old".utf8))
    #expect(try FileStatus.of(folder("out"), followingLinks: false).kind == .regular)
  }

  @Test func copiesModeAndTimes() throws {
    folder.write("source", [1], mode: 0o640)
    folder.setTime("source", seconds: 1_577_934_245, nanoseconds: 123_456_789)
    let file = try make("content")
    try file.copyAttributes(of: FileStatus.of(folder("source")))
    #expect(try file.publish(replacing: false) == .synced)
    let status = try FileStatus.of(folder("out"))
    #expect(status.permissions == 0o640)
    #expect(status.modified == FileTime(nanoseconds: 1_577_934_245_123_456_789))
  }

  @Test func timesBefore1970() throws {
    let file = try make("content")
    try file.handle.setTimes(accessed: FileTime(nanoseconds: -1), modified: FileTime(nanoseconds: -1_500_000_000))
    #expect(try file.handle.status().modified == FileTime(nanoseconds: -1_500_000_000))
  }

  @Test func refusesTargetsThatNameNoFile() {
    for target in ["", ".", "..", folder.path + "/"] {
      #expect(throws: SystemError.self) { try AtomicFile(target: target) }
    }
    let error = #expect(throws: SystemError.self) { try AtomicFile(target: folder("none/out")) }
    #expect(error?.isMissing == true)
    #expect(folder.names == [])
  }

  @Test func removesNoFreshTemporaryFiles() throws {
    let file = try make("content")
    folder.write(".swzip-1-0123456789abcdef.tmp", [1])
    #expect(removeStaleFiles(in: folder.path) == 0)
    #expect(folder.names.count == 2)
    file.discard()
  }

  @Test(arguments: [
    (".swzip-1-0123456789abcdef.tmp", true), (".swzip-4194304-ffffffffffffffff.tmp", true),
    (".swzip--0123456789abcdef.tmp", false), (".swzip-1-0123456789abcde.tmp", false),
    (".swzip-1-0123456789ABCDEF.tmp", false), (".swzip-1-0123456789abcdef-1.tmp", false),
    ("swzip-1-0123456789abcdef.tmp", false), (".swzip-1-0123456789abcdef.tmp2", false),
    (".swzip-a-0123456789abcdef.tmp", false),
  ])
  func temporaryNames(_ name: String, _ isOurs: Bool) { #expect(TemporaryName.matches(name) == isOurs) }

  @Test func madeNamesMatch() {
    for _ in 0..<100 { #expect(TemporaryName.matches(TemporaryName.make())) }
  }
}
