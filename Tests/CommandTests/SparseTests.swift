import SwzipTestSupport
import Testing

/// Blocks of zeros take no space on the disk, and every byte is right.
struct SparseTests {
  let command = Command()
  private var folder: TestFolder { command.folder }

  /// Runs of zeros of many lengths at odd places, some of them twice, and a long one at the end.
  private static let content: [UInt8] = {
    var bytes: [UInt8] = []
    for (index, count) in [1, 4095, 4096, 4097, 8191, 20_000, 70_000, 300_000].enumerated() {
      bytes += Command.sample(1000 + 777 * index) + [UInt8](repeating: 0, count: count)
    }
    return bytes + bytes + [UInt8](repeating: 0, count: 2_000_000)
  }()

  private func blocks(_ name: String) -> Int {
    let text = command.shell("stat -c %b \(name) 2>/dev/null || stat -f %b \(name)").text
    return Int(text.split(separator: "\n").first ?? "") ?? 0
  }

  @Test(arguments: ["", "--sparse", "--no-sparse"]) func files(_ option: String) {
    folder.write("a", SparseTests.content)
    folder.writeDeep("m/a", SparseTests.content)
    #expect(command.run(["a", "m"]).status == 0)
    // From a pipe, what occurs again is read from what was written.
    #expect(command.shell("swzip -d \(option) a.swz -o b && swzip -d \(option) - -o c <a.swz").status == 0)
    #expect(command.shell("swzip -d \(option) m.swz -o n && swzip -d \(option) - -o o <m.swz").status == 0)
    for name in ["b", "c", "n/a", "o/a"] {
      #expect(folder.read(name) == SparseTests.content, "\(name)")
      let isFull = blocks(name) * 512 >= SparseTests.content.count
      #expect(isFull == (option == "--no-sparse"), "\(name)")
    }
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097, 100_000]) func zerosAlone(_ count: Int) {
    folder.write("a", [UInt8](repeating: 0, count: count))
    #expect(command.shell("swzip a && swzip -d a.swz -o b && swzip -d - -o c <a.swz").status == 0)
    #expect(folder.read("b") == folder.read("a") && folder.read("c") == folder.read("a"))
  }
}
