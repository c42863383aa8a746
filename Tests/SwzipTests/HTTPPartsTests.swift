import SwzipSamples
import Testing

@testable import Swzip

/// Bodies of several parts: what is in them is found where it is, and nothing in one that is not right.
struct HTTPPartsTests {
  private static let data = Random.made(3000)

  private static func body(_ ranges: [Range<Int>]) -> [UInt8] {
    var body: [UInt8] = []
    for range in ranges {
      let place = "\(range.lowerBound)-\(range.upperBound - 1)/\(data.count)"
      body += Array("\r\n--a7\r\nContent-Type: x/y\r\nContent-Range: bytes \(place)\r\n\r\n".utf8) + data[range]
    }
    return body + Array("\r\n--a7--\r\n".utf8)
  }

  private static func ranges(_ random: inout Random) -> [Range<Int>] {
    (0..<(1 + random.below(4))).map { _ in
      let start = random.below(data.count)
      return start..<(start + 1 + random.below(data.count - start))
    }
  }

  @Test func partsAreFound() throws {
    var random = Random(1)
    for _ in 0..<200 {
      let ranges = Self.ranges(&random)
      let body = Self.body(ranges)
      let found = try #require(HTTPParts(body, boundary: "a7"))
      #expect(found.parts.count == ranges.count)
      for (range, part) in zip(ranges, found.parts) {
        #expect(part.part.range == UInt64(range.lowerBound)..<UInt64(range.upperBound))
        #expect(part.part.fileByteCount == UInt64(Self.data.count))
        #expect(body[part.place] == Self.data[range])
      }
    }
  }

  @Test func aBodyThatIsCutHasNone() {
    let body = Self.body([0..<64, 1000..<3000])
    let isRight = { (body: [UInt8], boundary: String) in HTTPParts(body, boundary: boundary) != nil }
    #expect(isRight(body, "a7") && !isRight(body, "a"))
    for count in 0..<(body.count - 4) { #expect(!isRight(Array(body.prefix(count)), "a7")) }
  }

  @Test func changedBodies() {
    var random = Random(2)
    for _ in 0..<5000 {
      var body = Self.body(Self.ranges(&random))
      for _ in 0...random.below(4) {
        let place = random.below(min(body.count, 200))
        body.replaceSubrange(place..<min(body.count, place + random.below(3)), with: random.bytes(random.below(3)))
      }
      for part in HTTPParts(body, boundary: "a7")?.parts ?? [] {
        #expect(body.indices.contains(part.place.lowerBound) && part.place.upperBound <= body.count)
        #expect(part.place.count == part.part.range.count && part.part.range.upperBound <= part.part.fileByteCount)
      }
    }
  }
}
