package import SwzipCore

/// Finds floats where no parser knows any: each stretch is judged by samples of its values.
package enum RawGuess {
  private static let stretchBytes = UInt64(Limits.segmentBytes)
  /// Shorter ranges are not worth the look.
  private static let leastBytes: UInt64 = 65_536
  private static let samples: UInt64 = 4
  private static let sampleBytes: UInt64 = 16_384

  /// What lies in `range`, which must lie in an input of known length.
  package static func payloads(of input: some InputBytes, in range: Range<UInt64>) throws(SwzipError) -> [Payload] {
    guard range.upperBound - range.lowerBound >= leastBytes else { return [] }
    let compressors = Compressors()
    var payloads: [Payload] = []
    var last: ElementGuess?
    for start in stride(from: range.lowerBound, to: range.upperBound, by: Int(stretchBytes)) {
      let end = min(start + stretchBytes, range.upperBound)
      let guess = ElementGuess(try sample(input, start..<end), by: compressors)
      defer { last = guess }
      guard let guess else { continue }
      let width = UInt64(guess.elementType.width)
      if guess == last {
        let first = payloads[payloads.count - 1].offset
        payloads[payloads.count - 1].byteCount = (end - first) / width * width
      } else {
        let previousEnd = payloads.last.map { $0.offset + $0.byteCount } ?? 0
        // Stretches are multiples of every width.
        var offset = start + UInt64(guess.phase)
        while offset < previousEnd { offset += width }
        payloads.append(
          Payload(offset: offset, byteCount: (end - offset) / width * width, elementType: guess.elementType))
      }
    }
    return payloads
  }

  /// Pieces from all over the stretch. Each begins at a multiple of every width, so that phases agree.
  private static func sample(_ input: some InputBytes, _ range: Range<UInt64>) throws(SwzipError) -> [UInt8] {
    var bytes: [UInt8] = []
    let step = max((range.upperBound - range.lowerBound) / samples, sampleBytes) & ~7
    for offset in stride(from: range.lowerBound, to: range.upperBound, by: Int(step)) {
      bytes += try input.bytes(at: offset, count: Int(min(sampleBytes, range.upperBound - offset)))
    }
    return bytes
  }
}
