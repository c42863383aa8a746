import SwzipTestSupport
import Testing

@testable import SwzipCommand

struct PageTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  private static let hostile = [
    "<script>alert(1)</script>", "a\\\"><b c='", "</title></style></script>", "&amp;", "--><!--", "layer.1.<x>",
    "layer.2.<x>",
    "\\u202e\\u0000", "\u{1F9EE}模",
  ]

  /// A model of tensors of 16 KiB with these names, as JSON writes them.
  private func write(_ file: String, _ names: [String]) {
    let fields = names.enumerated().map { at, name in
      #""\#(name)":{"dtype":"BF16","shape":[64,128],"data_offsets":[\#(at << 14),\#((at + 1) << 14)]}"#
    }
    let header = Array("{\(fields.joined(separator: ","))}".utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(header.count) >> (8 * $0)) }
    folder.write(file, length + header + Command.sample(names.count << 14))
  }

  private func page(_ arguments: String...) -> String {
    let outcome = command.run(["inspect", "--html"] + arguments)
    #expect(outcome.status == 0 && outcome.errors == [])
    return outcome.text
  }

  /// The texts between tags of this name, in order.
  private func texts(_ tag: String, in page: String) -> [String] {
    page.split(separator: "<\(tag)").dropFirst().map { part in
      let inner = part.drop { $0 != ">" }.dropFirst()
      return String(inner.prefix { $0 != "<" })
    }
  }

  /// Every tag is closed where it should be, whatever names there are, and none of them is a tag.
  @Test func hostileNamesAreTextAndTagsAreClosed() {
    write("<b>&'.pt", Self.hostile)
    _ = command.run(["<b>&'.pt", "-o", "packed"])
    folder.makeFolder("<i>")
    write("<i>/<img src=x>", Self.hostile)
    _ = command.run(["<i>"])
    for file in ["<b>&'.pt", "packed", "<i>.swz"] {
      let page = page(file).replacing("<wbr>", with: "")
      // The script is no markup, and stands last.
      let body = page.split(separator: "<script>")[0]
      var open: [Substring] = []
      for part in body.split(separator: "<") {
        let tag = part.prefix { $0 != ">" }
        let name = tag.drop { $0 == "/" }.prefix { $0 != " " && $0 != "/" }
        if tag.hasPrefix("/") {
          #expect(open.popLast() == name)
        } else if !["!DOCTYPE", "meta"].contains(name), !tag.hasSuffix("/") {
          open.append(name)
        }
      }
      #expect(open == ["html", "body"])
      #expect(page.split(separator: "<script").count == 2)
      #expect(!page.contains("<b>") && !page.contains("<img") && !page.contains("<i>") && !page.contains("\u{202E}"))
      #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    }
  }

  @Test func markupIsText() {
    let words = "\"'<>&\u{1B}"
    #expect(("<a b=\"\(words)\">\(words)</a>" as HTML).text.split(separator: ">").count == 2)
    #expect(("\(words)" as HTML).text == "&quot;&#39;&lt;&gt;&amp;\\u{1b}")
    let name = String(repeating: "a.", count: 5000)
    #expect(HTML.name(name).text.replacing("<wbr>", with: "") == "<code>…\(name.suffix(255))</code>")
  }

  /// What `inspect --json` says of each tensor stands on the page once.
  @Test func everyTensorIsThereOnce() throws {
    let names = (0..<50).map { "blocks.\($0 / 5).w\($0 % 5)" }
    write("m", names)
    _ = command.run(["m"])
    for file in ["m", "m.swz"] {
      let page = page(file)
      let table = try #require(page.split(separator: "<section id=\"tensors\">").last.map(String.init))
      let rows = table.split(separator: "<tr>").dropFirst(2).map(String.init)
      #expect(rows.count == names.count)
      let shown = rows.map { row in
        row.split(separator: "</code>")[0].replacing(#/<[^>]*>/#, with: "") + " "
          + texts("td", in: row)[1].filter { $0 != "," }
      }
      let said = command.run(["inspect", "--json", file]).text
        .matches(of: #/"name":"(blocks[^"]*)"[^}]*"packed_bytes":(\d+)/#).map { "\($0.output.1) \($0.output.2)" }
      #expect(shown.sorted() == said.sorted())
    }
  }

  /// However many groups there are, their bars are all bytes.
  @Test(arguments: [0, 1, 40, 41, 1000]) func barsAddUp(count: Int) {
    let parts = (0..<count * 2).map {
      Inspection.Part(
        member: 0, offset: 0, byteCount: UInt64($0 * 7 + 1), packedByteCount: Double($0 * 3), elementType: "",
        codec: "codec \($0 / 2)")
    }
    let bars = SizeBar.groups(parts, by: \.codec)
    #expect(bars.byteCount == parts.byteCount && bars.packedByteCount == parts.packedByteCount)
    #expect(bars.count == min(count, 41))
    let largest = bars.prefix(40).map(\.packedByteCount)
    #expect(largest == largest.sorted(by: >))
  }

  @Test(
    arguments: [
      (0, "0"), (999, "999"), (1000, "1,000"), (45_403_340, "45,403,340"), (.max, "18,446,744,073,709,551,615"),
    ] as [(UInt64, String)])
  func counts(_ count: UInt64, _ text: String) { #expect(formatCount(count) == text) }

  @Test func theLayerIsTheFirstNumber() {
    write(
      "m",
      ["layer1.0.experts.3.w", "layer1.12.experts.4.w", "one.7.w"] + ["8", "9"].map { "a.9999999999999999999\($0)" })
    let page = page("m").replacing("<wbr>", with: "")
    #expect(texts("figcaption><code", in: page) == ["layer1.*"])
    #expect(texts("text", in: page) == ["0", "12"])
    #expect(page.contains("<code>layer1.*.experts.*.w</code> <small>2 × BF16, 64 × 128</small>"))
  }

  @Test func thePageGoesWhereItIsTold() {
    folder.write("m", Command.model(), mode: 0o600)
    let text = page("m")
    #expect(page("m", "-o", "page.html") == "" && folder.read("page.html") == Array(text.utf8))
    #expect(command.shell("stat -c %a page.html").text == "600\n")
    #expect(command.run(["inspect", "--html", "m", "-o", "page.html"]).status == 2)
    #expect(page("m", "-f", "-o", "page.html") == "")
    #expect(command.run(["inspect", "--html", "m", "-f", "-o", "m"]).status == 2)
    let shown = command.run(["inspect", "--html", "m"], output: .terminal)
    #expect(shown.status == 2 && shown.errors.first?.contains("a page is not written to a terminal") == true)
    #expect(folder.names == ["m", "page.html"])
  }
}
