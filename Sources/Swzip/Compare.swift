public import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// How a tensor of one version of a file differs from that of the same name in another.
public struct TensorDifference: Sendable {
  @nonexhaustive public enum Change: String, Sendable {
    case equal, changed
    /// In the new version only, or in the old one only.
    case added, removed
    /// Of another type or size.
    case replaced
  }

  public var name: String
  public var elementType: String
  public var shape: [UInt64]
  public var byteCount: UInt64
  public var change: Change
  public var valueCount: UInt64 = 0
  public var changedCount: UInt64 = 0
  /// Changed values by how far they went, in units in the last place: item i counts 2^i to 2^(i + 1) - 1. Empty where
  /// values have no order: plain bytes, and block types, of which a value is a block.
  public var steps: [UInt64] = []
  /// What the tensor would take as differences, predicted; nil where that is not tried: of equal ones, and of those below
  /// `leastTriedBytes`.
  public var deltaByteCount: UInt64?

  /// A trial codes a block, which costs as much for a small tensor as for one of a block.
  public static let leastTriedBytes: UInt64 = 4096
}

/// Compares all tensors of two files by name, those of `new` first, in its order.
/// Cost: one pass over both, and a trial for each tensor that changed; memory is bounded.
public func compare(
  _ old: any RandomSource, _ new: any RandomSource, level: Int
) throws(SwzipError) -> [TensorDifference] {
  let (old, new) = (CachedSource(old), CachedSource(new))
  let comparison = try Comparison(old, new, level: level)
  let (before, after) = (try Layouts.find(old, .automatic), try Layouts.find(new, .automatic))
  var known: [Exact: Int] = [:]
  known.reserveCapacity(before.tensors.count)
  for (index, tensor) in before.tensors.enumerated() where known[Exact(tensor.name)] == nil {
    known[Exact(tensor.name)] = index
  }
  var isMet = [Bool](repeating: false, count: before.tensors.count)
  var differences: [TensorDifference] = []
  differences.reserveCapacity(after.tensors.count)
  for tensor in after.tensors {
    let index = known[Exact(tensor.name)]
    if let index { isMet[index] = true }
    differences.append(try comparison.difference(tensor, index.map { before.tensors[$0] }))
  }
  for tensor in before.tensors where !isMet[known[Exact(tensor.name)]!] {
    differences.append(TensorDifference(tensor, .removed))
  }
  return differences
}

/// Whether two files hold the same bytes. Reads both up to the first difference.
public func haveSameBytes(_ old: any RandomSource, _ new: any RandomSource) throws(SwzipError) -> Bool {
  let byteCount = old.byteCount
  guard byteCount == new.byteCount else { return false }
  let step = Limits.segmentBytes
  let (first, second) = (try Memory(step), try Memory(step))
  for position in stride(from: 0, to: byteCount, by: step) {
    let count = Int(min(UInt64(step), byteCount - position))
    let before = try unsafe Comparison.read(old, position, first, count)
    let after = try unsafe Comparison.read(new, position, second, count)
    guard unsafe equalBytes(before, after) else { return false }
  }
  return true
}

private struct Comparison {
  let old, new: any RandomSource
  private let trial: SegmentTrial
  private let scratch: EncodeScratch
  private let buffers: (Memory, Memory)
  private static let pieceBytes = 1 << 20
  private static let noSteps = (0...8).map { [UInt64](repeating: 0, count: 8 * $0) }

  init(_ old: any RandomSource, _ new: any RandomSource, level: Int) throws(SwzipError) {
    self.old = old
    self.new = new
    trial = try SegmentTrial(Effort(level: level))
    scratch = try EncodeScratch(blockValues: Self.pieceBytes)
    buffers = (try Memory(Self.pieceBytes), try Memory(Self.pieceBytes))
  }

  func difference(_ tensor: TensorRecord, _ other: TensorRecord?) throws(SwzipError) -> TensorDifference {
    guard let other else { return TensorDifference(tensor, .added) }
    guard other.elementType == tensor.elementType, other.byteCount == tensor.byteCount else {
      return TensorDifference(tensor, .replaced)
    }
    var difference = TensorDifference(tensor, .equal)
    let kind = DeltaKind(tensor.elementType)
    let width = tensor.elementType.width
    // Shared by those that are equal.
    if kind != nil { difference.steps = Self.noSteps[width] }
    let step = Self.pieceBytes / width * width
    for start in stride(from: 0, to: tensor.byteCount, by: step) {
      let count = Int(min(UInt64(step), tensor.byteCount - start))
      let base = try unsafe Self.read(old, other.offset + start, buffers.0, count)
      let values = try unsafe Self.read(new, tensor.offset + start, buffers.1, count)
      if unsafe equalBytes(values, base) { continue }
      difference.changedCount += unsafe DeltaKind.changes(
        values, base, width: width, kind: kind, steps: &difference.steps, scratch: scratch)
    }
    if difference.changedCount > 0 {
      difference.change = .changed
      if kind != nil, tensor.byteCount >= TensorDifference.leastTriedBytes {
        difference.deltaByteCount = try cost(tensor, other)
      }
    }
    return difference
  }

  static func read(
    _ source: any RandomSource, _ offset: UInt64, _ memory: Memory, _ count: Int
  ) throws(SwzipError) -> UnsafeRawBufferPointer {
    let target = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
    guard try unsafe source.read(at: offset, into: target) == count else { throw PlannedMember.changed }
    return UnsafeRawBufferPointer(target)
  }

  /// The tensor as segments of differences.
  private func cost(_ tensor: TensorRecord, _ other: TensorRecord) throws(SwzipError) -> UInt64 {
    var sum: UInt64 = 0
    let payload = Payload(tensor)
    let step = UInt64(Limits.segmentBytes / tensor.elementType.width * tensor.elementType.width)
    for start in stride(from: 0, to: tensor.byteCount, by: Int(step)) {
      let range = SegmentRange(
        offset: tensor.offset + start, byteCount: Int(min(step, tensor.byteCount - start)),
        elementType: tensor.elementType, rowLength: payload.rowLength)
      let delta = range.derived(.delta(.same, [.base(number: 0, offset: other.offset + start)]))
      sum += try trial.byteCount(of: delta, in: new, bases: [old]).byteCount
    }
    return sum
  }
}

extension TensorDifference {
  fileprivate init(_ tensor: TensorRecord, _ change: Change) {
    self.init(
      name: tensor.name, elementType: tensor.elementType.name, shape: tensor.shape, byteCount: tensor.byteCount,
      change: change, valueCount: tensor.byteCount / UInt64(tensor.elementType.width))
  }
}
