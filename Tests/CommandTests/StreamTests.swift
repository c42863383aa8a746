import SwzipTestSupport
import Testing

struct StreamTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  @Test func worksAsAFilter() {
    folder.write("a", Command.model())
    #expect(command.shell("swzip <a >b && swzip -d <b >c").status == 0)
    #expect(folder.read("c") == folder.read("a"))
    #expect(command.shell("cat a | swzip | cat | swzip -d | cmp - a").status == 0)
    #expect(command.shell("cat b | swzip -t").status == 0)
    #expect(command.shell("cat a | swzip -o d && swzip -d d -o e && cmp a e").status == 0)
  }

  @Test func readsStandardInputFromWhereItStands() {
    folder.write("a", Array(0..<200))
    #expect(
      command.shell(
        "{ dd bs=50 count=1 of=skipped 2>/dev/null; swzip >b; } <a && swzip -dc b | tail -c +1 >c || swzip -d <b >c"
      ).status == 0)
    #expect(folder.read("c") == Array(50..<200))
  }

  @Test func severalContainersUnpackToOneStream() {
    folder.write("a", [1, 2, 3])
    folder.write("b", [4, 5])
    #expect(command.run(["a", "b"]).status == 0)
    #expect(command.run(["-dc", "a.swz", "b.swz"]).output == [1, 2, 3, 4, 5])
  }

  @Test func linksAreVerbs() {
    folder.write("a", Command.model())
    #expect(command.run(["a"]).status == 0)
    folder.link("swunzip", to: Command.program)
    folder.link("swzcat", to: Command.program)
    #expect(command.run(["a.swz"], program: folder("swzcat")).output == Command.model())
    #expect(command.run(["a.swz", "-o", "b"], program: folder("swunzip")).status == 0)
    #expect(folder.read("b") == Command.model())
  }

  @Test func aPipeWithoutAReaderEndsQuietly() {
    folder.write("a", Command.sample(3 << 20))
    let outcome = command.shell("{ sleep 0.3; swzip -c a; echo $? >status; } | true; sleep 0.1; cat status")
    _ = waitUntil { folder.read("status") == Array("141\n".utf8) }
    #expect(folder.read("status") == Array("141\n".utf8))
    #expect(outcome.errors == [])
  }

  @Test func aFullDeviceIsAFailure() throws {
    guard TestFolder.exists("/dev/full") else { return }
    folder.write("a", Command.model())
    let outcome = command.shell("swzip -c a >/dev/full")
    #expect(outcome.status == 1)
    #expect(outcome.errors.first?.contains("No space left on device") == true)
  }

  @Test func aLimitOnFileSizesIsAFailureThatLeavesNothing() {
    folder.write("a", Command.sample(1 << 20))
    let outcome = command.shell("ulimit -f 64; swzip a")
    #expect(outcome.status == 1)
    #expect(folder.names == ["a"])
  }

  @Test func devicesAndPipesNeedForce() {
    folder.makePipe("pipe")
    folder.write("a", Command.model())
    #expect(command.run(["pipe"]).status == 2)
    #expect(command.shell("cat a >pipe & swzip -f pipe -o b && swzip -dc b | cmp - a").status == 0)
    #expect(command.run(["a", "-o", "/dev/null"]).status == 2)
    #expect(command.run(["a", "-f", "-o", "/dev/null"]).status == 0)
    #expect(command.shell("test -c /dev/null").status == 0)
  }

  @Test func compressedBytesDoNotGoToATerminal() {
    folder.write("a", Command.model())
    let refused = command.run(["-c", "a"], output: .terminal)
    #expect(refused.status == 2)
    #expect(refused.terminal == "")
    #expect(command.run(["-cf", "a"], output: .terminal).status == 0)
    #expect(command.run(["-d", "-"], input: .terminal).status == 2)
    #expect(command.run(["-d"], input: .terminal).status == 64)
    #expect(command.run([], input: .terminal).status == 64)
  }

  /// Nor do they from any other verb that makes a container; each says so as `pack` does.
  @Test func noContainerGoesToATerminal() {
    var version = Command.model()
    folder.write("a", version)
    for name in ["b", "c"] {
      version[version.count - 1] ^= 1
      folder.write(name, version)
    }
    folder.writeDeep("m/a", version)
    #expect(command.run(["delta", "make", "a", "b", "-o", "d1"]).status == 0)
    #expect(command.run(["delta", "make", "b", "c", "-o", "d2"]).status == 0)
    let text = "swzip: (stdout): compressed data is not written to a terminal; name a file with -o, or insist with -f"
    for arguments in [
      ["-c", "a"], ["pack", "a", "-o", "-"], ["pack", "-c", "m"], ["pack", "-c", "b", "--base", "a"],
      ["delta", "make", "-c", "a", "b"], ["delta", "fold", "-c", "a", "d1", "d2"],
    ] {
      let refused = command.run(arguments, output: .terminal)
      #expect(refused.status == 2 && refused.errors == [text] && refused.terminal == "", "\(arguments)")
      #expect(command.run(arguments + ["-f"], output: .terminal).status == 0, "\(arguments)")
    }
  }

  /// A job of more than a second, fed in two parts.
  @Test func progressIsForTerminalsOnly() {
    let line = "{ head -c 60000000 /dev/zero; sleep 1.2; head -c 60000000 /dev/zero; } | '\(Command.program)' - -f -o b"
    func run(_ options: String, _ errors: Child.Stream) -> String {
      let child = Child("/bin/sh", ["-c", line + options], in: folder.path, errors: errors)
      let outcome = child.wait()
      #expect(outcome.status == 0)
      return outcome.terminal
    }
    #expect(run("", .terminal).contains("\r(stdin) : "))
    #expect(!run(" --no-progress", .terminal).contains("\r(stdin)"))
    #expect(!run(" -q", .terminal).contains("(stdin)"))
    _ = run(" --progress", .file("errors"))
    #expect(!String(decoding: folder.read("errors") ?? [], as: UTF8.self).contains("\r"))
  }

  @Test func boldTypeIsForTerminalsOnly() {
    folder.write("a", Command.model())
    #expect(command.run(["a"]).status == 0)
    #expect(!command.run(["list", "a.swz"]).text.contains("\u{1B}"))
    #expect(command.run(["list", "a.swz"], output: .terminal).terminal.contains("\u{1B}[1m"))
    #expect(
      !command.run(["list", "a.swz"], output: .terminal, environment: ["NO_COLOR": "1"]).terminal.contains("\u{1B}"))
  }
}
