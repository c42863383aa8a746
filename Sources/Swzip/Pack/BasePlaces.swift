internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// Where in a base the bytes of a member's segments may be found: by names, which are hints, and by samples.
struct BasePlaces {
  /// Tensors of other names that are tried for one.
  private static let mostCandidates = 8
  /// Tensors of one type and size whose names are compared with one's.
  private static let mostAlike = 1024
  private static let sampleBytes: UInt64 = 1024

  private let source: any RandomSource
  /// Of the member in the container, and of the base in the member.
  private let (member, number): (Int, UInt64)
  private let rules: ReferenceRules
  /// Those of the source, ascending.
  private let tensors: [TensorRecord]
  private let baseTensors: [TensorRecord]
  /// Tensors of the base by name, by type, size and the hash of a sample, and by type and size.
  private let named: [Exact: Int32]
  private let sampled: [Key: Int32]
  private let alike: [Key: [Int32]]

  private struct Key: Hashable {
    let elementType: ElementType
    let byteCount: UInt64
    var sample: UInt64?

    init(_ tensor: TensorRecord) {
      elementType = tensor.elementType
      byteCount = tensor.byteCount
    }

    /// With a sample from the middle.
    init(_ tensor: TensorRecord, in source: any RandomSource) throws(SwzipError) {
      self.init(tensor)
      let count = min(byteCount, BasePlaces.sampleBytes)
      sample = xxh3(try source.bytes(at: tensor.offset + (byteCount - count) / 2, count: Int(count)))
    }
  }

  /// `rules`: know the member and its bases.
  init(
    _ source: any RandomSource, _ tensors: [TensorRecord], of member: Int, base: any RandomSource, number: Int,
    _ baseTensors: [TensorRecord], _ rules: ReferenceRules
  ) throws(SwzipError) {
    self.source = source
    (self.member, self.number) = (member, UInt64(number))
    self.rules = rules
    self.tensors = Self.sorted(tensors)
    let baseTensors = Self.sorted(baseTensors)
    self.baseTensors = baseTensors
    var (named, sampled, alike) = ([Exact: Int32](), [Key: Int32](), [Key: [Int32]]())
    named.reserveCapacity(baseTensors.count)
    for (index, tensor) in baseTensors.enumerated() {
      let index = Int32(truncatingIfNeeded: index)  // `Limits.tensors` fits
      if named[Exact(tensor.name)] == nil { named[Exact(tensor.name)] = index }
      sampled[try Key(tensor, in: base)] = index
      alike[Key(tensor), default: []].append(index)
    }
    (self.named, self.sampled, self.alike) = (named, sampled, alike)
  }

  /// By offset.
  private static func sorted(_ tensors: [TensorRecord]) -> [TensorRecord] {
    let isSorted = zip(tensors, tensors.dropFirst()).allSatisfy { $0.offset <= $1.offset }
    return isSorted ? tensors : tensors.sorted { $0.offset < $1.offset }
  }

  /// Ranges for a segment: in the tensor of the same name; else in one of equal bytes, as
  /// far as a sample tells, and in those of type and size whose names end most alike; else at its own place.
  func find(_ segment: SegmentRange) throws(SwzipError) -> [Reference] {
    var places: [Reference] = []
    func add(_ offset: UInt64) {
      let place = Reference.base(number: number, offset: offset)
      guard !places.contains(place), rules.allows(segment.derived(.copy(place)), of: member) else { return }
      places.append(place)
    }
    func add(_ tensor: TensorRecord, _ other: TensorRecord) {
      guard other.elementType == tensor.elementType, other.byteCount == tensor.byteCount else { return }
      let ahead = Int64(segment.offset) - Int64(tensor.offset)
      let (place, overflow) = Int64(other.offset).addingReportingOverflow(ahead)
      if !overflow, place >= 0 { add(UInt64(place)) }
    }
    if let tensor = tensor(in: segment) {
      if let other = named[Exact(tensor.name)] { add(tensor, baseTensors[Int(other)]) }
      if places.isEmpty {
        if let other = sampled[try Key(tensor, in: source)] { add(tensor, baseTensors[Int(other)]) }
        let others = nearby(tensor).map { ($0, Self.commonEnd($0.name, tensor.name)) }
        let nearest = others.sorted { ($0.1, $1.0.offset) > ($1.1, $0.0.offset) }.prefix(Self.mostCandidates)
        for (other, _) in nearest { add(tensor, other) }
      }
    }
    if places.isEmpty { add(segment.offset) }
    return places
  }

  /// Those of its type and size: of very many, those that lie nearest in the base.
  private func nearby(_ tensor: TensorRecord) -> [TensorRecord] {
    let all = alike[Key(tensor), default: []]
    let next = all.partitioningIndex { baseTensors[Int($0)].offset >= tensor.offset }
    let first = max(0, min(next - Self.mostAlike / 2, all.count - Self.mostAlike))
    return all[first..<min(all.count, first + Self.mostAlike)].map { baseTensors[Int($0)] }
  }

  /// Characters that two names have in common at their ends.
  private static func commonEnd(_ a: String, _ b: String) -> Int {
    zip(a.utf8.reversed(), b.utf8.reversed()).prefix { $0 == $1 }.count
  }

  /// The first tensor of the source that overlaps the segment.
  func tensor(in segment: SegmentRange) -> TensorRecord? {
    let first = tensors.partitioningIndex { $0.offset + $0.byteCount > segment.offset }
    return tensors[first...].first.flatMap { $0.offset < segment.end ? $0 : nil }
  }
}
