internal import Swzip
internal import SwzipCore

/// A file whose moments are rounded as a policy says: a function of the file's bytes alone, wherever it is read.
final class RoundedSource: RandomSource {
  /// A moment, and its sibling in the same place.
  private struct Moment {
    let offset: UInt64
    let sibling: UInt64
    let byteCount: UInt64
    let isFirst: Bool

    var end: UInt64 { offset + byteCount }
  }

  /// Bytes that stand for others: checksums.
  struct Patch: Sendable {
    let offset: UInt64
    let bytes: [UInt8]
  }

  private let source: any RandomSource
  private let policy: MomentPolicy
  /// By their places; they do not overlap.
  private let moments: [Moment]
  /// By their places.
  private let patches: [Patch]

  /// Values that are rounded together.
  static let stepValues = 1 << 14

  init(_ source: any RandomSource, _ pairs: [MomentTensors.Pair], _ policy: MomentPolicy, patches: [Patch] = []) {
    self.source = source
    self.policy = policy
    self.patches = patches
    moments = pairs.flatMap { pair in
      [
        Moment(offset: pair.first, sibling: pair.second, byteCount: pair.byteCount, isFirst: true),
        Moment(offset: pair.second, sibling: pair.first, byteCount: pair.byteCount, isFirst: false),
      ]
    }.sorted { $0.offset < $1.offset }
  }

  var byteCount: UInt64 { source.byteCount }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on; what is written to it below lies in what was read.
    let count = try unsafe source.read(at: position, into: buffer)
    let end = position + UInt64(count)
    func put(_ bytes: [UInt8], at offset: UInt64) {
      let range = max(offset, position)..<max(min(offset + UInt64(bytes.count), end), max(offset, position))
      for place in range { unsafe buffer[Int(place - position)] = bytes[Int(place - offset)] }
    }
    var number = moments.partitioningIndex { $0.end > position }
    while number < moments.count, moments[number].offset < end {
      let moment = moments[number]
      var start = (max(moment.offset, position) - moment.offset) / 4 * 4
      let stop = min(moment.byteCount, end - moment.offset)
      while start < stop {
        let values = Int(min(UInt64(Self.stepValues), (stop - start + 3) / 4))
        put(try kept(moment, from: start, count: values), at: moment.offset + start)
        start += UInt64(4 * values)
      }
      number += 1
    }
    let patched = patches.partitioningIndex { $0.offset + UInt64($0.bytes.count) > position }
    for patch in patches[patched...].prefix(while: { $0.offset < end }) { put(patch.bytes, at: patch.offset) }
    return count
  }

  private func kept(_ moment: Moment, from start: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    let values = try source.words(at: moment.offset + start, count: count)
    let siblings = try source.words(at: moment.sibling + start, count: count)
    var kept = values
    for index in values.indices {
      let (value, sibling) = (values[index], siblings[index])
      kept[index] =
        moment.isFirst
        ? policy.kept(MomentPolicy.Pair(first: value, second: sibling)).first
        : policy.kept(MomentPolicy.Pair(first: sibling, second: value)).second
    }
    // Any words are bytes.
    return unsafe kept.withUnsafeBytes { unsafe Array($0) }
  }
}

extension RandomSource {
  /// Values of 32 bits as they lie in the file: little-endian, as the processors are.
  func words(at position: UInt64, count: Int) throws(SwzipError) -> [UInt32] {
    let bytes = try bytes(at: position, count: 4 * count)
    // In bounds: as many were read.
    return unsafe bytes.withUnsafeBytes { bytes in
      (0..<count).map { unsafe bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
    }
  }
}
