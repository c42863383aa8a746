import SwzipTestSupport
import Testing

@testable import SwzipCommand

struct FormatTests {
  @Test(
    arguments: [
      (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (1_048_524, "1023.9 KiB"),
      (1_048_575, "1.0 MiB"),
      (45_403_340, "43.3 MiB"), (1 << 40, "1.0 TiB"), (.max, "16.0 EiB"),
    ] as [(UInt64, String)])
  func sizes(_ count: UInt64, _ text: String) { #expect(formatSize(count) == text) }

  @Test(
    arguments: [
      (1_100_000_000, 1, "1.1 GB/s"), (999_499_999, 1, "999 MB/s"), (999_500_000, 1, "1.0 GB/s"), (1, 1, "0 kB/s"),
      (1, 0, "-"),
    ] as [(UInt64, Double, String)])
  func rates(_ count: UInt64, _ seconds: Double, _ text: String) {
    #expect(formatRate(count, seconds: seconds) == text)
  }

  @Test(
    arguments: [
      (0, "0:00"), (0.2, "0:01"), (59.5, "1:00"), (61, "1:01"), (3599.1, "1:00:00"), (36000, "10:00:00"),
      (1e300, "999:59:59"),
    ] as [(Double, String)])
  func durations(_ seconds: Double, _ text: String) { #expect(formatDuration(seconds) == text) }

  @Test(
    arguments: [
      (0, 1, "0.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-1.25, 2, "-1.25"), (66.2, 0, "66"),
      (0.0000001, 6, "0.000000"),
    ] as [(Double, Int, String)])
  func numbers(_ value: Double, _ places: Int, _ text: String) { #expect(fixed(value, places: places) == text) }

  @Test func ratios() {
    #expect(formatRatio(287, of: 433) == "66.3%")
    #expect(formatRatio(1, of: 0) == "-")
  }

  @Test(
    arguments: [
      ("model.safetensors", 1 << 20, 4 << 20, 2.0, "model.safetensors : 25%  1.0 MiB of 4.0 MiB  524 kB/s  ETA 0:06"),
      ("a", 4 << 20, 4 << 20, 2.0, "a : 100%  4.0 MiB of 4.0 MiB  2 MB/s"),
      ("a", 1 << 20, nil, 2.0, "a : 1.0 MiB  524 kB/s"),
    ] as [(String, UInt64, UInt64?, Double, String)])
  func progress(_ name: String, _ done: UInt64, _ total: UInt64?, _ seconds: Double, _ text: String) {
    #expect(Progress.line(name: name, done: done, total: total, seconds: seconds) == text)
  }

  @Test func progressFitsALine() {
    let name = String(repeating: "long/", count: 40) + "model.safetensors"
    let line = Progress.line(name: name, done: 1 << 30, total: 100 << 30, seconds: 10)
    #expect(line.unicodeScalars.count == 79)
    #expect(line.hasPrefix("…"))
    #expect(line.contains("model.safetensors : 1%"))
  }

  @Test func tablesAlign() {
    var table = Table([("A", .left), ("LONGER", .right), ("C", .left)])
    table.add(["one", "1", "x"])
    table.addGap()
    table.add(["e", "22222222", ""])
    #expect(table.text(Style()) == "A      LONGER  C\none         1  x\n\ne    22222222\n")
  }

  /// On a terminal lines are no wider than that, by the names, of which the ends stay; in files they are whole.
  @Test func namesFitTheTerminal() {
    let command = Command()
    let name = String(repeating: "model.layers.", count: 10) + "weight"
    var header = #"{"\#(name)":{"dtype":"BF16","shape":[64,32],"data_offsets":[0,4096]}}"#
    while header.utf8.count % 8 != 0 { header += " " }
    let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(header.utf8.count) >> (8 * $0)) }
    command.folder.write("m", length + Array(header.utf8) + Command.sample(4096))
    #expect(command.run(["m"]).status == 0)
    for arguments in [
      ["inspect", "m"], ["inspect", "m.swz"], ["list", "-v", "m.swz"], ["diff", "-a", "m", "m.swz"],
    ] {
      #expect(command.run(arguments).text.contains(name))
      let shown = command.run(arguments, output: .terminal, environment: ["COLUMNS": "100", "NO_COLOR": "1"]).terminal
      let lines = shown.split { $0.isNewline }
      let line = lines.first { $0.contains("BF16") && $0.contains("…") }
      #expect(line?.contains("layers.weight") == true && (line?.count ?? 200) <= 100, "\(arguments): \(shown)")
    }
  }

  @Test(
    arguments: [
      (CommandStatus.success, .refused), (.refused, .temporary), (.temporary, .usage), (.usage, .newer),
      (.newer, .base),
      (.base, .failed), (.failed, .damaged), (.damaged, .brokenPipe),
    ] as [(CommandStatus, CommandStatus)])
  func gravity(_ lighter: CommandStatus, _ graver: CommandStatus) { #expect(max(lighter, graver) == graver) }

  @Test(
    arguments: [("0:10", 0, 10), (":10", 0, 10), ("5:", 5, nil), (":", 0, nil), ("7:7", 7, 7)]
      as [(String, UInt64, UInt64?)])
  func ranges(_ text: String, _ from: UInt64, _ to: UInt64?) throws {
    let range = try Cat.parse(text)
    #expect(range.from == from && range.to == to)
  }

  @Test(arguments: ["", "1", "1:2:3", "2:1", "-1:2", "a:b", "0x1:2"]) func badRanges(_ text: String) {
    #expect(throws: (any Error).self) { try Cat.parse(text) }
  }
}
