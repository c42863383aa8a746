internal import Swzip
internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// The first and second moments of optimizers in a file, by their names: of Adam and its kin, which call them `exp_avg` and
/// `exp_avg_sq`. Whatever is doubtful is left out.
struct MomentTensors {
  /// Two tensors of F32 values, as many, that share nothing with each other or with another tensor.
  struct Pair: Equatable {
    let name: String
    let first: UInt64
    let second: UInt64
    let byteCount: UInt64
  }

  private(set) var pairs: [Pair] = []
  /// Where the file says checksums of its parts, if it is an archive.
  private(set) var sums: [ZipSums.Record] = []

  /// Of safetensors files, and of torch's, zip archives or not.
  init(_ source: any RandomSource) throws(SwzipError) {
    let input = SourceInput(source: source)
    let start = try input.peek(Formats.sniffBytes)
    for format in Formats.all where format.recognises(start) {
      guard let map = try format.map(input) else { continue }
      guard format.name == Safetensors.name || format.name == Torch.name && map.format == nil,
        map.tensors.count < Limits.tensors
      else { return }
      pairs = Self.pairs(map.tensors, in: source.byteCount)
      guard !pairs.isEmpty, format.name == Torch.name else { return }
      guard let sums = try ZipSums.records(of: input) else {
        pairs = []
        return
      }
      self.sums = sums
      // In an archive, what lies in its records; in none, anywhere.
      pairs = pairs.filter { pair in sums.isEmpty || records(of: pair).count == 2 }
      return
    }
  }

  /// The records of an archive that hold a pair: of each of its tensors the one in which all of it lies.
  func records(of pair: Pair) -> [Int] {
    [pair.first, pair.second].compactMap { offset in
      let number = sums.partitioningIndex { $0.data.upperBound > offset }
      guard number < sums.count, sums[number].data.lowerBound <= offset,
        offset + pair.byteCount <= sums[number].data.upperBound
      else { return nil }
      return number
    }
  }

  private static func pairs(_ tensors: [TensorRecord], in fileByteCount: UInt64) -> [Pair] {
    let named = Dictionary(tensors.map { (Exact($0.name), $0) }) { first, _ in first }
    // Where tensors begin that overlap others.
    var shared: Set<UInt64> = []
    var farthest: TensorRecord?
    for tensor in tensors.filter({ $0.byteCount > 0 }).sorted(by: { $0.offset < $1.offset }) {
      let end = farthest.map { $0.offset + $0.byteCount } ?? 0
      if let farthest, tensor.offset < end { shared.formUnion([farthest.offset, tensor.offset]) }
      if tensor.offset + tensor.byteCount >= end { farthest = tensor }
    }
    func isOfMoments(_ tensor: TensorRecord) -> Bool {
      tensor.elementType == .f32 && tensor.byteCount > 0 && tensor.offset + tensor.byteCount <= fileByteCount
        && !shared.contains(tensor.offset)
    }
    return tensors.compactMap { second in
      guard let name = firstName(of: second.name), let first = named[Exact(name)], first.shape == second.shape,
        isOfMoments(first), isOfMoments(second)
      else { return nil }
      return Pair(name: name, first: first.offset, second: second.offset, byteCount: second.byteCount)
    }
  }

  /// The name of the first moment beside a second one: one part of it is `exp_avg_sq`. Names with slashes are of files in files.
  private static func firstName(of name: String) -> String? {
    var parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    let places = parts.indices.filter { parts[$0].elementsEqual("exp_avg_sq".utf8) }
    guard places.count == 1, !name.utf8.contains(UInt8(ascii: "/")) else { return nil }
    parts[places[0]] = "exp_avg".utf8[...]
    return parts.map { String(Substring($0)) }.joined(separator: ".")
  }
}

/// A source as parsers read it.
private struct SourceInput: InputBytes {
  let source: any RandomSource

  var byteCount: UInt64? { source.byteCount }

  func peek(_ count: Int) throws(SwzipError) -> [UInt8] { try bytes(at: 0, count: count) }

  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard offset < source.byteCount else { return [] }
    return try source.bytes(at: offset, count: Int(min(UInt64(count), source.byteCount - offset)))
  }
}
