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
  public var tensors: [Container.Tensor]
}

/// Predicts the sizes of a file's segments from one block of each, coded as packing would. Reads at most 300 KB a
/// segment of up to 8 MiB.
public func predict(_ source: any RandomSource, level: Int) throws(SwzipError) -> [SegmentPrediction] {
  var options = PackOptions()
  options.level = level
  let plan = try PackPlan.file(source, options)
  let layout = plan.members[0].layout
  var tensors = layout.tensors[...]
  var predictions: [SegmentPrediction] = []
  for (range, estimate) in zip(layout.segments, try plan.estimate(ofMember: 0, level: level)) {
    var mine: [Container.Tensor] = []
    while let tensor = tensors.first, tensor.offset < range.end {
      mine.append(Container.Tensor(tensor, member: 0))
      tensors.removeFirst()
    }
    predictions.append(
      SegmentPrediction(
        offset: range.offset, byteCount: UInt64(range.byteCount), predictedByteCount: estimate.byteCount,
        elementType: range.elementType.name, codec: estimate.codec.name, tensors: mine))
  }
  return predictions
}

/// About what `pack(from:)` would write, predicted as above.
public func predictedByteCount(
  _ source: any RandomSource, bases: [PackBase] = [], options: PackOptions
) throws(SwzipError) -> UInt64 {
  try PackPlan.file(source, bases: bases, options).predictedByteCount(level: options.level)
}

/// About what `pack(members:)` would write, predicted as above.
public func predictedByteCount(members: [PackMember], options: PackOptions) throws(SwzipError) -> UInt64 {
  try PlannedFolder(members, options).predictedByteCount()
}

extension PackPlan {
  func predictedByteCount(level: Int) throws(SwzipError) -> UInt64 {
    var sum = UInt64(FileHeader.byteCount + Trailer.byteCount)
    for number in members.indices {
      for part in try estimate(ofMember: number, level: level) { sum += part.byteCount }
    }
    return sum
  }
}

extension Container.Tensor {
  /// `fileOffset`: where the file begins in the record's member.
  init(_ record: TensorRecord, member: Int, fileOffset: UInt64 = 0) {
    self.init(
      name: record.name, elementType: record.elementType.name, shape: record.shape, member: member,
      offset: record.offset - fileOffset, byteCount: record.byteCount)
  }
}
