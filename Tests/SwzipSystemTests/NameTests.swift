import SwzipNames
import Testing

/// Names as bytes.
struct NameTests {
  @Test func everyNameHasAStringOfItsOwn() {
    var state: UInt64 = 7
    func next(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % limit
    }
    let pieces: [[UInt8]] = [
      [0x41], [0xFF], [0x80], [0xC3, 0xA9], [0xC3], [0xE2, 0x82], [0xF4, 0x8F, 0xBE, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
      [0xF4, 0x8F], [0xF0, 0x9F, 0x98, 0x80], [0xED, 0xA0, 0x80], [0xC0, 0xAF], [0x2F], [0xCC, 0x81], [0xF5],
      [0xF4, 0x8F, 0xBD, 0xBF],
    ]
    var seen: [Exact: [UInt8]] = [:]
    for _ in 0..<4000 {
      let bytes = (0..<next(6)).flatMap { _ in pieces[next(pieces.count)] }
      let name = String(nameBytes: bytes)
      #expect(name.nameBytes == bytes)
      #expect(seen.updateValue(bytes, forKey: Exact(name)) ?? bytes == bytes)
      #expect(
        name.nameParts.map(\.nameBytes)
          == bytes.split(separator: 0x2F, omittingEmptySubsequences: false).map(Array.init))
    }
    #expect(String(nameBytes: Array("ü ✓".utf8)) == "ü ✓")
  }

  @Test func textsAreEqualByTheirBytes() {
    #expect("\u{E9}" == "e\u{301}" && Exact("\u{E9}") != Exact("e\u{301}"))
    #expect(Set(["\u{E9}", "e\u{301}", "e\u{301}"].map { Exact($0) }).count == 2)
    // A slash with a mark, and an end whose first character belongs to what stands before it.
    #expect("a/\u{301}/b".nameParts == ["a", "\u{301}", "b"])
    #expect("\u{600}.swz".withoutSuffix(".swz") == "\u{600}" && "x.swz\u{301}".withoutSuffix(".swz") == nil)
  }

  /// Sorting accents costs the square of their number: what is hashed or compared here is read once.
  @Test func marksCostNoMoreThanLetters() {
    let marks = String(String.UnicodeScalarView((0..<1_000_000).map { Unicode.Scalar(0x300 + UInt32($0 % 0x40))! }))
    #expect(Set([Exact("a" + marks), Exact("b" + marks), Exact("a" + marks)]).count == 2)
  }
}
