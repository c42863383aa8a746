import SwzipTestSupport
import Testing

/// Which files exist after a run, for every option that has a say in it.
struct OptionTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let arguments: [String]
    let status: Int32
    /// Names that the run adds and removes.
    var adds: [String] = []
    var removes: [String] = []
    var environment: [String: String] = [:]

    init(
      _ line: String, _ status: Int32 = 0, adds: String = "", removes: String = "", environment: [String: String] = [:]
    ) {
      arguments = line.split(separator: " ").map(String.init)
      self.status = status
      self.adds = adds.split(separator: " ").map(String.init)
      self.removes = removes.split(separator: " ").map(String.init)
      self.environment = environment
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  static let packing: [Case] = [
    Case("a", adds: "a.swz"), Case("pack a", adds: "a.swz"), Case("-k a", adds: "a.swz"),
    Case("a b", adds: "a.swz b.swz"),
    Case("-1 a", adds: "a.swz"), Case("-9 a", adds: "a.swz"), Case("--fast a", adds: "a.swz"),
    Case("--best a", adds: "a.swz"),
    Case("-2 -9 -3 a", 64), Case("-19 a", 64), Case("-3 -3 a", adds: "a.swz"),
    Case("-T1 a", adds: "a.swz"), Case("-T 2 a", adds: "a.swz"),
    Case("-T0 a", adds: "a.swz"),
    Case("--threads 3 a", adds: "a.swz"), Case("-9 -T8 a", adds: "a.swz"), Case("-kq a", adds: "a.swz"),
    Case("-qq a", adds: "a.swz"),
    Case("-vv a", adds: "a.swz"), Case("a -o out", adds: "out"), Case("--output out a", adds: "out"), Case("-c a"),
    Case("--stdout a"), Case("a -o -"), Case("--no-verify a", adds: "a.swz"), Case("--sha256 a", adds: "a.swz"),
    Case("--format raw a", adds: "a.swz"), Case("--format auto a", adds: "a.swz"), Case("--json a", adds: "a.swz"),
    Case("--progress a", adds: "a.swz"), Case("--no-progress a", adds: "a.swz"),
    Case("--json --progress a", adds: "a.swz"),
    Case("--dry-run a b"), Case("--dry-run done", 2), Case("-- -odd", adds: "-odd.swz"),
    Case("./-odd", adds: "-odd.swz"),
    Case("done", 2), Case("-f done"), Case("-kf done"), Case("link", adds: "link.swz"),
    Case("empty", adds: "empty.swz"),
    Case("--rm a", adds: "a.swz", removes: "a"), Case("--rm a b", adds: "a.swz b.swz", removes: "a b"),
    Case("--rm a -o out", adds: "out", removes: "a"), Case("--rm -f done", removes: "done"), Case("--rm done", 2),
    Case("--rm link", 2), Case("--rm twin", 2), Case("--rm --no-verify a", 64), Case("--rm -k a", 64),
    Case("--rm -c a", 64),
    Case("--rm -", 64), Case("-c -o out a", 64), Case("-c a b", 64), Case("-o out a b", 64), Case("--json -c a", 64),
    Case("-d -t a", 64), Case("-T-1 a", 64), Case("-T x a", 64), Case("-o a a", 2), Case("-f -o a a", 2),
    Case("-f -o link a", 2), Case("-o folder a", 2), Case("-f -o folder a", 2), Case("-o folder/ a", 2),
    Case("-o none/x a", 1),
    Case("folder", 2), Case("-f folder", 2), Case("/dev/null", 2), Case("--rm -f /dev/null -o out", 2),
    Case("-f /dev/null -o out", adds: "out"),
    Case("missing", 1), Case("missing a", 1, adds: "a.swz"), Case("folder a missing", 1, adds: "a.swz"),
    Case("done a", 2, adds: "a.swz"), Case("- a", 64), Case("-", 0), Case("- -o out", adds: "out"),
    Case("--nonsense", 64),
    Case("a", adds: "a.swz", environment: ["SWZIP_LEVEL": "1", "SWZIP_THREADS": "2"]),
    Case("a", 64, environment: ["SWZIP_LEVEL": "12"]), Case("a", 64, environment: ["SWZIP_THREADS": "many"]),
    Case("-3 a", adds: "a.swz", environment: ["SWZIP_LEVEL": "12"]), Case("packed.swz", adds: "packed.swz.swz"),
  ]

  static let unpacking: [Case] = [
    Case("-d packed.swz", adds: "packed"), Case("unpack packed.swz", adds: "packed"),
    Case("-dk packed.swz", adds: "packed"),
    Case("-dc packed.swz"), Case("-d packed.swz -o out", adds: "out"), Case("-d packed.swz -o -"), Case("-d plain", 2),
    Case("-d plain -o out", adds: "out"), Case("-d --rm packed.swz", adds: "packed", removes: "packed.swz"),
    Case("unpack --rm packed.swz -o out", adds: "out", removes: "packed.swz"), Case("-d done.swz", 2),
    Case("-df done.swz"),
    Case("-d --dry-run packed.swz"), Case("-d --dry-run done.swz", 2), Case("-d broken.swz", 3),
    Case("-d --rm broken.swz", 3),
    Case("-d cut.swz", 3), Case("-d broken.swz packed.swz", 3, adds: "packed"), Case("-d missing.swz", 1),
    Case("-d a", 2),
    Case("-d a -o out", 3), Case("-dc packed.swz done.swz"), Case("-d packed.swz done.swz", 2, adds: "packed"),
    Case("-d --json packed.swz", adds: "packed"),
    Case("-t packed.swz"), Case("-t packed.swz done.swz"), Case("verify packed.swz"),
    Case("verify broken.swz packed.swz", 3),
    Case("-t cut.swz", 3), Case("-t a", 3), Case("-t missing", 1), Case("verify --json packed.swz"),
    Case("-t folder", 2),
    Case("-l packed.swz"), Case("list packed.swz done.swz"), Case("list -v packed.swz"), Case("list --json packed.swz"),
    Case("list a", 3), Case("list cut.swz", 3), Case("inspect packed.swz"), Case("inspect -v a"),
    Case("inspect --json a"),
    Case("cat packed.swz a.weight"), Case("cat packed.swz nothing", 2), Case("cat packed.swz --range 0:10"),
    Case("cat packed.swz --range 10:"), Case("cat packed.swz --range 10:9", 64),
    Case("cat packed.swz --range 0:999999999", 2),
    Case("cat packed.swz", 64), Case("cat packed.swz a.weight -o out", adds: "out"),
    Case("cat packed.swz a.weight -o a", 2),
    Case("cat packed.swz a.weight -f -o a"), Case("salvage packed.swz", adds: "packed.partial"),
    Case("salvage broken.swz", 3, adds: "broken.partial"), Case("salvage packed.swz -o a", 2),
    Case("salvage -f packed.swz -o a"),
    Case("bench a --rounds 1 --levels 3 -T 1"), Case("bench a --base b --rounds 1 --levels 3 -T 1"),
    Case("bench a --base missing --rounds 1 --levels 3 -T 1", 1),
    Case("bench a --kernels portable --rounds 1 --levels 3 -T 1"), Case("bench a --kernels mmx", 64),
    Case("bench a --kernels portable,", 64),
  ]

  @Test(arguments: packing) func packingLeaves(_ item: Case) { check(item) }

  @Test(arguments: unpacking) func unpackingLeaves(_ item: Case) { check(item) }

  private func check(_ item: Case) {
    let command = Command()
    let folder = command.folder
    for name in ["a", "b", "done", "-odd", "twin"] { folder.write(name, Command.model()) }
    folder.hardLink("twin2", to: "twin")
    folder.write("empty", [])
    folder.link("link", to: "a")
    folder.makeFolder("folder")
    let container = command.run(["-c", "a"]).output
    folder.write("packed.swz", container)
    folder.write("plain", container)
    folder.write("done.swz", container)
    folder.write("cut.swz", Array(container.dropLast(container.count / 2)))
    var broken = container
    if broken.count > 4000 { broken[broken.count / 2] ^= 0x40 }
    folder.write("broken.swz", broken)
    let before = contents(folder)
    // /dev/null is an empty stdin.
    let outcome = command.run(item.arguments, environment: item.environment)
    #expect(outcome.status == item.status, "\(outcome.errors)")
    #expect(folder.names == (before.keys + item.adds).filter { !item.removes.contains($0) }.sorted())
    // Nothing that was there is changed, but for outputs that -f replaces.
    for (name, bytes) in before where !item.removes.contains(name) && !isReplaced(name, item) {
      if name == "link", item.removes.contains("a") { continue }
      #expect(folder.read(name) ?? [] == bytes, "\(name) changed")
    }
    // Whatever fails says so in one line each; what succeeds says nothing alarming.
    if item.status != 0 { #expect(outcome.errors.contains { $0.hasPrefix("swzip: ") }) }
    for name in item.adds where name.hasSuffix(".swz") && !name.hasPrefix("packed") && item.status == 0 {
      #expect(command.run(["-dc", "--", name]).output == before[String(name.dropLast(4))] ?? before["a"])
    }
  }

  private func isReplaced(_ name: String, _ item: Case) -> Bool {
    let forced = item.arguments.contains { $0 == "-f" || $0 == "-kf" || $0 == "-df" }
    return forced && item.status == 0 && ["done", "done.swz", "a", "link"].contains(name)
  }

  private func contents(_ folder: TestFolder) -> [String: [UInt8]] {
    Dictionary(uniqueKeysWithValues: folder.names.map { ($0, folder.read($0) ?? []) })
  }
}
