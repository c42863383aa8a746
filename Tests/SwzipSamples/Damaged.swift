/// Variants of a file as accidents make them: cut short anywhere, and with a few bytes changed, mostly near its ends, where
/// formats keep their structure.
package struct Damaged: Sequence, IteratorProtocol {
  /// Which variant `next` gave, for reports.
  package private(set) var what = ""
  private let bytes: [UInt8]
  private let step: Int
  private let edits: Int
  private var end = 0
  private var round = 0
  private var random: Random

  /// About `cuts` truncations, of small files all, then `edits` variants of the whole length.
  package init(_ bytes: [UInt8], cuts: Int = 300, edits: Int = 300) {
    self.bytes = bytes
    self.edits = edits
    step = Swift.max(1, bytes.count / cuts)
    random = Random(UInt64(bytes.count))
  }

  package mutating func next() -> [UInt8]? {
    if end < bytes.count {
      what = "cut at \(end)"
      defer { end += step }
      return Array(bytes[..<end])
    }
    guard round < edits, !bytes.isEmpty else { return nil }
    round += 1
    what = "edit \(round)"
    var edited = bytes
    for _ in 0...random.below(4) { edit(&edited) }
    return edited
  }

  /// Changes 1 to 8 bytes.
  private mutating func edit(_ edited: inout [UInt8]) {
    let near = random.below(Swift.min(edited.count, 6000))
    let place = [near, edited.count - 1 - near % 700 % edited.count, random.below(edited.count)][random.below(3)]
    let flipped = edited[place] ^ 1 << UInt8(random.below(8))
    let telling: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF, UInt8(random.below(256)), flipped]
    for index in edited[place...].prefix([1, 1, 2, 8][random.below(4)]).indices {
      edited[index] = telling[random.below(telling.count)]
    }
  }
}
