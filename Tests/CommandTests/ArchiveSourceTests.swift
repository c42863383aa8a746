import SwzipTestSupport
import Testing

/// What becomes of the originals: `archive add --rm`, `import` and `watch`.
struct ArchiveSourceTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  private func checkpoint(_ step: Int) -> [String: [UInt8]] {
    ["model.bin": Array(Command.sample(30_000 + step).suffix(30_000)), "sub/state": Array("\(step)".utf8)]
  }

  private func write(_ step: Int, in place: String = "out") {
    for (name, bytes) in checkpoint(step) { folder.writeDeep("\(place)/step_\(step)/\(name)", bytes) }
  }

  private func archive(_ words: String...) -> Command.Outcome { command.run(["archive"] + words) }

  private func restores(_ steps: Int...) {
    for step in steps {
      #expect(archive("restore", "run", "\(step)", "-o", "back", "-f").status == 0)
      #expect(folder.files("back") == checkpoint(step))
    }
  }

  init() { #expect(archive("init", "run").status == 0) }

  @Test func addRemoves() {
    write(1)
    write(2)
    #expect(archive("add", "run", "out/step_1", "--rm").errors.last == "out/step_1 : removed")
    folder.link("out/step_2/last", to: "nothing")
    let refused = archive("add", "run", "out/step_2", "--rm")
    #expect(refused.status == 2)
    #expect(refused.errors == ["swzip: out/step_2: last in it is not kept, so --rm would lose it; drop --rm"])
    folder.removeLink("out/step_2/last")
    folder.link("link", to: "out/step_2")
    #expect(archive("add", "run", "link", "--step", "2", "--rm").status == 2)
    #expect(folder.names.contains("link"))
    #expect(folder.files("out").keys.sorted() == ["step_2/model.bin", "step_2/sub/state"])
    restores(1)
  }

  @Test func watchOnceSaysWhetherAllIsArchived() {
    for step in 1...3 { write(step) }
    let words = ["archive", "watch", "run/", "out", "--once", "--quiet-seconds", "0"]
    let first = command.run(words)
    #expect(first.status == 0 && first.errors.count == 3 && first.errors[2].hasPrefix("out/step_3 => 3 : "))
    #expect(command.run(words).errors == [])
    folder.writeDeep("out/step_4/sub/state", [1])
    let partial = command.run(words + ["--rm", "--json"])
    #expect(
      partial.status == 2
        && partial.errors == [
          "out/step_4 : not added yet: it has nothing like model.bin, which 3 has",
          "out/step_1 : removed", "out/step_2 : removed",
          "swzip: out/step_4: not added: it has nothing like model.bin, which 3 has",
        ], "\(partial.errors)")
    #expect(partial.text.contains(#"{"swzip":1,"path":"out/step_1","removed":true}"#))
    folder.writeDeep("out/step_4/model.bin", [1])
    #expect(command.run(words + ["--rm", "--keep", "0"]).status == 0 && folder.files("out").isEmpty)
    restores(1, 2, 3)
    // Not forever: somebody writes all the while.
    let busy = command.shell(
      """
      mkdir out/step_5; (while [ ! -e stop ]; do date +%N >out/step_5/sub; sleep 0.02; done) & \
      swzip archive watch run out --once --quiet-seconds 0.5 --poll 0.1; status=$?; touch stop; wait; exit $status
      """)
    #expect(busy.status == 2 && busy.errors.last?.contains("it changed just now") == true, "\(busy.errors)")
  }

  /// Until it is told to end; an archive that is not there yet is no reason to.
  @Test func watchGoesOn() {
    let outcome = command.shell(
      """
      mkdir out; swzip archive watch later out --rm --poll 0.02 --quiet-seconds 0.1 2>log & watch=$!
      swzip archive init -q later; mkdir new; echo 1 >new/model.bin; cp -r new out/step_1; cp -r new out/step_2
      while [ -e out/step_1 ]; do sleep 0.02; done
      cp -r new out/step_3; while [ -e out/step_2 ]; do sleep 0.02; done
      kill $watch; wait $watch; echo $?; swzip archive list later --json | wc -l
      """)
    #expect(outcome.text == "143\n3\n", "\(outcome.errors)")
    let log = String(decoding: folder.read("log") ?? [], as: UTF8.self)
    #expect(log.contains("there is no archive") || log.contains("step_1 => 1"), "\(log)")
  }

  @Test func importTakesWhatThereIs() {
    for step in [30, 4, 500] { write(step, in: "old/runs") }
    write(7, in: "more")
    write(8, in: "packed/deep")
    write(9, in: "packed/deep")
    for (name, bytes) in checkpoint(10) { folder.writeDeep("flat/\(name)", bytes) }
    let made = command.shell(
      """
      tar -C packed -cf old.tar deep && tar -C flat -cf - . | zstd -q >step_10.tar.zst && \
      tar -C more --format=pax -czf more.tgz step_7 && rm -r packed flat more
      """)
    #expect(made.status == 0, "\(made.errors)")
    let said = archive("import", "run", "old/runs", "step_10.tar.zst", "old.tar", "more.tgz", "--rm")
    #expect(said.status == 0, "\(said.errors)")
    let added = said.errors.filter { $0.contains(" => ") }.compactMap { $0.split(separator: ":").first }
    #expect(
      added == [
        "old/runs/step_4 => 4 ", "step_10.tar.zst => 10 ", "old/runs/step_30 => 30 ", "old/runs/step_500 => 500 ",
        "old.tar/deep/step_8 => 8 ", "old.tar/deep/step_9 => 9 ", "more.tgz/step_7 => 7 ",
      ])
    #expect(folder.names.filter { $0 != "run" && $0 != "old" } == [] && folder.files("old").isEmpty)
    restores(4, 7, 8, 9, 10, 30, 500)
    write(9)
    #expect(archive("import", "run", "out").errors == ["out/step_9 : there already, as 9"])
    #expect(archive("import", "run", "absent", "out", "--rm").status == 1 && folder.files("out").isEmpty)
  }

  /// Tar files that would write elsewhere, or hold what is not taken, are refused, and stay.
  @Test(arguments: [
    "absolute": "add('/evil', b'1')", "parent": "add('step_1/../../evil', b'1')",
    "twice": "add('step_1/a', b'1'); add('step_1/a', b'2')",
    "link-out": "link('step_1/l', '/etc/passwd'); add('step_1/a', b'1')",
    "link-up": "link('step_1/l', '../../run/SWZARCHIVE'); add('step_1/a', b'1')",
    "through-link": "link('step_1/l', 'd'); add('step_1/d/a', b'1'); add('step_1/l/b', b'1')",
    "hard-link": "add('step_1/a', b'1'); other('step_1/b', tarfile.LNKTYPE, 'step_1/a')",
    "device": "add('step_1/a', b'1'); other('step_1/b', tarfile.CHRTYPE, '')",
    "pipe": "other('step_1/b', tarfile.FIFOTYPE, ''); add('step_1/a', b'1')", "empty": "pass",
    "no-step": "add('a', b'1')", "cut": "add('step_1/a', b'1' * 9000); cut()",
    "bytes-after": "add('step_1/a', b'1'); after(b'x' * 600)", "huge": "huge('step_1/a')",
  ])
  func hostileTarFiles(_ name: String, _ body: String) {
    folder.write(
      "make.py",
      Array(
        """
        import io, os, tarfile
        tar = tarfile.open('t.tar', 'w')
        end = []
        def add(name, data):
            entry = tarfile.TarInfo(name); entry.size = len(data); tar.addfile(entry, io.BytesIO(data))
        def other(name, kind, target):
            entry = tarfile.TarInfo(name); entry.type = kind; entry.linkname = target; tar.addfile(entry)
        def link(name, target): other(name, tarfile.SYMTYPE, target)
        def huge(name):
            entry = tarfile.TarInfo(name); entry.size = 1 << 60
            tar.fileobj.write(entry.tobuf(tarfile.GNU_FORMAT)); tar.offset += 512
        def cut(): end.append(lambda: os.truncate('t.tar', 5000))
        def after(data): end.append(lambda: open('t.tar', 'ab').write(data))
        \(body)
        tar.close()
        for step in end: step()
        """.utf8))
    #expect(command.shell("python3 make.py && rm make.py").status == 0)
    let before = folder.files("")
    let outcome = archive("import", "run", "t.tar", "--rm")
    #expect(outcome.status != 0 && outcome.status < 64 && outcome.errors.count == 1, "\(outcome.errors)")
    #expect(folder.files("") == before && !TestFolder.exists("/evil"))
    #expect(folder.names.sorted() == ["run", "t.tar"])
  }

  /// All checkpoints of it are added, those behind its end too; one with a file that belongs to none stays.
  @Test func aTarFileOfMoreStays() {
    write(1, in: "t")
    write(2, in: "t")
    write(3, in: "u")
    folder.write("t/README", [1])
    let pack = "tar -C t -cf t.tar . && tar -C u -cf u.tar . && cat u.tar >>t.tar && rm u.tar"
    #expect(command.shell(pack).status == 0)
    let kept = archive("import", "run", "t.tar", "--rm")
    #expect(kept.status == 2, "\(kept.errors)")
    #expect(kept.errors.last?.contains("README in it is part of no checkpoint") == true, "\(kept.errors)")
    restores(1, 2, 3)
    folder.removeLink("t/README")
    #expect(command.shell(pack).status == 0 && folder.names.contains("t.tar"))
    #expect(archive("import", "run", "t.tar", "--rm").status == 0 && !folder.names.contains("t.tar"))
    restores(1, 2, 3)
  }

  /// The recipes of tools/archive, as they are.
  @Test(arguments: ["slurm-epilogue.sh", "cron.sh"]) func recipes(_ name: String) {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    for step in 1...3 { write(step) }
    folder.writeDeep("out/step_4/sub/state", [1])
    let settings = "CHECKPOINTS=out ARCHIVE=new/run.swza QUIET=0 SLURM_JOB_ID=7 KEEP_LAST=2 KEEP_DAILY=1"
    let line = "\(settings) SWZIP='\(Command.program)' '/\(root)/tools/archive/\(name)'"
    let first = command.shell("mkdir new; " + line)
    #expect(first.status == 0)
    #expect(folder.files("out").keys.sorted() == ["step_3/model.bin", "step_3/sub/state", "step_4/sub/state"])
    let isCron = name == "cron.sh"
    #expect(isCron == first.errors.isEmpty, "\(first.errors)")
    let steps = command.run(["archive", "list", "new/run.swza", "--json"]).text.split(separator: "\n").count
    #expect(steps == (isCron ? 2 : 3))
    #expect(command.shell(line).status == 0)
    // What is wrong is said.
    #expect(!command.shell("echo bad >new/run.swza/SWZARCHIVE; " + line).errors.isEmpty)
  }
}
