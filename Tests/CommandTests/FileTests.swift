import SwzipNames
import SwzipSystem
import SwzipTestSupport
import Testing

struct FileTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  @Test func modeAndTimeTravel() throws {
    folder.write("a", Command.model(), mode: 0o640)
    folder.setTime("a", seconds: 1_577_934_245, nanoseconds: 123_456_789)
    #expect(command.run(["a"]).status == 0)
    #expect(command.run(["-d", "a.swz", "-o", "b"]).status == 0)
    for name in ["a.swz", "b"] {
      let status = try FileStatus.of(folder(name))
      #expect(status.permissions == 0o640)
      #expect(status.modified == FileTime(nanoseconds: 1_577_934_245_123_456_789))
    }
  }

  @Test func privilegesDoNotTravel() throws {
    folder.write("a", Command.model(), mode: 0o4755)
    #expect(command.run(["a"]).status == 0)
    #expect(try FileStatus.of(folder("a.swz")).mode & 0o7777 == 0o755)
  }

  @Test func standardInputGetsTheUsualMode() throws {
    folder.write("a", Command.model())
    #expect(command.shell("umask 027; swzip -o b <a").status == 0)
    #expect(try FileStatus.of(folder("b")).permissions == 0o640)
  }

  @Test(arguments: [(15, "TERM"), (2, "INT"), (1, "HUP")]) func aSignalLeavesNothing(_ number: Int32, _ name: String) {
    let child = Child(Command.program, ["-", "-o", "out"], in: folder.path, input: .openPipe)
    #expect(waitUntil { folder.names.contains { $0.hasSuffix(".tmp") } })
    child.signal(number)
    #expect(child.wait().status == 128 + number)
    #expect(folder.names == [])
  }

  @Test func anIgnoredSignalStaysIgnored() {
    let script =
      "trap '' HUP; swzip - -o out <pipe & exec 9>pipe; sleep 0.3; kill -HUP $!; echo x >&9; exec 9>&-; wait $!"
    folder.makePipe("pipe")
    #expect(command.shell(script).status == 0)
    #expect(folder.names == ["out", "pipe"])
  }

  @Test func anUnwritableFolderIsAFailure() {
    // Permissions do not bind the superuser.
    guard !TestFolder.isSuperuser else { return }
    folder.makeFolder("closed")
    folder.write("closed/a", [1])
    folder.setMode("closed", 0o500)
    #expect(command.run(["closed/a"]).status == 1)
    folder.setMode("closed", 0o700)
    folder.setMode("closed/a", 0)
    #expect(command.run(["closed/a"]).status == 1)
  }

  @Test func compressedInputIsPackedWithAWarning() {
    for (name, magic) in [("zstd", [0x28, 0xB5, 0x2F, 0xFD]), ("gzip", [0x1F, 0x8B, 8, 0])] as [(String, [UInt8])] {
      folder.write(name, magic + Command.sample(1000))
      let outcome = command.run([name])
      #expect(outcome.status == 0)
      let warning = "swzip: \(name): warning: already compressed (\(name)); unpack it first to gain anything"
      #expect(outcome.errors.filter { $0.contains("warning") } == [warning])
      #expect(command.run(["-dc", name + ".swz"]).output == folder.read(name))
    }
  }

  /// What a download gives in place of a model: one warning, and it is packed all the same.
  @Test func pagesAndPointersPackWithAWarning() {
    let page = Array("\n<!DOCTYPE html><html><body>Log in</body></html>".utf8)
    let pointer = Array("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n".utf8)
    for (name, bytes, word) in [
      ("model.safetensors", page, "web page"), ("model.bin", pointer, "git lfs pull"), ("page.html", page, ""),
    ] {
      folder.write(name, bytes)
      let outcome = command.run([name])
      #expect(outcome.status == 0)
      let warnings = outcome.errors.filter { $0.contains("warning") }
      #expect(warnings.count == (word.isEmpty ? 0 : 1) && warnings.allSatisfy { $0.contains(word) })
      #expect(command.run(["-dc", name + ".swz"]).output == bytes)
    }
  }

  @Test func aFileOfProcIsReadToItsEnd() {
    guard TestFolder.exists("/proc/version") else { return }
    #expect(command.run(["/proc/version", "-o", "out"]).status == 0)
    #expect(command.run(["-dc", "out"]).output == TestFolder.read("/proc/version"))
  }

  @Test func namesThatWouldPlayWithATerminalAreShownSafely() {
    let outcome = command.run(["a\u{1B}[31m"])
    #expect(outcome.errors == ["swzip: a\\u{1b}[31m: no such file; check the name"])
  }
}
