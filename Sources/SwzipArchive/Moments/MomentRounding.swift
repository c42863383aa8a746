internal import Swzip
internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// The files of a checkpoint as an archive is to keep them: moments of optimizers as a policy allows, all else as it is.
struct MomentRounding {
  let members: [PackMember]
  /// What is not as it was; nil where all is.
  private(set) var record: InexactRecord?
  private(set) var warnings: [String] = []

  /// Reads each file that has moments, to the end and the values twice.
  init(_ files: CheckpointFiles, _ policy: MomentPolicy) throws(SwzipError) {
    var members = files.files.members(storesTimes: true)
    var changed: [InexactRecord.File] = []
    if policy != .exact {
      var pairCount = 0
      for number in members.indices where members[number].linkPath == nil {
        let open = members[number].open
        let file = try RoundedFile(open(), policy)
        pairCount += file.pairCount
        warnings += file.warnings.map { "\(members[number].name.printable): \($0)" }
        guard file.tensorCount > 0 else { continue }
        let source = try open()
        changed.append(
          InexactRecord.File(
            name: members[number].name, sourceSHA256: try source.sha256(), tensorCount: file.tensorCount))
        members[number].open = { () throws(SwzipError) in
          RoundedSource(try open(), file.pairs, policy, patches: file.patches)
        }
      }
      if pairCount == 0 { warnings.append("no moments of an optimizer are known in it; it is kept exactly") }
    }
    self.members = members
    if !changed.isEmpty { record = InexactRecord(policy: policy.rawValue, files: changed) }
  }
}

/// What of a file is rounded.
private struct RoundedFile {
  private(set) var pairs: [MomentTensors.Pair] = []
  private(set) var patches: [RoundedSource.Patch] = []
  /// Of those that are known for moments.
  let pairCount: Int
  /// Tensors that change.
  private(set) var tensorCount: UInt64 = 0
  private(set) var warnings: [String] = []

  init(_ source: any RandomSource, _ policy: MomentPolicy) throws(SwzipError) {
    let tensors = try MomentTensors(source)
    pairCount = tensors.pairs.count
    var odd: [String] = []
    for pair in tensors.pairs {
      guard let changes = try Self.changes(pair, source, policy) else {
        odd.append(pair.name.printable)
        continue
      }
      guard changes.first || changes.second else { continue }
      tensorCount += (changes.first ? 1 : 0) + (changes.second ? 1 : 0)
      pairs.append(pair)
    }
    if let name = odd.first {
      let others = odd.count > 1 ? " and \(odd.count - 1) more" : ""
      warnings.append("\(name)\(others) stays exact: it is not all finite, or its exp_avg_sq is below zero")
    }
    let rounded = RoundedSource(source, pairs, policy)
    for number in Set(pairs.flatMap(tensors.records)).sorted() {
      let record = tensors.sums[number]
      let old = try source.checksum32(of: record.data).littleEndianBytes
      let new = try rounded.checksum32(of: record.data).littleEndianBytes
      // Where another sum stands, none was made.
      for place in record.places where try source.bytes(at: place, count: 4) == old {
        patches.append(RoundedSource.Patch(offset: place, bytes: new))
      }
    }
    patches.sort { $0.offset < $1.offset }
  }

  /// Which moments change; nil where a value is none of a moment.
  private static func changes(
    _ pair: MomentTensors.Pair, _ source: any RandomSource, _ policy: MomentPolicy
  ) throws(SwzipError) -> (first: Bool, second: Bool)? {
    var changes = (first: false, second: false)
    for start in stride(from: 0, to: pair.byteCount, by: 4 * RoundedSource.stepValues) {
      let count = Int(min(UInt64(RoundedSource.stepValues), (pair.byteCount - start) / 4))
      let firsts = try source.words(at: pair.first + start, count: count)
      let seconds = try source.words(at: pair.second + start, count: count)
      for index in 0..<count {
        let values = MomentPolicy.Pair(first: firsts[index], second: seconds[index])
        guard values.isOfMoments else { return nil }
        let kept = policy.kept(values)
        if kept.first != values.first { changes.first = true }
        if kept.second != values.second { changes.second = true }
      }
    }
    return changes
  }
}

extension RandomSource {
  /// CRC-32, as zip archives have it.
  fileprivate func checksum32(of range: Range<UInt64>) throws(SwzipError) -> UInt32 {
    var sum = CRC32()
    var position = range.lowerBound
    while position < range.upperBound {
      let bytes = try bytes(at: position, count: Int(min(1 << 20, range.upperBound - position)))
      sum.add(bytes)
      position += UInt64(bytes.count)
    }
    return sum.value
  }
}

extension UInt32 {
  fileprivate var littleEndianBytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
