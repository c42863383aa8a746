package import SwzipCore

/// Finds floats where no parser knows any, by their statistics: small windows are looked at, few where things go on as they
/// are, more where they change, and the ends of what is found are where most is saved. A function of the bytes alone.
package enum RawGuess {
  /// Shorter ranges are not worth the look, nor shorter regions.
  private static let leastBytes = Planner.leastBytes
  private static let mostRegions = 65_536

  /// What lies in `range`, which must lie in an input that can be read anywhere. Cost: a quarter of the bytes is read where
  /// types change, a 64th where they do not.
  package static func payloads(of input: some InputBytes, in range: Range<UInt64>) throws(SwzipError) -> [Payload] {
    guard range.upperBound - range.lowerBound >= 2 * leastBytes else { return [] }
    var search = RegionSearch(input, range)
    try search.run(most: mostRegions)
    return search.regions.map {
      Payload(offset: $0.start, byteCount: $0.end - $0.start, elementType: $0.reading.elementType)
    }
  }
}
