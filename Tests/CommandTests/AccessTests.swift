import SwzipSystem
import SwzipTestSupport
import Testing

/// Nothing that is made can be read by who may not read what it is made of; and what only waits is never opened.
struct AccessTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  private func mode(_ name: String) -> UInt32? { (try? FileStatus.of(folder(name)))?.permissions }

  /// The container of a private file, the file itself and another version of it that all may read.
  private func writeVersions() {
    var next = Command.model()
    next[next.count - 1] ^= 1
    folder.write("private", Command.model(), mode: 0o600)
    folder.write("open", next, mode: 0o644)
    #expect(command.run(["private"]).status == 0)
  }

  @Test func whatIsTakenFromAPrivateContainer() {
    writeVersions()
    #expect(command.run(["cat", "private.swz", "a.weight", "-o", "tensor"]).status == 0)
    #expect(command.run(["salvage", "private.swz", "-o", "saved"]).status == 0)
    #expect(command.run(["unpack", "private.swz", "-o", "unpacked"]).status == 0)
    for name in ["tensor", "saved", "unpacked"] { #expect(mode(name) == 0o600, "\(name)") }
  }

  /// A version tells about its base, and the differences with one of the two about the other.
  @Test func whatIsMadeWithAPrivateBase() {
    writeVersions()
    #expect(command.run(["open", "--base", "private", "-o", "d"]).status == 0)
    #expect(mode("d") == 0o600)
    folder.setMode("d", 0o644)
    #expect(command.run(["unpack", "d", "--base", "private", "-o", "version"]).status == 0)
    #expect(mode("version") == 0o600)
    #expect(command.run(["cat", "d", "a.weight", "--base", "private", "-o", "tensor"]).status == 0)
    #expect(mode("tensor") == 0o600)
    #expect(command.run(["salvage", "d", "--base", "private", "-o", "saved"]).status == 0)
    #expect(mode("saved") == 0o600)
    #expect(command.run(["delta", "make", "open", "private", "-o", "e"]).status == 0)
    folder.setMode("e", 0o644)
    #expect(command.run(["delta", "fold", "private", "d", "e", "-o", "folded"]).status == 0)
    #expect(mode("folded") == 0o600)
    #expect(command.run(["delta", "apply", "--in-place", "private", "d"]).status == 0)
    #expect(mode("private") == 0o600)
  }

  @Test func whatIsSavedOfAFolderWithAPrivateBase() {
    folder.writeDeep("m/a", Command.model(), mode: 0o600)
    folder.setMode("m", 0o700)
    folder.writeDeep("n/a", Command.model() + [1], mode: 0o644)
    #expect(command.run(["n", "--base", "m", "-o", "d"]).status == 0)
    folder.setMode("d", 0o644)
    #expect(command.run(["salvage", "d", "--base", "m", "-o", "s"]).status == 0)
    #expect(mode("s") == 0o700)
  }

  /// The files have the modes that were stored: their folder keeps others out.
  @Test func theFolderOfAPrivateContainer() {
    folder.writeDeep("m/deep/a", Command.model(), mode: 0o644)
    folder.setMode("m", 0o700)
    #expect(command.run(["m"]).status == 0)
    #expect(mode("m.swz") == 0o600)
    for (verb, name) in [("unpack", "n"), ("salvage", "s")] {
      #expect(command.run([verb, "m.swz", "-o", name]).status == 0)
      #expect(mode(name) == 0o700 && mode(name + "/deep/a") == 0o644, "\(name)")
    }
    folder.setMode("m.swz", 0o644)
    #expect(command.shell("umask 022; swzip unpack m.swz -o o").status == 0)
    #expect(mode("o") == 0o755)
  }

  /// Ends a run that would wait for ever.
  private func ends(_ arguments: [String], with status: Int32) -> Bool {
    let child = Child(Command.program, arguments, in: folder.path)
    let clock = Child("/bin/sh", ["-c", "sleep 30; exec kill -9 \(child.number)"], in: folder.path)
    let outcome = child.wait()
    clock.signal(9)
    _ = clock.wait()
    return outcome.status == status
  }

  @Test func pipesAreNotOpened() {
    folder.write("a", Command.model())
    folder.makePipe("pipe")
    folder.makePipe(".swzip-1-0123456789abcdef.tmp")
    #expect(ends(["a"], with: 0))
    #expect(folder.names.contains("a.swz") && folder.names.contains(".swzip-1-0123456789abcdef.tmp"))
    for arguments in [
      ["a", "--base", "pipe", "-o", "x"], ["a.swz", "-d", "--base", "pipe", "-o", "x"], ["diff", "pipe", "a"],
      ["diff", "a", "pipe"], ["cat", "a.swz", "a.weight", "--base", "pipe", "-o", "x"],
      ["delta", "apply", "pipe", "a.swz"],
      ["pack", "pipe"], ["unpack", "pipe", "-o", "x"], ["bench", "a", "--base", "pipe"], ["salvage", "pipe"],
      ["inspect", "pipe"], ["sync", "follow", ".", "pipe"], ["sync", "publish", "x", "pipe"],
    ] {
      #expect(ends(arguments, with: 2), "\(arguments)")
    }
    #expect(folder.read("x") == nil)
  }
}
