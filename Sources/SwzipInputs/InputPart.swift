internal import SwzipCore

/// A part of an input as an input of its own: a record of an archive.
struct InputPart: InputBytes {
  private let whole: any InputBytes
  private let range: Range<UInt64>
  /// Archives around it.
  let depth: Int

  /// `range` must lie in the input, whose length is known.
  init(_ whole: some InputBytes, _ range: Range<UInt64>) {
    if let part = whole as? InputPart {
      self.whole = part.whole
      let start = part.range.lowerBound
      self.range = (start + range.lowerBound)..<(start + range.upperBound)
      depth = part.depth + 1
    } else {
      self.whole = whole
      self.range = range
      depth = 1
    }
  }

  var byteCount: UInt64? { range.upperBound - range.lowerBound }

  func peek(_ count: Int) throws(SwzipError) -> [UInt8] { try bytes(at: 0, count: count) }

  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    let length = range.upperBound - range.lowerBound
    guard offset < length else { return [] }
    return try whole.bytes(at: range.lowerBound + offset, count: Int(min(UInt64(count), length - offset)))
  }
}

extension FileMap {
  /// Archives in archives at most, and the smallest file in one that is looked into.
  private static let mostDepth = 3
  private static let leastFileBytes: UInt64 = 512

  /// Adds what a file in an archive holds, if it is a model itself.
  mutating func addFile(_ name: String, in whole: some InputBytes, _ range: Range<UInt64>) throws(SwzipError) {
    guard range.upperBound - range.lowerBound >= Self.leastFileBytes else { return }
    let part = InputPart(whole, range)
    guard part.depth <= Self.mostDepth else { return }
    let start = try part.peek(Formats.sniffBytes)
    for format in Formats.all where format.recognises(start) {
      guard let file = try format.map(part) else { continue }
      return add(file, at: range.lowerBound, prefix: name)
    }
  }
}
