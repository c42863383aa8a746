import SwzipCore
import SwzipSystem
import SwzipTestSupport
import Testing

@testable import SwzipCommand

/// Files of any name that the system can create.
struct NameTests {
  let command = Command()
  private var folder: TestFolder { command.folder }
  /// The shell's word for a name that is no UTF-8.
  private static let bad = #"$(printf 'b\377d\364\217\277\277.pt')"#

  @Test func aFileWhoseNameIsNoUTF8() {
    folder.write("model", Command.sample(5000))
    let script = """
      n="\(Self.bad)"; cp model "$n" && swzip "$n" && rm "$n" && swzip -l "$n.swz" && swzip -t "$n.swz" &&
      swzip -d "$n.swz" && cmp model "$n" && swzip "$n" -o "o$n" && swzip "$n" --output-dir "dir$n" &&
      cmp "o$n" "dir$n/$n.swz" && printf '%s\\0' "$n" >list && swzip pack -0 --files-from list --output-dir fromlist &&
      cmp "o$n" "fromlist/$n.swz" && printf x >>model && swzip model --base "$n" -o delta && rm model &&
      swzip list -v delta && swzip -d delta -o model --base "$n" && swzip pack --rm "$n" -f && test ! -e "$n"
      """
    let outcome = command.shell(script.replacing("\n", with: " "))
    #expect(outcome.status == 0, "\(outcome.errors)")
    #expect(outcome.text.contains(#"b\xffd\xf4\x8f\xbf\xbf.pt.swz"#))
    #expect(outcome.errors.contains { $0.hasPrefix(#"b\xffd\xf4\x8f\xbf\xbf.pt : "#) })
    let missing = command.shell(#"swzip pack --json "$(printf 'no\376')""#)
    #expect(missing.status == 1 && missing.errors == [#"swzip: no\xfe: no such file; check the name"#])
    #expect(missing.text.contains(#""path":"no\\xfe""#))
    let wrong = command.shell(#"swzip pack --no"$(printf '\033\376')" x"#)
    #expect(wrong.status == 64 && wrong.errors.count == 1 && wrong.errors[0].contains(#"\u{1b}\xfe"#))
  }

  /// Two names that are one as characters are two files, in each of two folders.
  @Test func foldersAreComparedByTheBytesOfNames() {
    for folder in ["old", "new"] {
      self.folder.writeDeep(folder + "/\u{E9}", [1])
      self.folder.writeDeep(folder + "/e\u{301}", [folder == "old" ? 2 : 3])
    }
    _ = command.run(["new"])
    for new in ["new", "new.swz"] {
      #expect(command.run(["diff", "old", new]).text.hasSuffix("1 files equal, 1 changed\n"))
    }
  }

  /// Names that some systems cannot create or take for one: all are packed, with a line on each kind, and come back.
  @Test(arguments: ["swzip -d m.swz -o out", "cat m.swz | swzip -d -o out"]) func foldersOfAnyNames(_ unpack: String) {
    let names = [
      "a:b", "a\\b", "NUL", "aux.bin", "x.", "y ", "new\nline", "tab\t", "\u{1B}[31m", "que?*", "A", "a", "\u{E9}",
      "e\u{301}", "ſ", "s", "Größe", "GRÖSSE", "/\u{301}sub/\u{338}f", "\u{600}.swz",
    ]
    for (number, name) in names.enumerated() { folder.writeDeep("m/" + name, [UInt8(number)]) }
    _ = command.shell(
      #"printf 1 >"m/$(printf '\200\201')"; mkdir "m/$(printf 'd\377')"; printf 2 >"m/$(printf 'd\377')/f""#)
    let packed = command.run(["m"])
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(packed.errors.count { $0.contains("warning") } == 2, "\(packed.errors)")
    #expect(!packed.errors.joined().contains("\u{1B}"))
    let unpacked = command.shell(unpack)
    #expect(unpacked.status == 0, "\(unpacked.errors)")
    #expect(command.shell("diff -r m out").status == 0)
    #expect(
      command.shell(
        #"swzip unpack m.swz -o one --only "$(printf 'd\377/f')" && diff -r "m/$(printf 'd\377')" "one/$(printf 'd\377')""#
      ).status == 0)
    #expect(command.run(["cat", "m.swz", "e\u{301}"]).output == [13])
    #expect(command.run(["list", "m.swz"]).text.contains(#"\x80\x81"#))
    #expect(command.run(["-r", "m", "--output-dir", "each"]).status == 0)
    #expect(command.run(["unpack", "-r", "each", "--output-dir", "back"]).status == 0)
    // A container's name is taken from its file as any other: that one was left alone.
    _ = command.shell("cp m/*.swz back/")
    #expect(command.shell("diff -r m back").status == 0)
  }

  /// A slash with a mark on it parts names as any other.
  @Test func marksHideNoSlash() throws {
    folder.write("h.swz", try FolderTests.crafted(["sub/\u{338}planted", "sub/\u{301}/deeper"]))
    folder.makeFolder("outside")
    folder.makeFolder("t")
    folder.link("t/sub", to: "../outside")
    for line in ["swzip unpack h.swz -o t -f", "cat h.swz | swzip unpack - -o t -f"] {
      #expect(command.shell(line).status == 2)
      #expect(folder.files("outside").isEmpty)
    }
  }

  @Test func exactNamesThatLookLikePatterns() {
    folder.writeDeep("g/Model (v1) [final].pt", [1])
    folder.writeDeep("g/deep/[x]*?\\", [2])
    folder.writeDeep("g/x", [3])
    #expect(command.run(["g"]).status == 0)
    for (only, expected) in [
      ("Model (v1) [final].pt", ["Model (v1) [final].pt"]), ("deep/[x]*?\\", ["deep/[x]*?\\"]),
      ("[x]*?\\", ["deep/[x]*?\\"]), ("[x]", ["x"]), ("*", ["Model (v1) [final].pt", "deep/[x]*?\\", "x"]),
    ] {
      _ = command.shell("rm -rf o")
      #expect(command.run(["unpack", "g.swz", "-o", "o", "--only", only]).status == 0)
      #expect(folder.files("o").keys.sorted() == expected, "\(only)")
    }
    #expect(command.run(["cat", "g.swz", "Model (v1) [final].pt"]).output == [1])
    for option in ["--include", "--exclude"] {
      #expect(command.run(["g", "-o", "i.swz", "-f", option, "[x]*?\\"]).status == 0)
      #expect(command.run(["list", "i.swz"]).text.contains("[x]*?") == (option == "--include"))
    }
  }

  /// FILE:TENSOR where files have colons too.
  @Test func catWithColons() {
    folder.writeDeep("m/model:v3", Command.model())
    folder.writeDeep("m/other", Command.model())
    folder.writeDeep("m/model", Command.model())
    folder.writeDeep("m/model:a.weight", [7])
    #expect(command.run(["m"]).status == 0)
    let tensor = Array(Command.model().suffix(4160).prefix(4096))
    #expect(command.run(["cat", "m.swz", "other:a.weight"]).output == tensor)
    #expect(command.run(["cat", "m.swz", "other:nothing"]).status == 2)
    #expect(command.run(["cat", "m.swz", "model:v3"]).output == Command.model())
    #expect(command.run(["cat", "m.swz", "model:a.weight"]).output == [7])
    #expect(command.run(["cat", "m.swz", "model:b.bias"]).output.count == 64)
  }

  /// Two tensors whose names look alike are two.
  @Test func tensorsByTheBytesOfTheirNames() {
    var header =
      "{\"\u{E9}\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},\"e\u{301}\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}"
    while header.utf8.count % 8 != 0 { header += " " }
    let length = UInt64(header.utf8.count)
    let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
    folder.write("two", start + [1, 2, 3, 4])
    folder.write("new", start + [1, 2, 3, 5])
    #expect(command.run(["two"]).status == 0)
    #expect(command.run(["list", "-v", "two.swz"]).text.contains("e\u{301}"))
    #expect(command.run(["cat", "two.swz", "\u{E9}"]).output == [1, 2])
    #expect(command.run(["cat", "two.swz", "e\u{301}"]).output == [3, 4])
    #expect(command.run(["diff", "two", "new"]).text.contains("1 tensors equal, 1 changed"))
  }
}
