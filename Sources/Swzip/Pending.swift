// Declarations that the command is written against and that are still to come. Each entry goes when the real one
// lands: SwzFile, SegmentPrediction, predict, SalvageReport, salvage, packBound, packBytes, unpackBytes.
public import SwzipCore

/// What the planner would do with a part of a file that is not packed, and what it expects of it.
public struct SegmentPrediction: Sendable {
  public var offset: UInt64
  public var byteCount: UInt64
  public var predictedByteCount: UInt64
  public var elementType: String
  public var codec: String
  /// The tensors that lie in the segment or begin in it.
  public var tensors: [SwzFile.Tensor]
}

public func predict(_ source: any InputSource, level: Int) throws(SwzipError) -> [SegmentPrediction] {
  throw SwzipError(.unsupported, .unknownCodec)
}

/// What could be saved of a damaged container.
public struct SalvageReport: Sendable {
  /// Ranges of the original that are lost; they are zero in the output.
  public var missing: [Range<UInt64>]
  public var recoveredByteCount: UInt64
  public var byteCount: UInt64
}

public func salvage(
  from source: any InputSource, to sink: any OutputSink
) throws(SwzipError) -> SalvageReport { throw SwzipError(.unsupported, .unknownCodec) }

