public import SwzipCore
internal import SwzipInputs

/// What packing would make of a part of a file.
public struct SegmentPrediction: Sendable {
  public var offset: UInt64
  public var byteCount: UInt64
  public var predictedByteCount: UInt64
  public var elementType: String
  public var codec: String
  /// The tensors that begin in the segment.
  public var tensors: [SwzFile.Tensor]
}

/// Predicts the sizes of a file's segments from one block of each, coded as packing would. Reads at most 300 KB a
/// segment of up to 8 MiB.
public func predict(_ source: any RandomSource, level: Int) throws(SwzipError) -> [SegmentPrediction] {
  var layouts = [try Layouts.find(ForwardInput(source, sha256: false), byteCount: source.byteCount, format: .automatic)]
  try Packer.markReferences(&layouts, MemberSources(source))
  let layout = layouts[0]
  let trial = try SegmentTrial(Effort(level: level))
  var tensors = layout.tensors[...]
  var predictions: [SegmentPrediction] = []
  for range in layout.segments {
    let end = range.offset + UInt64(range.byteCount)
    var mine: [SwzFile.Tensor] = []
    while let tensor = tensors.first, tensor.offset < end {
      mine.append(SwzFile.Tensor(tensor, member: 0))
      tensors.removeFirst()
    }
    let (predicted, codec) = try trial.byteCount(of: range, in: source)
    predictions.append(
      SegmentPrediction(
        offset: range.offset, byteCount: UInt64(range.byteCount), predictedByteCount: predicted,
        elementType: range.elementType.name, codec: codec.name, tensors: mine))
  }
  return predictions
}

extension SwzFile.Tensor {
  /// `fileOffset`: where the file begins in the record's member.
  init(_ record: TensorRecord, member: Int, fileOffset: UInt64 = 0) {
    self.init(
      name: record.name, elementType: record.elementType.name, shape: record.shape, member: member,
      offset: record.offset - fileOffset, byteCount: record.byteCount)
  }
}
