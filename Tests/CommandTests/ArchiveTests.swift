import SwzipTestSupport
import Testing

/// `archive` and its verbs.
struct ArchiveTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  /// A checkpoint of the Trainer's, after so many steps.
  private func checkpoint(_ step: Int) -> [String: [UInt8]] {
    var weights = Command.sample(60_000).enumerated().map { $0 % 2 == 1 ? 0x3C + $1 % 2 : $1 }
    for place in 0..<step { weights[place * 20 % 60_000] ^= 1 }
    return [
      "model.bin": weights, "sub/state.json": Array("{\"step\":\(step)}".utf8), "tokenizer.txt": Command.sample(9000),
    ]
  }

  private func write(_ step: Int) -> String {
    for (name, bytes) in checkpoint(step) { folder.writeDeep("checkpoint-\(step)/\(name)", bytes) }
    return "checkpoint-\(step)"
  }

  private func archive(_ words: String...) -> Command.Outcome { command.run(["archive"] + words) }

  private func filled(_ steps: Int...) {
    #expect(archive("init", "run").status == 0)
    for step in steps { #expect(archive("add", "run", write(step)).status == 0) }
  }

  @Test(arguments: [
    "", "init", "add", "import", "watch", "list", "show", "restore", "extract", "diff", "verify", "repair", "forget",
    "unforget", "prune", "tag",
    "stats", "rebuild", "publish", "clean",
  ])
  func help(_ verb: String) {
    let outcome = command.run(["archive"] + (verb.isEmpty ? [] : [verb]) + ["--help"])
    #expect(outcome.status == 0 && outcome.errors == [])
    Snapshot.expect(outcome.text, named: "help-archive" + (verb.isEmpty ? "" : "-" + verb))
  }

  @Test func checkpointsComeBack() {
    filled(100, 200, 300)
    for (word, step) in [("100", 100), ("200", 200), ("latest", 300)] {
      #expect(archive("restore", "run/", word, "-o", "out-\(word)").status == 0)
      #expect(folder.files("out-\(word)") == checkpoint(step))
    }
    #expect(archive("restore", "run", "200", "--only", "*.json", "-o", "part").status == 0)
    #expect(folder.files("part") == ["sub/state.json": Array("{\"step\":200}".utf8)])
    #expect(archive("restore", "run", "200", "-o", "part").status == 2)
    #expect(archive("restore", "run", "200", "-o", "part", "-f").status == 0)
    #expect(folder.files("part") == checkpoint(200))
    #expect(
      archive("restore", "run", "200", "--only", "none", "-o", "none").status == 2 && !folder.names.contains("none"))
    #expect(archive("extract", "run", "100", "sub/state.json").text == "{\"step\":100}")
    #expect(archive("extract", "run", "100", "absent").status == 2)
    #expect(archive("diff", "run", "100", "200").text.contains("2 files equal, 1 changed") == false)
    #expect(archive("diff", "run", "100", "200").text.contains("model.bin: changed"))
    #expect(archive("verify", "run").status == 0 && archive("verify", "run", "--quick").status == 0)
    #expect(archive("show", "run", "latest").text.contains("model.bin"))
    #expect(archive("stats", "run").text.hasPrefix("checkpoints  3, "))
    // Nothing is there but what the layout says.
    #expect(
      folder.files("run").keys.allSatisfy { $0 == "SWZARCHIVE" || $0.hasPrefix("ckpt/s") && $0.hasSuffix(".swz") })
  }

  /// Of a checkpoint, or a base, that is there twice the second container is read where the first is damaged; `latest` stays the
  /// same.
  @Test(arguments: ["100", "200", "latest"]) func anotherContainerIsReadWhereOneIsDamaged(_ word: String) throws {
    filled(100)
    let first = try #require(folder.files("run").keys.first { $0.contains("s000000000100") })
    let bytes = try #require(folder.read("run/" + first))
    folder.removeLink("run/" + first)
    #expect(archive("add", "run", "checkpoint-100", "-1").status == 0)
    folder.write("run/" + first, bytes)
    #expect(archive("add", "run", write(200)).status == 0)
    let names = folder.files("run").keys.filter { $0.contains("s000000000100") }.sorted()
    #expect(names.count == 2)
    func damage(_ name: String) throws {
      var bytes = try #require(folder.read("run/" + name))
      bytes[bytes.count / 2] ^= 1
      folder.write("run/" + name, bytes)
    }
    try damage(names[0])
    let outcome = archive("restore", "run", word, "-o", "out")
    #expect(outcome.status == 0 && folder.files("out") == checkpoint(word == "100" ? 100 : 200))
    #expect(outcome.errors.first?.hasPrefix("swzip: run/\(names[0]): warning: damaged; another container") == true)
    try damage(names[1])
    let failed = archive("restore", "run", word, "-o", "none")
    #expect(failed.status == (word == "100" ? 3 : 4) && !folder.names.contains("none") && failed.errors.count == 2)
  }

  @Test func whatIsAddedIsSaid() {
    filled(100)
    let said = archive("add", "run", write(200), "--json")
    #expect(
      said.text.contains(#""checkpoint":"200","step":200,"attempt":1"#) && said.text.contains(#""bases":["100"]"#))
    let again = archive("add", "run", "checkpoint-200")
    #expect(again.status == 0 && again.errors == ["checkpoint-200 : there already, as 200"])
    #expect(archive("add", "run", "checkpoint-200", "--step", "150").status == 0)
    #expect(archive("add", "run", "checkpoint-100", "--step", "200").errors.first?.contains("=> 200@2 : ") == true)
    let lines = archive("list", "run", "--json").text.split(separator: "\n")
    #expect(lines.count == 4 && lines.allSatisfy { $0.contains(#""complete":true,"forgotten":false"#) })
    #expect(archive("list", "run").text.hasSuffix(")\n") && archive("list", "run").text.contains("4 checkpoints, "))
  }

  @Test func forgottenOnesComeBackUntilTheyArePruned() {
    filled(100, 200, 300, 400)
    #expect(archive("tag", "run", "200", "best").status == 0)
    #expect(archive("forget", "run", "200").status == 2)
    #expect(archive("forget", "run", "100", "300").status == 0)
    #expect(archive("restore", "run", "100", "-o", "a").status == 2)
    #expect(archive("list", "run", "--forgotten", "--json").text.split(separator: "\n").count == 2)
    #expect(archive("unforget", "run", "100").status == 0)
    #expect(archive("restore", "run", "100", "-o", "a").status == 0 && folder.files("a") == checkpoint(100))
    let plan = archive("prune", "run", "--keep-last", "1", "-n")
    #expect(
      plan.text.contains("200  keep    tag best") && plan.text.contains("400  keep    the newest, one of the last 1"))
    #expect(plan.text.contains("100  forget  no rule keeps it") && plan.text.hasSuffix("nothing written\n"))
    #expect(archive("list", "run", "--json").text.split(separator: "\n").count == 3)
    #expect(archive("prune", "run", "--keep-last", "1", "--grace", "0", "--json").status == 0)
    #expect(archive("restore", "run", "best", "-o", "b").status == 0 && folder.files("b") == checkpoint(200))
    #expect(archive("restore", "run", "latest", "-o", "c").status == 0 && folder.files("c") == checkpoint(400))
    #expect(
      archive("tag", "run", "--remove", "best").status == 0 && archive("restore", "run", "best", "-o", "d").status == 2)
  }

  @Test(
    arguments: [
      ("no-archive", 4, ["list", "nowhere"]), ("no-step", 2, ["add", "run", "there"]),
      ("no-checkpoint", 2, ["restore", "run", "7", "-o", "out"]),
      ("none-yet", 2, ["restore", "run", "latest", "-o", "out"]),
      ("twice", 2, ["init", "run"]), ("not-empty", 2, ["init", "full"]),
      ("incomplete", 2, ["add", "run", "full", "--step", "1"]),
      ("absent", 1, ["add", "run", "absent-1"]), ("tag-name", 64, ["tag", "run", "1"]),
      ("grace", 64, ["prune", "run", "--grace", "x"]), ("sample", 64, ["verify", "run", "--sample", "x%"]),
      ("no-copy", 4, ["repair", "run", "--from", "full"]),
      ("part", 64, ["add", "run", "full", "--part", "2/2"]), ("group", 64, ["add", "run", "full", "--group", "a"]),
      ("too-many-parts", 2, ["add", "run", "full", "--as-is", "--step", "1", "--part", "0/2"]),
      ("keep", 64, ["prune", "run", "--keep-last", "0"]),
      ("pointed", 1, ["prune", "run", "--keep-pointed", "nowhere"]),
      ("quiet", 64, ["watch", "run", "out", "--quiet-seconds", "-1"]), ("watch", 1, ["watch", "run", "out", "--once"]),
      ("nothing", 2, ["import", "run", "full"]), ("depth", 64, ["add", "run", "there", "--max-depth", "64"]),
    ] as [(String, Int32, [String])])
  func complaints(_ name: String, _ status: Int32, _ words: [String]) {
    #expect(archive("init", "run").status == 0)
    folder.write("there", [1])
    folder.writeDeep("full/a.tmp", [1])
    let before = folder.files("")
    let outcome = command.run(["archive"] + words)
    #expect(outcome.status == status && outcome.errors.count == 1 && outcome.output.isEmpty, "\(outcome.errors)")
    #expect(folder.files("") == before)
    Snapshot.expect(outcome.errors.joined(separator: "\n") + "\n", named: "says-archive-" + name)
  }

  @Test func ranksAddTheirParts() {
    filled()
    let files = [
      "rank_0.pt": Command.sample(9000), "rank_1.pt": Command.sample(7000), "config.json": Array("{}".utf8),
    ]
    for (name, bytes) in files { folder.writeDeep("step-5/" + name, bytes) }
    let said = archive("add", "run", "step-5", "--part", "1/2", "--json")
    #expect(said.status == 0 && said.text.contains(#""parts":2,"parts_there":1"#))
    #expect(archive("list", "run").text.contains("1 of 2 parts"))
    #expect(archive("restore", "run", "latest", "-o", "out").status == 2)
    #expect(archive("restore", "run", "5", "-o", "out").status == 2 && !folder.names.contains("out"))
    #expect(archive("restore", "run", "5", "--part", "1", "-o", "one").status == 0)
    #expect(folder.files("one") == ["rank_1.pt": Command.sample(7000)])
    #expect(archive("add", "run", "step-5", "--part", "0/2").status == 0)
    #expect(archive("restore", "run", "latest", "-o", "out").status == 0 && folder.files("out") == files)
    #expect(archive("restore", "run", "latest", "--only", "rank_*", "-o", "some").status == 0)
    #expect(folder.files("some").keys.sorted() == ["rank_0.pt", "rank_1.pt"])
    #expect(
      archive("extract", "run", "5", "rank_1.pt", "config.json").output == files["rank_1.pt"]! + files["config.json"]!)
    #expect(archive("extract", "run", "5", "absent").status == 2)
    #expect(archive("diff", "run", "5", "5").text.contains("3 files equal"))
    #expect(archive("show", "run", "5").text.contains(".p001-002.") && archive("verify", "run").status == 0)
  }

  @Test func damageIsNamed() throws {
    filled(100, 200)
    let name = try #require(folder.files("run/ckpt").keys.min())
    var bytes = try #require(folder.read("run/ckpt/" + name))
    bytes[bytes.count / 2] ^= 1
    folder.write("run/ckpt/" + name, bytes)
    let found = archive("verify", "run", "--json")
    #expect(found.status == 3 && found.errors.count == 2 && found.errors[0].contains(name))
    #expect(found.errors[0].contains("; 100: model.bin, bytes ") && found.text.contains(#""range":["#))
    #expect(found.errors[1] == "swzip: run: these checkpoints cannot be restored: 100, 200")
    #expect(archive("restore", "run", "200", "-o", "out").status != 0 && !folder.names.contains("out"))
    folder.removeLink("run/ckpt/" + name)
    #expect(archive("verify", "run").status == 4 && archive("restore", "run", "200", "-o", "out").status == 4)
    #expect(archive("prune", "run").status == 4)
  }

  /// What is missing is zero under another name, and said; what is not is there.
  @Test func whatCanBeReadIsRestored() throws {
    filled(100, 200)
    let name = try #require(folder.files("run/ckpt").keys.min())
    let whole = try #require(folder.read("run/ckpt/" + name))
    func damage(_ bytes: [UInt8]) { folder.write("run/ckpt/" + name, bytes) }
    let original = checkpoint(200)
    func restore(_ step: String) -> [String: [UInt8]] {
      let outcome = archive("restore", "run", step, "--partial", "-o", "out-\(step)", "-f")
      #expect(outcome.status == 3, "\(outcome.errors)")
      let files = folder.files("out-\(step)")
      #expect(command.shell("rm -r out-\(step)").status == 0)
      return files
    }
    var partial = 0
    for place in stride(from: 200, to: whole.count - 1000, by: whole.count / 9) {
      damage(whole.enumerated().map { $0 == place ? $1 ^ 1 : $1 })
      guard archive("restore", "run", "200", "-o", "all").status != 0 else {
        #expect(command.shell("rm -r all").status == 0)
        continue
      }
      #expect(!folder.names.contains("all"))
      for (file, bytes) in restore("200") {
        guard let full = original[file.replacing(".partial", with: "").replacing(".json", with: "")] ?? original[file]
        else { continue }
        if !file.contains(".partial") {
          #expect(bytes == full)
        } else if file.hasSuffix(".partial") {
          partial += 1
          #expect(zip(bytes, full).allSatisfy { $0 == $1 || $0 == 0 } && bytes != full && bytes.count <= full.count)
        }
      }
    }
    #expect(partial > 0)
    folder.removeLink("run/ckpt/" + name)
    #expect(archive("restore", "run", "200", "-o", "all").status == 4)
    let left = restore("200")
    #expect(left["sub/state.json"] == original["sub/state.json"] && left["model.bin"] == nil)
    #expect(left.keys.contains("model.bin.partial.json"))
    // Without a directory nothing proves a file.
    damage(whole.dropLast(100))
    #expect(archive("restore", "run", "100", "-o", "all").status == 3)
    let unproved = restore("100")
    #expect(!unproved.isEmpty && unproved.keys.allSatisfy { $0.contains(".partial") })
  }

  @Test func damageIsMended() throws {
    filled(100, 200)
    #expect(command.shell("cp -a run copy").status == 0)
    let name = try #require(folder.files("run/ckpt").keys.min())
    folder.write("run/ckpt/" + name, try #require(folder.read("run/ckpt/" + name)).dropLast(9))
    let plan = archive("repair", "run", "-n")
    #expect(
      plan.status == 3
        && plan.errors.contains(
          "swzip: run: these checkpoints cannot be restored: 200, 100; "
            + "name a copy with --from, or add them again")
        && plan.errors.contains("nothing written"), "\(plan.errors)")
    #expect(archive("repair", "run", "--from", "copy").status == 0)
    #expect(folder.files("run/quarantine").count == 1)
    let verified = archive("verify", "run", "--stored")
    #expect(verified.status == 0 && verified.errors.count == 2 && verified.errors[0].contains("1 file in quarantine"))
    for step in [100, 200] {
      #expect(archive("restore", "run", "\(step)", "-o", "out-\(step)").status == 0)
      #expect(folder.files("out-\(step)") == checkpoint(step))
    }
    let sample = archive("verify", "run", "--sample", "50")
    #expect(sample.status == 0 && sample.errors.last?.contains(" of 2: all are in 2 days") == true, "\(sample.errors)")
  }

  /// Nobody may read a container who may not read what it is made of.
  @Test func privateStaysPrivate() throws {
    filled()
    _ = write(1)
    folder.setMode("checkpoint-1/model.bin", 0o600)
    #expect(archive("add", "run", "checkpoint-1").status == 0)
    let name = try #require(folder.files("run/ckpt").keys.first)
    #expect(command.shell("stat -c %a 'run/ckpt/\(name)'").text == "600\n")
  }

  /// A link comes back as one.
  @Test func linksComeBack() {
    filled()
    _ = write(5)
    folder.link("checkpoint-5/last", to: "model.bin")
    #expect(
      archive("add", "run", "checkpoint-5").status == 0 && archive("restore", "run", "5", "-o", "out").status == 0)
    #expect(command.shell("readlink out/last").text == "model.bin\n")
  }

  /// A file that somebody has open for writing is not added.
  @Test func whatIsBeingWrittenIsRefused() {
    filled()
    _ = write(5)
    let outcome = command.shell("exec 9>>checkpoint-5/model.bin; swzip archive add run checkpoint-5")
    #expect(outcome.status == 2 && outcome.errors.first?.contains("open for writing") == true, "\(outcome.errors)")
    #expect(archive("add", "run", "checkpoint-5").status == 0)
  }
}
