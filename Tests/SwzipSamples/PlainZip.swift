/// Makes zip files as most tools do: records one behind the other, their lengths in front.
package struct PlainZip {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  package init() {}

  /// A record that is not stored says that it is deflated; its data are no such thing.
  package mutating func add(_ name: String, _ data: [UInt8], isStored: Bool = true) {
    let common = number(20, 2) + number(0, 2) + number(isStored ? 0 : 8, 2) + number(0, 8) + number(data.count, 4)
    let fields = common + number(data.count, 4) + number(name.utf8.count, 2) + number(0, 2)
    directory += Array("PK\u{1}\u{2}".utf8) + number(20, 2) + fields + number(0, 10) + number(bytes.count, 4)
    directory += Array(name.utf8)
    bytes += Array("PK\u{3}\u{4}".utf8) + fields + Array(name.utf8) + data
    count += 1
  }

  /// The file, with its directory.
  package var finished: [UInt8] {
    bytes + directory + Array("PK\u{5}\u{6}".utf8) + number(0, 4) + number(count, 2) + number(count, 2)
      + number(directory.count, 4) + number(bytes.count, 4) + number(0, 2)
  }

  private func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * min($0, 7))) }
  }
}
