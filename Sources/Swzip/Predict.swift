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
/// segment of up to 8 MiB. Throws `notRandomAccess` for a pipe.
public func predict(_ source: any InputSource, level: Int) throws(SwzipError) -> [SegmentPrediction] {
  guard let byteCount = source.byteCount else { throw SwzipError(.refused, .notRandomAccess) }
  var layouts = [try Layouts.find(ForwardInput(source, sha256: false), byteCount: byteCount, format: .automatic)]
  try Packer.markReferences(&layouts, MemberSources(source))
  let layout = layouts[0]
  let worker = try PackWorker(verify: false, effort: Effort(level: level))
  let effort = Effort(level: level)
  var tensors = layout.tensors[...]
  var predictions: [SegmentPrediction] = []
  for range in layout.segments {
    let end = range.offset + UInt64(range.byteCount)
    var mine: [SwzFile.Tensor] = []
    while let tensor = tensors.first, tensor.offset < end {
      mine.append(SwzFile.Tensor(tensor, member: 0))
      tensors.removeFirst()
    }
    let (predicted, codec) = try predictSegment(range, source, effort: effort, worker: worker)
    predictions.append(
      SegmentPrediction(
        offset: range.offset, byteCount: UInt64(range.byteCount), predictedByteCount: predicted,
        elementType: range.elementType.name, codec: codec.name, tensors: mine))
  }
  return predictions
}

/// Codes a block from the middle of a segment and scales its size.
private func predictSegment(
  _ range: SegmentRange, _ source: any InputSource, effort: Effort, worker: PackWorker
) throws(SwzipError) -> (UInt64, CodecID) {
  var sample = range
  let unit = max(range.rowLength, 256) * range.elementType.width
  let most =
    (range.elementType.isBlock
      ? Limits.recordBlockBytes : Limits.writtenBlockValues(width: range.elementType.width) * range.elementType.width)
    / unit
    * unit
  sample.byteCount = min(range.byteCount, max(most, unit))
  sample.offset += UInt64((range.byteCount - sample.byteCount) / 2 / unit * unit)
  if let cast = range.castOf {
    let values = (sample.offset - range.offset) / UInt64(range.elementType.width)
    sample.castOf?.offset = cast.offset + values * UInt64(cast.elementType.width)
  }
  let bytes = try source.bytes(at: sample.offset, count: sample.byteCount)
  let memory = try Memory(bytes.count)
  unsafe memory.bytes.copyBytes(from: bytes)
  let plan = try unsafe SegmentPlan(sample, memory.prefix(bytes.count), effort: effort, scratch: worker.scratch)
  let frame = try Memory(plan.frameBound + Limits.slack)
  var packed = 0
  for block in 0..<plan.blockCount {
    let part = unsafe UnsafeRawBufferPointer(rebasing: memory.prefix(bytes.count)[plan.bytes(ofBlock: block)])
    packed += try unsafe worker.encode(plan, block, part, castSource: source, into: frame.bytes).frameByteCount
  }
  let scaled = UInt64(packed) * UInt64(range.byteCount) / UInt64(sample.byteCount)
  return (scaled + UInt64(plan.header.frame(number: 0).bytes.count), CodecID(rawValue: plan.header.codec) ?? .bytes)
}

extension SwzFile.Tensor {
  init(_ record: TensorRecord, member: Int) {
    self.init(
      name: record.name, elementType: record.elementType.name, shape: record.shape, member: member,
      offset: record.offset, byteCount: record.byteCount)
  }
}
