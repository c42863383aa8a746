internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// Where in a base the bytes of a segment may be found: by names, which are hints, and by samples.
struct BasePlaces {
  /// Tensors of other names that are tried for one.
  private static let mostCandidates = 8
  private static let sampleBytes: UInt64 = 1024

  private let source: any InputSource
  private let base: any InputSource
  /// Those of the source, ascending.
  private let tensors: [TensorRecord]
  /// Tensors of the base by name, by type, size and the hash of a sample, and by type and size.
  private let named: [Exact: TensorRecord]
  private let sampled: [Key: TensorRecord]
  private let alike: [Key: [TensorRecord]]

  private struct Key: Hashable {
    let elementType: ElementType
    let byteCount: UInt64
    var sample: UInt64?

    init(_ tensor: TensorRecord) {
      elementType = tensor.elementType
      byteCount = tensor.byteCount
    }

    /// With a sample from the middle.
    init(_ tensor: TensorRecord, in source: any InputSource) throws(SwzipError) {
      self.init(tensor)
      let count = min(byteCount, BasePlaces.sampleBytes)
      sample = xxh3(try source.bytes(at: tensor.offset + (byteCount - count) / 2, count: Int(count)))
    }
  }

  init(
    _ source: any InputSource, _ tensors: [TensorRecord], base: any InputSource, _ baseTensors: [TensorRecord]
  ) throws(SwzipError) {
    self.source = source
    self.base = base
    self.tensors = tensors.sorted { $0.offset < $1.offset }
    named = Dictionary(baseTensors.map { (Exact($0.name), $0) }) { first, _ in first }
    alike = Dictionary(grouping: baseTensors) { Key($0) }
    var sampled: [Key: TensorRecord] = [:]
    for tensor in baseTensors { sampled[try Key(tensor, in: base)] = tensor }
    self.sampled = sampled
  }

  /// Offsets for a segment: in the tensor of the same name; else in one of equal bytes, as
  /// far as a sample tells, and in those of type and size whose names end most alike; else at its own place.
  func find(_ segment: SegmentRange) throws(SwzipError) -> [UInt64] {
    var places: [UInt64] = []
    func add(_ tensor: TensorRecord, _ other: TensorRecord) {
      guard other.elementType == tensor.elementType, other.byteCount == tensor.byteCount else { return }
      let ahead = Int64(segment.offset) - Int64(tensor.offset)
      let (place, overflow) = Int64(other.offset).addingReportingOverflow(ahead)
      guard !overflow, place >= 0, !places.contains(UInt64(place)), fits(UInt64(place), segment) else { return }
      places.append(UInt64(place))
    }
    if let tensor = tensor(in: segment) {
      if let other = named[Exact(tensor.name)] { add(tensor, other) }
      if places.isEmpty {
        if let other = sampled[try Key(tensor, in: source)] { add(tensor, other) }
        let others = alike[Key(tensor), default: []].map { ($0, Self.commonEnd($0.name, tensor.name)) }
        let nearest = others.sorted { ($0.1, $1.0.offset) > ($1.1, $0.0.offset) }.prefix(Self.mostCandidates)
        for (other, _) in nearest { add(tensor, other) }
      }
    }
    if places.isEmpty, fits(segment.offset, segment) { places.append(segment.offset) }
    return places
  }

  /// Characters that two names have in common at their ends.
  private static func commonEnd(_ a: String, _ b: String) -> Int {
    zip(a.utf8.reversed(), b.utf8.reversed()).prefix { $0 == $1 }.count
  }

  private func fits(_ offset: UInt64, _ segment: SegmentRange) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(segment.byteCount))
    return !overflow && end <= base.byteCount ?? 0
  }

  /// The first tensor of the source that overlaps the segment.
  func tensor(in segment: SegmentRange) -> TensorRecord? {
    var (low, high) = (0, tensors.count)
    while low < high {
      let middle = (low + high) / 2
      if tensors[middle].offset + tensors[middle].byteCount <= segment.offset {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < tensors.count, tensors[low].offset < segment.end else { return nil }
    return tensors[low]
  }
}
