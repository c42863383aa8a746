internal import SwzipCore
internal import SwzipInputs

/// Finds tensors whose bytes are those of an earlier one: tied weights, duplicated layers. Candidates have equal length
/// and equal samples; then every byte is compared.
struct CopyFinder {
  private static let leastBytes: UInt64 = 65_536
  private static let sampleBytes = 4096

  let source: any InputSource

  /// Marks the segments of `layout` that lie in a copied tensor.
  func mark(_ layout: inout Layout) throws(SwzipError) {
    var tensors = Self.disjoint(layout.tensors)[...]
    var candidates: [UInt64: [TensorRecord]] = [:]
    for tensor in tensors where tensor.byteCount >= Self.leastBytes {
      candidates[tensor.byteCount, default: []].append(tensor)
    }
    var copies: [UInt64: UInt64] = [:]  // offset of a tensor, offset of what it equals
    for (_, group) in candidates where group.count > 1 {
      var originals: [[UInt64]: [TensorRecord]] = [:]
      for tensor in group {
        let key = try fingerprint(tensor)
        var original: TensorRecord?
        for other in originals[key, default: []] where try equal(other, tensor) {
          original = other
          break
        }
        if let original {
          copies[tensor.offset] = original.offset
        } else {
          originals[key, default: []].append(tensor)
        }
      }
    }
    guard !copies.isEmpty else { return }
    for index in layout.segments.indices {
      let segment = layout.segments[index]
      while let first = tensors.first, first.offset + first.byteCount <= segment.offset { tensors.removeFirst() }
      guard let tensor = tensors.first, tensor.offset <= segment.offset, let original = copies[tensor.offset],
        segment.offset + UInt64(segment.byteCount) <= tensor.offset + tensor.byteCount
      else { continue }
      layout.segments[index].copyOf = (0, original + (segment.offset - tensor.offset))
    }
  }

  /// Tensors in order that have bytes and share none; of those that begin together the largest.
  private static func disjoint(_ tensors: [TensorRecord]) -> [TensorRecord] {
    var end: UInt64 = 0
    return tensors.sorted { ($0.offset, $1.byteCount) < ($1.offset, $0.byteCount) }.filter { tensor in
      guard tensor.byteCount > 0, tensor.offset >= end else { return false }
      end = tensor.offset + tensor.byteCount
      return true
    }
  }

  /// Hashes of three samples.
  private func fingerprint(_ tensor: TensorRecord) throws(SwzipError) -> [UInt64] {
    var hashes: [UInt64] = []
    for place in [0, tensor.byteCount / 2, tensor.byteCount - UInt64(Self.sampleBytes)] {
      hashes.append(xxh3(try source.bytes(at: tensor.offset + place, count: Self.sampleBytes)))
    }
    return hashes
  }

  private func equal(_ a: TensorRecord, _ b: TensorRecord) throws(SwzipError) -> Bool {
    let (left, right) = (try Memory(1 << 20), try Memory(1 << 20))
    var done: UInt64 = 0
    while done < a.byteCount {
      let count = Int(min(1 << 20, a.byteCount - done))
      guard try unsafe source.read(at: a.offset + done, into: .init(rebasing: left.bytes[..<count])) == count,
        try unsafe source.read(at: b.offset + done, into: .init(rebasing: right.bytes[..<count])) == count,
        unsafe equalBytes(left.prefix(count), right.prefix(count))
      else { return false }
      done += UInt64(count)
    }
    return true
  }
}
