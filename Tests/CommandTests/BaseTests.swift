import SwzipCore
import SwzipTestSupport
import Testing

/// `--base`: files and folders as differences to another version.
struct BaseTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  /// A model of one large tensor, of which one value in `rate` differs from version to version.
  private func model(version: UInt8, rate: Int = 50) -> [UInt8] {
    var header = #"{"w":{"dtype":"BF16","shape":[200,200],"data_offsets":[0,80000]}}"#
    while header.utf8.count % 8 != 0 { header += " " }
    var data = Command.sample(80_000)
    for index in 0..<Int(version) {
      for place in stride(from: 2 * index, to: data.count, by: 2 * rate) { data[place] ^= 1 }
    }
    let length = UInt64(header.utf8.count)
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8) + data
  }

  private func writeVersions() {
    for version in 0..<4 { folder.write("v\(version)", model(version: UInt8(version))) }
  }

  @Test func filesAndTheirChains() {
    writeVersions()
    #expect(command.run(["v0"]).status == 0)
    #expect(command.run(["pack", "v1", "--base", "v0"]).status == 0)
    #expect(command.run(["pack", "v2", "--base", "v1.swz", "--base", "v0"]).status == 0)
    #expect(command.run(["v3", "--base", "v2.swz", "--base", "v1.swz", "--base", "v0.swz"]).status == 0)
    for version in 1..<4 { #expect((folder.read("v\(version).swz") ?? []).count < 3000) }
    #expect(command.run(["verify", "v1.swz", "--base", "v0.swz"]).status == 0)
    #expect(command.run(["-t", "v3.swz", "--base", "."]).status == 0)
    for version in 1..<4 {
      #expect(command.run(["unpack", "v\(version).swz", "--base", ".", "-o", "out\(version)"]).status == 0)
      #expect(folder.read("out\(version)") == folder.read("v\(version)"))
      let tensor = command.run(["cat", "v\(version).swz", "w", "--base", "."])
      #expect(tensor.status == 0 && tensor.output == Array((folder.read("v\(version)") ?? []).suffix(80_000)))
    }
    #expect(command.shell("swzip -d --base v0 - <v1.swz >piped").status == 0)
    #expect(folder.read("piped") == folder.read("v1"))
    let listed = command.run(["list", "-v", "v1.swz"]).text
    #expect(listed.contains("needs     SHA-256") && listed.contains("\(model(version: 0).count) bytes  v0"))
    #expect(command.run(["list", "--json", "v1.swz"]).text.contains(#""hint":"v0""#))
  }

  /// Each mistake has its own words, exit code 4, and nothing is written.
  @Test func mistakes() {
    writeVersions()
    folder.write("other", Command.sample(model(version: 0).count))
    #expect(command.run(["v1", "--base", "v0", "-o", "d.swz"]).status == 0)
    let before = folder.names
    for verb in [["unpack", "-o", "out"], ["verify"], ["cat", "-o", "out"]] {
      let names = verb[0] == "cat" ? ["d.swz", "w"] : ["d.swz"]
      let missing = command.run(verb + names)
      #expect(missing.status == 4 && missing.errors.count == 1, "\(verb)")
      #expect(
        missing.errors.first?.contains("needs a base that is missing (v0, \(model(version: 0).count) bytes, SHA-256 ")
          == true)
      let small = command.run(verb + names + ["--base", "d.swz"])
      #expect(small.status == 4 && small.errors.first?.contains("no file named with --base") == true, "\(verb)")
    }
    for base in ["v2", "other"] {
      let wrong = command.run(["unpack", "d.swz", "-o", "out", "--base", base])
      #expect(wrong.status == 4 && wrong.errors.first?.contains("no file named with --base") == true)
    }
    let absent = command.run(["unpack", "d.swz", "-o", "out", "--base", "absent"])
    #expect(absent.status == 1 && absent.errors.first?.contains("absent") == true)
    #expect(folder.names == before)
    let useless = command.run(["v1", "--base", "other"])
    #expect(useless.status == 0 && useless.errors.contains { $0.contains("nothing in it is like other; packed alone") })
    #expect(command.run(["-t", "v1.swz"]).status == 0)
    folder.writeDeep("m/f", [1])
    let folderless = command.run(["v2", "--base", "m"])
    #expect(folderless.status == 2 && folderless.errors.first?.contains("holds no file of the name v2") == true)
    for base in ["v0", "d.swz"] {
      let single = command.run(["m", "--base", base])
      #expect(single.status == 2 && single.errors.first?.contains("it is a single file") == true)
    }
    #expect(command.shell("cat v1 | swzip pack --base v0 - -o p.swz").status == 2)
  }

  @Test func deltas() {
    writeVersions()
    #expect(command.run(["delta", "make", "v0", "v1"]).status == 0)
    #expect(command.run(["delta", "make", "v1", "v2", "-o", "d2"]).status == 0)
    #expect(command.run(["pack", "v1", "--base", "v0", "-c"]).output == folder.read("v1.swz"))
    #expect(command.run(["delta", "apply", "v0", "v1.swz", "-o", "out"]).status == 0)
    #expect(folder.read("out") == folder.read("v1"))
    #expect(command.run(["delta", "inspect", "v1.swz"]).text.contains("needs     SHA-256"))
    // One delta of two, which needs the first base only.
    #expect(command.run(["delta", "fold", "v0", "v1.swz", "d2", "-o", "d02"]).status == 0)
    #expect(command.run(["delta", "apply", "v0", "d02", "-o", "folded"]).status == 0)
    let json = command.run(["delta", "fold", "v0", "v1.swz", "d2", "-o", "d02", "-f", "--json"]).text
    #expect(json.hasPrefix(#"{"swzip":1,"path":"d2","out":"d02","format":"#) && json.contains(#""seconds":"#))
    #expect(folder.read("folded") == folder.read("v2"))
    #expect(command.run(["delta", "make", "v0", "v2", "-c"]).output == folder.read("d02"))
    #expect(command.run(["delta", "fold", "v1", "v1.swz", "d2", "-o", "x"]).status == 0, "v1 will do for the second")
    #expect(command.run(["delta", "fold", "v3", "v1.swz", "d2", "-o", "y"]).status == 4)
    #expect(command.run(["delta", "fold", "v0", "d2", "-o", "y"]).status == 64)
    #expect(command.run(["delta", "fold", "v0", "v1.swz", "d2"]).status == 64)
  }

  /// The base becomes the next version, once.
  @Test func inPlace() {
    writeVersions()
    folder.write("mine", model(version: 0))
    #expect(command.run(["delta", "make", "v0", "v1", "-o", "d"]).status == 0)
    #expect(command.run(["delta", "apply", "mine", "d", "--in-place", "-o", "z"]).status == 64)
    #expect(command.run(["delta", "apply", "v2", "d", "--in-place"]).status == 4)
    #expect(folder.read("v2") == model(version: 2))
    #expect(command.run(["delta", "apply", "mine", "d", "--in-place"]).status == 0)
    #expect(folder.read("mine") == model(version: 1))
    #expect(command.run(["delta", "apply", "mine", "d", "--in-place"]).status == 4)
    #expect(folder.read("mine") == model(version: 1))
    #expect(command.run(["v0"]).status == 0)
    #expect(command.run(["delta", "apply", "v0.swz", "d", "--in-place"]).status == 2)
    folder.writeDeep("m/f", [1])
    #expect(command.run(["delta", "apply", "m", "d", "--in-place"]).status == 2)
  }

  @Test func diff() {
    writeVersions()
    #expect(command.run(["v1", "--base", "v0"]).status == 0)
    let plain = command.run(["diff", "v0", "v1"])
    #expect(plain.status == 0 && plain.text.contains("2.00%") && plain.text.contains("0 tensors equal, 1 changed"))
    #expect(command.run(["diff", "v0", "v1.swz", "--base", "v0"]).text == plain.text)
    #expect(command.run(["diff", "v0", "v0"]).text == "1 tensors equal, 0 changed; 0.00% of the values\n")
    #expect(command.run(["diff", "v0", "v1", "--json"]).text.contains(#""changed":800,"steps":[800,0,"#))
    #expect(command.run(["diff", "v0", "v1.swz"]).status == 4)
    #expect(command.run(["diff", "v0", "absent"]).status == 1)
    folder.writeDeep("m/f", [1])
    #expect(command.run(["diff", "v0", "m"]).status == 2)
  }

  /// File by file, whichever side is packed; what links lead to outside is left out.
  @Test func diffOfFolders() {
    for (name, version) in [("old", 0), ("new", 1)] {
      folder.writeDeep("\(name)/sub/w", model(version: UInt8(version)))
      folder.write("\(name)/same", model(version: 5))
      folder.write("\(name)/text", Array("version \(version)".utf8))
    }
    folder.write("old/gone", [1])
    folder.write("new/more", [1, 2])
    for name in ["old", "new"] { #expect(command.run([name]).status == 0) }
    folder.write("outside", [1])
    folder.link("new/link", to: "../outside")
    let plain = command.run(["diff", "old", "new"])
    #expect(plain.status == 0 && plain.errors.isEmpty)
    #expect(plain.text.hasSuffix("1 files equal, 2 changed, 1 added, 1 removed\n"))
    for line in ["gone: removed, 1 B\n", "more: added, 2 B\n", "sub/w: changed, ", "text: changed, 9 B\n", "2.00%"] {
      #expect(plain.text.contains(line), "\(line)")
    }
    #expect(!plain.text.contains("same") && !plain.text.contains("link"))
    for (before, after) in [("old.swz", "new.swz"), ("old", "new.swz"), ("old.swz", "new")] {
      #expect(command.run(["diff", before, after]).text == plain.text)
    }
    #expect(command.run(["diff", "old", "old.swz"]).text == "4 files equal, 0 changed\n")
    #expect(command.run(["diff", "-a", "old", "old.swz"]).text.contains("same: equal"))
    let lines = command.run(["diff", "--json", "old", "new.swz"]).text.split(separator: "\n")
    #expect(lines.count == 5 && lines[0].hasPrefix(#"{"swzip":1,"name":"gone","change":"removed","bytes":1,"#))
    #expect(command.run(["diff", "old", "absent"]).status == 1)
    #expect(command.run(["diff", "old.swz", "old/text"]).status == 2)
  }

  /// What has a base is saved given that; without it, that is said.
  @Test func salvage() {
    writeVersions()
    #expect(command.run(["v1", "--base", "v0"]).status == 0)
    #expect(command.run(["salvage", "v1.swz", "--base", "v0"]).status == 0)
    #expect(folder.read("v1.partial") == model(version: 1))
    let alone = command.run(["salvage", "v1.swz", "-o", "x", "--json"])
    #expect(alone.status == 3 && alone.errors.contains { $0.contains("base") })
    #expect(alone.text.contains("nothing could be saved") && !folder.names.contains("x"))
    #expect(command.run(["salvage", "v1.swz", "--base", "v0", "-o", "v0", "-f"]).status == 2)
    folder.write("cut.swz", Array(folder.read("v1.swz")!.dropLast(1)))
    let cut = command.run(["salvage", "cut.swz", "--base", "v0"])
    #expect(cut.status == 3 && cut.errors.last?.contains("the end is unknown") == true)
    #expect(folder.read("cut.partial") == model(version: 1))
    folder.write("noise.swz", Command.sample(1000))
    #expect(command.run(["salvage", "noise.swz"]).status == 3 && !folder.names.contains("noise.partial"))
  }

  /// A container that needs what it replaces, or what its source was, could never be unpacked: all of these are refused, and
  /// nothing is lost.
  @Test func nothingNeedsItself() {
    writeVersions()
    #expect(command.run(["v0"]).status == 0)
    #expect(command.run(["v1", "--base", "v0", "-o", "d1"]).status == 0)
    #expect(command.run(["v2", "--base", "v1", "-o", "d2"]).status == 0)
    folder.link("link", to: "v0")
    folder.writeDeep("m/v3", model(version: 3))
    let before = folder.files(".")
    for arguments in [
      // The source is the base, by any name, or what the base needs.
      ["v0", "--base", "v0", "--rm", "-o", "x"], ["v0", "--base", "v0", "-o", "x"],
      ["v0", "--base", "link", "-o", "x"],
      ["v0", "--base", "d1", "--base", "v0", "--rm", "-o", "x"],
      ["v0", "--base", "d1", "--base", ".", "--rm", "-o", "x"],
      ["m", "--base", "m", "-o", "x"], ["m/v3", "--base", "m", "--rm", "-o", "x"],
      ["-r", "m", "--base", "m", "--rm", "--output-dir", "x"],
      // The output is the base, or what the base needs.
      ["v0", "--base", "v0.swz", "-f"], ["v2", "--base", "v1", "-o", "v1", "-f"],
      ["v2", "--base", "v1", "-o", "link", "--base", "v0", "-f"],
      ["v2", "--base", "d1", "--base", "v0", "-o", "v0", "-f"],
      ["v2", "--base", "v1", "--base", ".", "-o", "v3", "-f"],
      ["m", "--base", "m", "-o", "m/v3", "-f"], ["delta", "make", "v1", "v2", "-o", "v1", "-f"],
      ["delta", "fold", "v0", "d1", "d2", "-o", "v0", "-f"], ["delta", "fold", "v0", "d1", "d2", "-o", "d1", "-f"],
      ["cat", "d1", "--range", ":", "--base", "v0", "-o", "v0", "-f"],
    ] {
      let outcome = command.run(arguments)
      #expect(outcome.status == 2, "\(arguments): \(outcome.errors)")
      #expect(folder.files(".") == before, "\(arguments)")
    }
    // Others of a list go on.
    #expect(command.run(["v1", "v0", "--base", "v0", "--rm"]).status == 2)
    #expect(folder.read("v0") != nil && folder.read("v1") == nil)
    #expect(command.run(["-d", "v1.swz", "--base", "v0"]).status == 0)
    #expect(folder.read("v1") == model(version: 1))
  }

  @Test func removal() {
    writeVersions()
    #expect(command.run(["v1", "--base", "v0", "--rm"]).status == 0)
    #expect(folder.read("v1") == nil)
    #expect(command.run(["-d", "v1.swz", "--rm"]).status == 4)
    #expect(command.run(["-d", "v1.swz", "--base", "v0", "--rm"]).status == 0)
    #expect(folder.read("v1") == model(version: 1) && folder.read("v1.swz") == nil)
  }

  /// A folder against a folder, or the container of one: file by file of the same name.
  @Test(arguments: [1, 2]) func folders(threads: Int) {
    for (name, version) in [("step-1", 0), ("step-2", 1)] {
      folder.writeDeep(name + "/a.safetensors", model(version: UInt8(version)))
      folder.writeDeep(name + "/deep/b.safetensors", model(version: UInt8(version + 1)))
      folder.writeDeep(name + "/config.json", Array("{}".utf8))
    }
    folder.writeDeep("step-2/new", Command.sample(5000))
    #expect(command.run(["step-1", "-T\(threads)"]).status == 0)
    for base in ["step-1", "step-1.swz"] {
      let packed = command.run(["pack", "step-2", "--base", base, "-o", "d.swz", "-f", "-T\(threads)"])
      #expect(packed.status == 0)
      #expect((folder.read("d.swz") ?? []).count < 14_000)
      for needed in ["step-1", "step-1.swz"] {
        let target = base + needed
        #expect(command.run(["unpack", "d.swz", "--base", needed, "-o", target, "-T\(threads)"]).status == 0)
        #expect(folder.files(target) == folder.files("step-2"))
      }
    }
    #expect(command.run(["unpack", "d.swz", "-o", "x"]).status == 4)
    // File by file, and one file of it.
    #expect(
      command.run(["-r", "step-2", "--base", "step-1", "--output-dir", "r"]).status == 0)
    #expect((folder.read("r/a.safetensors.swz") ?? []).count < 3000)
    #expect(command.run(["step-2/a.safetensors", "--base", "step-1.swz", "-c"]).output.count < 3000)
    let one = command.run(["unpack", "d.swz", "--only", "deep/*", "--base", "step-1", "-c"])
    #expect(one.output == model(version: 2))
  }
}
