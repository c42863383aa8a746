import SwzipSystem
import SwzipTestSupport
import Testing

/// Only one such folder may be open at a time.
@Suite(.serialized) struct AtomicFolderTests {
  let place = TestFolder()

  private func write(_ names: [String], to target: AtomicFolder) throws {
    for name in names {
      let handle = try target.create(name)
      try handle.write(name)
      try handle.close()
    }
  }

  @Test func appearsWhole() throws {
    let names = ["a", "x/y/z", "x/b"]
    let target = try AtomicFolder(target: place("new"))
    #expect(target.isNew)
    try write(names, to: target)
    #expect(!place.names.contains("new") && place.names.count == 1)
    #expect(try target.publish(names, folderMode: 0o755, replacing: false) == .synced)
    #expect(place.names == ["new"])
    #expect(place.files("new") == Dictionary(uniqueKeysWithValues: names.map { ($0, Array($0.utf8)) }))
    #expect(try FileStatus.of(place("new/x/y")).permissions == 0o755)
  }

  @Test func discardedLeavesNothing() throws {
    for existing in [false, true] {
      if existing { place.makeFolder("t") }
      let before = place.names
      let target = try AtomicFolder(target: place("t"))
      try write(["a", "b/c/d"], to: target)
      target.discard()
      #expect(place.names == before && place.files("t").isEmpty)
    }
  }

  /// What appears meanwhile under the name is not replaced.
  @Test func losesTheRace() throws {
    let target = try AtomicFolder(target: place("t"))
    try write(["a"], to: target)
    place.writeDeep("t/theirs", [1])
    #expect(throws: SystemError.self) { try target.publish(["a"], folderMode: 0o755, replacing: false) }
    target.discard()
    #expect(place.files("t") == ["theirs": [1]] && place.names == ["t"])
  }

  @Test(arguments: ["../a", "/a", "a//b", "a/./b", "a/../b", "", "..", "a/"]) func namesThatLeave(_ name: String) throws
  {
    let target = try AtomicFolder(target: place("t"))
    defer { target.discard() }
    #expect(throws: SystemError.self) { try target.create(name) }
  }

  @Test func noTwoFilesOfOneName() throws {
    let target = try AtomicFolder(target: place("t"))
    defer { target.discard() }
    try write(["a", "b/c"], to: target)
    for name in ["a", "b/c", "a/x", "b"] { #expect(throws: SystemError.self) { try target.create(name) } }
  }

  /// A part of a name that became a link behind our back is not gone through.
  @Test func plantedWhileWriting() throws {
    place.makeFolder("outside")
    place.makeFolder("t")
    let target = try AtomicFolder(target: place("t"))
    try write(["sub/a"], to: target)
    place.link("t/sub", to: "../outside")
    #expect(throws: SystemError.self) { try target.publish(["sub/a"], folderMode: 0o755, replacing: true) }
    target.discard()
    #expect(place.files("outside").isEmpty)
  }

  @Test func treesAreSorted() throws {
    for name in ["b", "a/z", "a.x", "Z", "a/b/c"] { place.writeDeep("t/" + name, [1]) }
    let found = try TreeScan(place("t"), links: .followed, mostFiles: 5) { _, _ in true }
    #expect(found.files.map(\.name) == ["Z", "a.x", "a/b/c", "a/z", "b"])
    #expect(throws: SystemError.self) { try TreeScan(place("t"), links: .followed, mostFiles: 4) { _, _ in true } }
  }
}
