/// Makes zip files as torch's writer lays them out: records stored, aligned to 64 bytes, sizes behind them.
package struct ZipFile {
  package private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  package init() {}

  /// A torch file of this pickle and storages "0", "1", … of these bytes.
  package static func torch(pickle: [UInt8], storages: [[UInt8]]) -> [UInt8] {
    var file = ZipFile()
    file.add("archive/data.pkl", pickle)
    file.add("archive/.format_version", Array("1".utf8))
    for (key, storage) in storages.enumerated() { file.add("archive/data/\(key)", storage) }
    file.finish()
    return file.bytes
  }

  package mutating func add(_ name: String, _ data: [UInt8]) {
    let offset = bytes.count
    let hasDescriptor = !data.isEmpty
    let common = Self.number(hasDescriptor ? 0x0808 : 0x0800, 2) + Self.zeros(6)
    let padding = -(offset + 34 + name.utf8.count) & 63
    bytes += Array("PK\u{3}\u{4}".utf8) + Self.zeros(2) + common + Self.zeros(12)
    bytes += Self.number(name.utf8.count, 2) + Self.number(4 + padding, 2) + Array(name.utf8)
    bytes += Array("FB".utf8) + Self.number(padding, 2) + [UInt8](repeating: 0x5A, count: padding) + data
    let sizes = Self.zeros(4) + Self.number(data.count, 4) + Self.number(data.count, 4)
    if hasDescriptor { bytes += Array("PK\u{7}\u{8}".utf8) + sizes }
    directory += Array("PK\u{1}\u{2}".utf8) + Self.zeros(4) + common + sizes + Self.number(name.utf8.count, 2)
    directory += Self.zeros(12) + Self.number(offset, 4) + Array(name.utf8)
    count += 1
  }

  package mutating func finish() {
    let start = bytes.count
    bytes += directory + Array("PK\u{5}\u{6}".utf8) + Self.zeros(4) + Self.number(count, 2) + Self.number(count, 2)
    bytes += Self.number(directory.count, 4) + Self.number(start, 4) + Self.zeros(2)
  }

  private static func zeros(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  private static func number(_ value: Int, _ byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
