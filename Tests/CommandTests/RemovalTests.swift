import SwzipSystem
import SwzipTestSupport
import Testing

/// `--rm`: nothing is removed that somebody may still want.
struct RemovalTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  #if os(Linux)
    /// Who has a file open or mapped for writing may write at any moment, and no times tell.
    @Test(arguments: ["pack", "unpack"]) func aSourceThatIsOpenForWritingStays(_ verb: String) {
      folder.write("a", Command.model())
      #expect(command.run(["a"]).status == 0)
      let source = verb == "pack" ? "a" : "a.swz"
      let before = folder.files(".")
      let refused = command.shell("exec 9<>\(source); swzip \(verb) --rm \(source) -o out")
      #expect(refused.status == 2 && refused.errors.count == 1)
      #expect(refused.errors.first?.contains("somebody has it open for writing") == true)
      #expect(folder.files(".") == before)
      #expect(command.shell("exec 9<\(source); swzip \(verb) --rm \(source) -o out").status == 0)
      #expect(folder.read(source) == nil && folder.read("out") != nil)
    }
  #endif

  /// The delta goes when the new version has taken the place of the base: it cannot be made again then.
  @Test func aDeltaThatWasAppliedInPlace() {
    folder.write("mine", Command.model())
    var next = Command.model()
    next[next.count - 1] ^= 1
    folder.write("next", next)
    #expect(command.run(["delta", "make", "mine", "next", "-o", "d"]).status == 0)
    let applied = command.run(["delta", "apply", "--in-place", "--rm", "mine", "d"])
    #expect(applied.status == 0, "\(applied.errors)")
    #expect(folder.read("mine") == next && folder.read("d") == nil)
  }

  @Test func aFolderThatReplacesItsBase() {
    folder.writeDeep("m/a", Command.model())
    folder.writeDeep("n/a", Array(Command.model().reversed()))
    folder.writeDeep("n/b", Command.model())
    #expect(command.run(["n", "--base", "m"]).status == 0)
    let done = command.run(["unpack", "n.swz", "--base", "m", "-o", "m", "-f", "--rm"])
    #expect(done.status == 0, "\(done.errors)")
    #expect(folder.files("m") == folder.files("n") && folder.read("n.swz") == nil)
  }

  /// Said before any work is done.
  @Test func aFolderThatMayNotBeChanged() {
    // Permissions do not bind the superuser.
    guard !TestFolder.isSuperuser else { return }
    folder.writeDeep("closed/a", Command.model())
    folder.setMode("closed", 0o500)
    let refused = command.run(["--rm", "closed/a", "-o", "out"])
    folder.setMode("closed", 0o700)
    #expect(refused.status == 1 && folder.read("out") == nil)
    #expect(refused.errors == ["swzip: closed/a: --rm could not remove it: Permission denied; drop --rm"])
  }

  /// Its own mode is no obstacle.
  @Test func aReadOnlySourceIsRemoved() {
    folder.write("a", Command.model(), mode: 0o444)
    #expect(command.run(["--rm", "a"]).status == 0)
    #expect(folder.names == ["a.swz"])
  }
}
