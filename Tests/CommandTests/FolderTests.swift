import SwzipCore
import SwzipNames
import SwzipSystem
import SwzipTestSupport
import Testing

@testable import SwzipCommand

/// Folders, packed as one and file by file.
struct FolderTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  /// A folder as training leaves it.
  private func makeTree() -> [String: [UInt8]] {
    let files: [String: [UInt8]] = [
      "model-00001-of-00002.safetensors": Command.model(), "model-00002-of-00002.safetensors": Command.model(),
      "model.safetensors.index.json": Array(#"{"weight_map":{}}"#.utf8), "config.json": Array("{}".utf8), "empty": [],
      "a b/ü ✓/tief": Command.sample(70_000), ".hidden/x": [1],
    ]
    for (name, bytes) in files { folder.writeDeep("m/" + name, bytes) }
    folder.setMode("m/empty", 0o400)
    folder.setMode("m/config.json", 0o755)
    folder.setTime("m/empty", seconds: -5, nanoseconds: 7)
    return files
  }

  @Test(arguments: [1, 2]) func roundTrip(threads: Int) throws {
    let files = makeTree()
    #expect(command.run(["m", "-T\(threads)"]).status == 0)
    #expect(command.run(["-t", "m.swz"]).status == 0)
    #expect(command.run(["-d", "m.swz", "-o", "file"]).status == 0)
    #expect(command.shell("swzip -d -o pipe <m.swz && cat m.swz | swzip unpack - -o pipe2").status == 0)
    for target in ["file", "pipe", "pipe2"] {
      #expect(folder.files(target) == files)
      for name in files.keys {
        let (one, two) = (try FileStatus.of(folder("m/" + name)), try FileStatus.of(folder(target + "/" + name)))
        #expect(one.permissions & ~0o022 == two.permissions & ~0o022 && one.modified == two.modified, "\(name)")
      }
    }
    #expect(folder.names == ["file", "m", "m.swz", "pipe", "pipe2"])
  }

  @Test func bytesDoNotDependOnThePlaceAndTheDay() {
    let files = makeTree()
    for name in files.keys.sorted().reversed() {
      folder.writeDeep("n/" + name, files[name] ?? [])
      folder.setTime("n/" + name, seconds: 5, nanoseconds: 0)
      folder.setTime("m/" + name, seconds: 6, nanoseconds: 0)
      folder.setMode("n/" + name, 0o644)
      folder.setMode("m/" + name, 0o644)
    }
    let (one, two) = (command.run(["--no-times", "-c", "m"]), command.run(["--no-times", "-c", "n", "-T2"]))
    #expect(one.status == 0 && one.output == two.output)
    #expect(command.run(["-c", "m"]).output != command.run(["-c", "n"]).output)
  }

  /// The cache of a hub: files named by their content, and snapshots of links to them.
  @Test func cacheOfAHub() {
    folder.writeDeep("hub/blobs/0a1b", Command.model())
    folder.writeDeep("hub/blobs/2c3d", Command.sample(100_000))
    folder.writeDeep("hub/snapshots/main/config.json", [])
    folder.link("hub/snapshots/main/model.safetensors", to: "../../blobs/0a1b")
    folder.link("hub/snapshots/main/data.bin", to: "../../blobs/2c3d")
    let packed = command.run(["hub"])
    #expect(packed.status == 0 && packed.errors.count == 1)
    #expect(command.run(["-d", "hub.swz", "-o", "out"]).status == 0)
    #expect(folder.files("out") == folder.files("hub"))
    let alone = command.run(["-c", "hub/blobs"]).output.count
    #expect((folder.read("hub.swz") ?? []).count < alone + 2000)
    let snapshot = command.run(["hub/snapshots/main", "-o", "s.swz"])
    #expect(snapshot.errors.contains { $0.contains("2 links lead outside the folder") })
    #expect(command.run(["-d", "s.swz"]).status == 0)
    #expect(folder.files("s") == folder.files("hub/snapshots/main"))
  }

  @Test func whatIsNoFileIsLeftOut() {
    folder.writeDeep("t/a/f", [1])
    folder.link("t/a/up", to: "../..")
    folder.link("t/a/self", to: "self")
    folder.link("t/a/nothing", to: "missing")
    folder.makePipe("t/a/pipe")
    folder.makeFolder("t/empty")
    let outcome = command.run(["t"])
    #expect(outcome.status == 0)
    #expect(outcome.errors.count { $0.contains("left out") } == 4, "\(outcome.errors)")
    #expect(command.run(["-d", "t.swz", "-o", "u"]).status == 0)
    // Its parent is outside and holds the folder again, down to where that would repeat.
    #expect(folder.files("u")["a/f"] == [1])
    #expect(folder.files("u").values.allSatisfy { $0 == [1] })
  }

  @Test func aNameThatCannotBePacked() {
    folder.writeDeep("t/" + String(repeating: "d/", count: 32) + "f", [1])
    let outcome = command.run(["t"])
    #expect(outcome.status == 2 && outcome.errors.count == 1)
    #expect(outcome.errors[0].contains("d/d/"))
    #expect(folder.names == ["t"])
  }

  // MARK: where it goes

  @Test func anExistingFolder() {
    let files = makeTree()
    #expect(command.run(["m"]).status == 0)
    #expect(command.run(["-d", "m.swz"]).status == 2)
    #expect(folder.files("m") == files)
    folder.writeDeep("t/other", [7])
    #expect(command.run(["-d", "m.swz", "-o", "t"]).status == 0)
    #expect(folder.files("t") == files.merging(["other": [7]]) { old, _ in old })
    folder.write("t/config.json", [9])
    #expect(command.run(["-d", "m.swz", "-o", "t"]).status == 2)
    #expect(folder.read("t/config.json") == [9])
    #expect(command.run(["-df", "m.swz", "-o", "t"]).status == 0)
    #expect(folder.files("t") == files.merging(["other": [7]]) { old, _ in old })
    folder.write("file", [1])
    #expect(command.run(["-df", "m.swz", "-o", "file"]).status == 2)
    #expect(folder.names == ["file", "m", "m.swz", "t"])
  }

  /// Links and files in the way, from a file and from a pipe, with -f and without.
  @Test(arguments: [false, true], [false, true]) func nothingOutsideTheTarget(isPipe: Bool, force: Bool) {
    folder.writeDeep("m/sub/deep/f", [1])
    folder.writeDeep("m/g", [2])
    folder.makeFolder("outside")
    folder.writeDeep("outside/victim", [3])
    #expect(command.run(["m"]).status == 0)
    let unpack = isPipe ? "cat m.swz | swzip unpack - -o t" : "swzip unpack m.swz -o t"
    for plant in [
      "ln -s ../outside t/sub", "ln -s \(folder("outside")) t/sub", "mkdir t/sub; ln -s ../../outside t/sub/deep",
      "touch t/sub", "mkdir t/g",
    ] {
      #expect(command.shell("rm -rf t; mkdir t; " + plant).status == 0)
      let before = folder.files("t").keys.sorted()
      let outcome = command.shell(unpack + (force ? " -f" : ""))
      #expect(outcome.status == 2 && outcome.errors.count == 1, "\(plant): \(outcome.errors)")
      #expect(folder.files("outside") == ["victim": [3]])
      #expect(folder.files("t").keys.sorted() == before)
    }
    // A link that is a file's own name is replaced, or refused, but never followed.
    #expect(command.shell("rm -rf t; mkdir t; ln -s ../outside/victim t/g").status == 0)
    #expect(command.shell(unpack + (force ? " -f" : "")).status == (force ? 0 : 2))
    #expect(folder.read("outside/victim") == [3])
    // The target itself may be a link.
    #expect(command.shell("rm -rf t; mkdir real; ln -s real t").status == 0)
    #expect(command.shell(unpack).status == 0)
    #expect(folder.files("real") == ["sub/deep/f": [1], "g": [2]])
  }

  @Test(arguments: [["a", "a"], ["x", "x/y"], ["x/y/z", "x"], ["../a"], ["/tmp/swzip-planted"], ["a/../../b"]])
  func hostileNames(_ names: [String]) throws {
    folder.write("h.swz", try FolderTests.crafted(names))
    folder.makeFolder("t")
    for line in ["swzip unpack h.swz -o t", "swzip unpack h.swz", "cat h.swz | swzip unpack - -o t"] {
      let outcome = command.shell(line)
      #expect(outcome.status == 3 && outcome.errors.count == 1, "\(outcome.errors)")
      #expect(folder.names == ["h.swz", "t"] && folder.files("t").isEmpty)
    }
    #expect(!TestFolder.exists("/tmp/swzip-planted"))
  }

  /// A container of empty files with any names.
  static func crafted(_ names: [String]) throws -> [UInt8] {
    var header = FileHeader()
    header.kind = .folder
    header.totalByteCount = 0
    var bytes = header.bytes
    var account = ContainerAccount()
    account.add(byteCount: bytes.count)
    for (number, name) in names.enumerated() {
      var member = MemberHeader()
      member.name = name
      member.byteCount = 0
      let frame = member.frame(number: number)
      account.beginMember(member, frameByteCount: frame.bytes.count, hash: frame.hash)
      account.endMember(byteCount: 0, checksum: try StreamChecksum().sum, sha256: [], tensors: [])
      bytes += frame.bytes
    }
    return bytes + (try account.index(header: header.bytes).bytes)
  }

  @Test(arguments: [1, 2, 3]) func damageLeavesNothing(part: Int) {
    _ = makeTree()
    #expect(command.run(["m"]).status == 0)
    var bytes = folder.read("m.swz") ?? []
    bytes[bytes.count * part / 4] ^= 1
    folder.write("b.swz", bytes)
    #expect(command.run(["-d", "b.swz"]).status == 3)
    folder.makeFolder("t")
    #expect(command.shell("cat b.swz | swzip unpack - -o t").status == 3)
    #expect(folder.names == ["b.swz", "m", "m.swz", "t"] && folder.files("t").isEmpty)
    #expect(command.run(["salvage", "b.swz"]).status == 3)
    #expect(TestFolder.isFolder(folder("b.partial")))
  }

  /// In the midst of the second file.
  @Test(arguments: [(15, "TERM"), (1, "HUP")]) func aSignalLeavesNothing(_ number: Int32, _ name: String) {
    folder.writeDeep("m/sub/big", Command.sample(24_000_000))
    folder.writeDeep("m/a", [1])
    #expect(command.run(["-1", "m"]).status == 0)
    folder.makePipe("pipe")
    let script = """
      '\(Command.program)' unpack - -o out <pipe & job=$!; exec 9>pipe; head -c 23000000 m.swz >&9
      for i in 1 2 3 4 5 6 7 8 9; do [ "$(find . -path './.swzip-*/sub/big' -size +1k)" ] && break; sleep 0.2; done
      [ "$(find . -path './.swzip-*/sub/big' -size +1k)" ] || exit 99; kill -\(name) $job; wait $job
      """
    let outcome = command.shell(script)
    #expect(outcome.status == 128 + number, "\(outcome.errors)")
    #expect(folder.names == ["m", "m.swz", "pipe"])
  }

  // MARK: parts

  @Test func onlySome() {
    let files = makeTree()
    #expect(command.run(["m"]).status == 0)
    #expect(command.run(["-dc", "m.swz"]).status == 2)
    #expect(command.run(["unpack", "-c", "m.swz", "--only", "*.safetensors"]).status == 2)
    #expect(command.run(["unpack", "-c", "m.swz", "--only", "tief"]).output == files["a b/ü ✓/tief"])
    #expect(command.run(["unpack", "m.swz", "--only", "nothing", "-o", "no"]).status == 2)
    let wanted = files.filter { $0.key.hasPrefix("model-00002") || $0.key.hasPrefix(".hidden/") }
    for line in ["swzip unpack m.swz -o", "cat m.swz | swzip unpack - -o"] {
      #expect(command.shell("rm -rf some; \(line) some --only '*-00002-*' --only '.hidden/*'").status == 0)
      #expect(folder.files("some") == wanted)
    }
    #expect(!folder.names.contains("no"))
  }

  @Test func catOfFilesAndTensors() {
    let files = makeTree()
    #expect(command.run(["m"]).status == 0)
    let name = "model-00002-of-00002.safetensors"
    let tensor = Array((files[name] ?? []).suffix(4160).prefix(4096))
    #expect(command.run(["cat", "m.swz", name + ":a.weight"]).output == tensor)
    #expect(command.run(["cat", "m.swz", "config.json", name]).output == Array("{}".utf8) + (files[name] ?? []))
    #expect(command.run(["cat", "m.swz", name, "--range", "8:20"]).output == Array((files[name] ?? [])[8..<20]))
    #expect(command.run(["cat", "m.swz", "a.weight"]).status == 2)
    #expect(command.run(["cat", "m.swz", name + ":nothing"]).status == 2)
    let listing = command.run(["list", "m.swz"]).text
    #expect(listing.split(separator: "\n").count == 2 + files.count)
    #expect(command.run(["list", "-v", "m.swz"]).text.contains("a.weight"))
    #expect(command.run(["list", "--json", "m.swz"]).text.contains(#""mode":"0755""#))
  }

  // MARK: file by file

  @Test func eachFileOnItsOwn() {
    let files = makeTree()
    let readable = ["model.safetensors.index.json", "config.json"]
    #expect(command.run(["-r", "m"]).status == 0)
    #expect(
      Set(folder.files("m").keys)
        == Set(files.keys).union(files.keys.filter { !readable.contains($0) }.map { $0 + ".swz" }))
    #expect(command.run(["-r", "m"]).status == 2)
    #expect(command.run(["-r", "--skip-existing", "m"]).status == 0)
    #expect(command.shell("find m -type f ! -name '*.swz' ! -name '*.json' -delete").status == 0)
    #expect(command.run(["unpack", "-r", "m", "--rm"]).status == 0)
    #expect(folder.files("m") == files)
    #expect(command.run(["-r", "m", "--output-dir", "packed/here"]).status == 0)
    for name in readable { #expect(folder.read("packed/here/" + name) == files[name]) }
    #expect(command.run(["unpack", "-r", "packed/here", "--output-dir", "back"]).status == 0)
    #expect(folder.files("back") == files)
    #expect(command.run(["m", "--output-dir", "whole"]).status == 0)
    #expect(command.run(["-d", "whole/m.swz", "--output-dir", "again"]).status == 0)
    #expect(folder.files("again/m") == files)
  }

  /// What loaders and hubs read by name is left alone where it is small, unless all files are wanted, or it is named.
  @Test func readableFiles() {
    let readable = [
      "config.json", "a/tokenizer.json", "vocab.txt", "merges.txt", "tokenizer.model", "source.spm", "README.md",
      "LICENSE",
      "modeling_own.py", "chat_template.jinja", ".gitattributes",
    ]
    let others = ["model.safetensors", "other.model", "data.jsonl", "txt", "config.json.bak"]
    var files: [String: [UInt8]] = [:]
    for name in readable + others { files[name] = Array("\(name) as it is\n".utf8) }
    for (name, bytes) in files { folder.writeDeep("m/" + name, bytes) }
    for (length, isPacked) in [(16 << 20, true), (16 << 20 - 1, false)] {
      folder.writeDeep("m/large.json", [UInt8](repeating: 0x20, count: length))
      let run = command.run(["-r", "m"])
      #expect(run.status == 0 && run.errors.first?.contains("--all-files") == true)
      let packed = Set(others).union(isPacked ? ["large.json"] : [])
      #expect(Set(folder.files("m").keys.compactMap { $0.withoutSuffix(".swz") }) == packed)
      _ = command.shell("rm m/*.swz")
    }
    #expect(command.shell("rm m/large.json").status == 0)
    #expect(command.run(["m/config.json", "-o", "named.swz"]).status == 0)

    #expect(command.run(["-r", "--all-files", "m", "--output-dir", "all"]).status == 0)
    #expect(Set(folder.files("all").keys) == Set(files.keys.map { $0 + ".swz" }))
    #expect(command.run(["unpack", "-r", "all", "--output-dir", "back"]).status == 0)
    #expect(folder.files("back") == files)
    // Packed in place, and both there: each file comes back once.
    #expect(command.run(["-r", "--all-files", "m"]).status == 0)
    #expect(command.run(["unpack", "-r", "m", "--output-dir", "once"]).status == 0)
    #expect(folder.files("once") == files)
  }

  @Test func includeAndExclude() {
    let files = makeTree()
    let chosen: ([String]) -> Set<String> = { arguments in
      _ = command.shell("rm -rf out p.swz")
      #expect(command.run(["m", "-o", "p.swz"] + arguments).status == 0)
      #expect(command.run(["-d", "p.swz", "-o", "out"]).status == 0)
      return Set(folder.files("out").keys)
    }
    #expect(chosen(["--include", "*.json"]) == ["config.json", "model.safetensors.index.json"])
    #expect(chosen(["--exclude", "m*"]) == Set(files.keys.filter { !$0.hasPrefix("m") }))
    #expect(chosen(["--exclude", ".hidden", "--exclude", "a b"]) == Set(files.keys.filter { !$0.contains("/") }))
    #expect(chosen(["--include", "x", "--include", "a b/*"]) == [".hidden/x", "a b/ü ✓/tief"])
    #expect(command.run(["m", "-o", "q", "--exclude", "*"]).status == 2)
  }

  /// The shards of a list are disjoint and together all of it, with or without what the others have done.
  @Test func shards() {
    _ = makeTree()
    for number in 0..<20 { folder.writeDeep("m/many/\(number)", [UInt8(number)]) }
    for shard in 1...3 {
      #expect(command.run(["-r", "m", "--shard", "\(shard)/3", "--output-dir", "s\(shard)"]).status == 0)
    }
    let parts = (1...3).map { Set(folder.files("s\($0)").keys) }
    #expect(command.run(["-r", "m", "--output-dir", "all"]).status == 0)
    #expect(parts.reduce(0) { $0 + $1.count } == folder.files("all").count)
    #expect(parts.reduce(Set()) { $0.union($1) } == Set(folder.files("all").keys))
    for wrong in ["0/3", "4/3", "1", "a/b", "1/0"] { #expect(command.run(["-r", "m", "--shard", wrong]).status == 64) }
  }

  @Test func listsOfFiles() {
    let files = makeTree()
    let list = files.keys.filter { $0.contains("/") }.map { "m/" + $0 }.sorted()
    folder.write("list", Array(list.joined(separator: "\n").utf8))
    #expect(command.run(["pack", "--files-from", "list", "--output-dir", "out"]).status == 0)
    #expect(Set(folder.files("out").keys) == Set(list.map { $0 + ".swz" }))
    #expect(command.shell("find m -name '*-0000*' -print0 | swzip pack --files-from - -0").status == 0)
    #expect(folder.files("m").keys.count { $0.hasSuffix(".swz") } == 2)
    #expect(command.run(["pack", "--files-from", "missing"]).status == 1)
    #expect(command.run(["pack", "-0", "m"]).status == 64)
  }

  @Test func limits() {
    _ = makeTree()
    #expect(command.run(["-M", "1M", "m"]).status == 75)
    #expect(command.run(["-M1G", "m", "-T8"]).status == 0)
    #expect(command.run(["-Mmuch", "m"]).status == 64)
    #expect(command.run(["--rm", "m", "-o", "x"]).status == 2)
    #expect(command.run(["-r", "m", "-o", "x"]).status == 64)
    #expect(command.run(["-d", "--rm", "m.swz", "-o", "moved"]).status == 0)
    #expect(folder.names == ["m", "moved"] && folder.files("moved") == folder.files("m"))
    // A header of 12 MiB: four times what it has beyond 8 MiB comes on top.
    let header = Array("{\"__metadata__\":{}".utf8) + [UInt8](repeating: 0x20, count: 12 << 20) + [0x7D]
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    folder.write("large", length + header)
    #expect(command.run(["-M80M", "-T1", "large"]).status == 75)
    #expect(command.run(["-M96M", "-T1", "large", "-o", "x"]).status == 0)
  }
}
