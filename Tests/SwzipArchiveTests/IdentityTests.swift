import SwzipArchive
import SwzipCore
import SwzipTestSupport
import Testing

struct IdentityTests {
  @Test func archivesAreMadeOnce() throws {
    let folder = TestFolder()
    #expect(rule { _ = try Archive(folder("run")) } == .noArchive)
    let archive = try Archive.create(folder("run"))
    #expect(kind { _ = try Archive.create(folder("run")) } == .refused)
    #expect(try Archive(folder("run")).identity == archive.identity)
    folder.makeFolder("other")
    folder.write("other/precious", [1])
    #expect(kind { _ = try Archive.create(folder("other")) } == .refused && folder.files("other").count == 1)
    // What an interrupted call left.
    folder.makeFolder("half")
    folder.makeFolder("half/ckpt")
    folder.write("half/.swzip-1-0123456789abcdef.tmp", [])
    _ = try Archive.create(folder("half"))
  }

  /// A newer version's archive is left alone.
  @Test func newerArchivesAreLeftAlone() throws {
    let run = try Run()
    let text = String(decoding: try #require(run.folder.read("run/SWZARCHIVE")), as: UTF8.self)
    #expect(text.hasPrefix("swzip-archive 1\nid ") && text.contains("\nmust -\nmay -\nsum "))
    run.folder.write("run/SWZARCHIVE", Array(text.replacing("swzip-archive 1", with: "swzip-archive 2").utf8))
    #expect(kind { _ = try Archive(run.path) } == .unsupported)
    #expect(kind { _ = try Archive.rebuild(run.path) } == .unsupported)
    run.folder.write("run/SWZARCHIVE", Array(text.replacing("must -", with: "must x").utf8))
    #expect(kind { _ = try Archive(run.path) } == .corrupt)
  }

  @Test func rebuildBringsBackWhatIsLost() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    let text = run.folder.read("run/SWZARCHIVE")
    let name = try run.holdings().containers[0].name.text
    run.folder.removeLink("run/SWZARCHIVE")
    run.folder.write("run/ckpt/copy.swz", try #require(run.folder.read("run/ckpt/" + name)))
    run.folder.removeLink("run/ckpt/" + name)
    #expect(rule { _ = try Archive(run.path) } == .noArchive)
    // No container has its name.
    #expect(kind { _ = try Archive.rebuild(run.path) } == .refused)
    run.folder.write("run/SWZARCHIVE", try #require(text))
    #expect(try Archive.rebuild(run.path).renamed.map(\.from) == ["copy.swz"] && run.restored("1") == ["m": [1]])
    run.folder.write("run/SWZARCHIVE", [1, 2])
    #expect(try Archive.rebuild(run.path).wroteIdentity && run.folder.read("run/SWZARCHIVE") == text)
    let again = try Archive.rebuild(run.path)
    #expect(!again.wroteIdentity && again.renamed.isEmpty)
  }

  @Test func otherNamesAreNoneOfOurs() throws {
    let run = try Run()
    try run.add(["m": [1]], step: 1)
    let good = "s000000000001.p000-001.0123456789abcdef.swz"
    #expect(ContainerName(good)?.step == 1)
    let odd = [
      "." + good, good + ".part", "s1.p000-001.0123456789abcdef.swz", "S000000000001.p000-001.0123456789abcdef.swz",
      "s000000000001.p000-001.0123456789ABCDEF.swz", "s000000000001.p000.0123456789abcdef.swz",
      "s٠٠٠٠٠٠٠٠٠٠٠١.p000-001.0123456789abcdef.swz",
      "s000000000001.p000-001.0123456789abcde.swz", "s000000000001.p000-001.0123456789abcdef.SWZ", "x",
    ]
    for name in odd {
      #expect(ContainerName(name) == nil)
      run.folder.write("run/ckpt/" + name, [1])
    }
    #expect(try run.listed() == ["1"] && run.prune { $0.last = 1 }.removed.isEmpty)
    for name in odd { #expect(run.folder.read("run/ckpt/" + name) == [1]) }
    // A container that holds no checkpoint is not taken for one.
    run.folder.write("run/ckpt/" + good, [1, 2, 3])
    #expect(try run.holdings().unreadable.count == 1)
    #expect(
      !Tag.isName("Best") && !Tag.isName("1") && !Tag.isName("latest") && !Tag.isName("a/b") && Tag.isName("v1.0_a-b"))
  }
}
