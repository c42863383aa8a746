internal import SwzipCore

/// A member that is planned given bases, open to try what its segments take.
struct OpenMember {
  /// In the container.
  let number: Int
  let source: any RandomSource
  /// By number.
  let bases: [any RandomSource]
  /// The tensors of each.
  let baseTensors: [[TensorRecord]]
  /// Of what is in each base.
  let places: [BasePlaces]
  let trial: SegmentTrial

  /// The base that a reference names.
  func base(of reference: Reference) -> any RandomSource { bases[Int(reference.baseNumber!)] }

  func byteCount(of range: SegmentRange) throws(SwzipError) -> UInt64 {
    try trial.byteCount(of: range, in: source, bases: bases).byteCount
  }

  /// Without a base: of what another file of the container may determine half of, the lower halves.
  func byteCountAlone(of range: SegmentRange) throws(SwzipError) -> UInt64 {
    range.isWidened ? UInt64(range.byteCount / 2) : try byteCount(of: range)
  }
}
