internal import Swzip
internal import SwzipCore

/// What `inspect` knows of a file, packed or not: tensors, and what each part of the file takes when packed.
struct Inspection {
  struct Part: Sized {
    let member: Int
    let offset, byteCount: UInt64
    let packedByteCount: Double
    let elementType, codec: String
  }

  /// A tensor with its share of the segments that hold it.
  struct Row: Sized {
    let tensor: Container.Tensor
    let codec: String
    let packedByteCount: Double

    var byteCount: UInt64 { tensor.byteCount }
    var valueCount: UInt64 { tensor.shape.reduce(1) { $0 &* $1 } }
  }

  let name: String
  /// Nil: nothing is packed yet, and the packed sizes are the planner's estimate.
  let container: Container?
  let byteCount: UInt64
  let packedByteCount: UInt64
  let parts: [Part]
  let rows: [Row]

  init(_ name: String, _ file: Container) {
    self.name = name
    container = file
    byteCount = file.members.reduce(0) { $0 &+ $1.byteCount }
    packedByteCount = file.containerByteCount
    parts = file.segments.map {
      Part(
        member: $0.member, offset: $0.offset, byteCount: $0.byteCount, packedByteCount: Double($0.packedByteCount),
        elementType: $0.elementType, codec: $0.codec)
    }
    rows = Inspection.rows(Array(file.tensors), parts)
  }

  init(_ name: String, byteCount: UInt64, _ segments: [SegmentPrediction]) {
    self.name = name
    container = nil
    self.byteCount = byteCount
    packedByteCount = segments.reduce(0) { $0 &+ $1.predictedByteCount }
    parts = segments.map {
      Part(
        member: 0, offset: $0.offset, byteCount: $0.byteCount, packedByteCount: Double($0.predictedByteCount),
        elementType: $0.elementType, codec: $0.codec)
    }
    rows = Inspection.rows(segments.flatMap(\.tensors), parts)
  }

  private static func rows(_ tensors: [Container.Tensor], _ unsorted: [Part]) -> [Row] {
    let parts = unsorted.sorted { ($0.member, $0.offset) < ($1.member, $1.offset) }
    return tensors.map { tensor in
      let end = tensor.offset &+ tensor.byteCount
      var index = parts.partitioningIndex {
        ($0.member, $0.offset &+ $0.byteCount) > (tensor.member, tensor.offset)
      }
      var packed = 0.0
      var codecs: [String] = []
      while index < parts.count, parts[index].member == tensor.member, parts[index].offset < end {
        let part = parts[index]
        let overlap = min(end, part.offset &+ part.byteCount) - max(tensor.offset, part.offset)
        packed += part.packedByteCount * Double(overlap) / Double(max(1, part.byteCount))
        if tensor.byteCount > 0, !codecs.contains(part.codec) { codecs.append(part.codec) }
        index += 1
      }
      return Row(tensor: tensor, codec: codecs.joined(separator: "+"), packedByteCount: packed)
    }
  }

  /// Types by the bytes that they take, the largest first.
  var types: [(type: String, tensors: Int, byteCount: UInt64, packedByteCount: Double)] {
    Dictionary(grouping: rows, by: \.tensor.elementType)
      .map { (type: $0, tensors: $1.count, byteCount: $1.byteCount, packedByteCount: $1.packedByteCount) }
      .sorted { ($0.byteCount, $1.type) > ($1.byteCount, $0.type) }
  }

  /// "86.7 MiB, packed to 71.0 MiB: 81.9%, saves 15.7 MiB".
  var summary: String {
    let (raw, packed) = (byteCount, packedByteCount)
    let text = "\(formatSize(raw)), \(container == nil ? "would pack to about" : "packed to") \(formatSize(packed))"
    let saving = packed <= raw ? "saves \(formatSize(raw - packed))" : "grows by \(formatSize(packed - raw))"
    return raw == 0 ? text : text + ": \(formatRatio(packed, of: raw)), \(saving)"
  }

  var json: JSONObject {
    var fields: JSONObject = [
      "path": .string(name), "packed": .bool(container != nil), "bytes": .integer(byteCount),
      container == nil ? "predicted_bytes" : "packed_bytes": .integer(packedByteCount),
      "ratio": ratio(packedByteCount, of: byteCount),
    ]
    if let container { fields["root"] = .digest(container.root) }
    fields["types"] = .array(
      types.map {
        .object([
          "type": .string($0.type), "tensors": .integer(UInt64($0.tensors)), "bytes": .integer($0.byteCount),
          "packed_bytes": .integer(UInt64($0.packedByteCount.rounded())),
        ])
      })
    fields["tensors"] = .array(
      rows.map {
        var fields = Listing.json($0.tensor)
        fields["codec"] = .string($0.codec)
        fields["packed_bytes"] = .integer(UInt64($0.packedByteCount.rounded()))
        return .object(fields)
      })
    return fields
  }
}

/// What takes bytes, and others when packed.
protocol Sized {
  var byteCount: UInt64 { get }
  /// A share of a segment's bytes need not be whole.
  var packedByteCount: Double { get }
}

extension Sequence where Element: Sized {
  var byteCount: UInt64 { reduce(0) { $0 &+ $1.byteCount } }
  var packedByteCount: Double { reduce(0) { $0 + $1.packedByteCount } }
}

extension Inspection.Row {
  /// "model.layers.12.mlp.weight" gives "model.layers.*.mlp.weight": only parts that are numbers as a whole.
  var kind: String {
    nameParts.map { isNumber($0) ? "*" : Substring($0) }.joined(separator: ".")
  }

  /// Of that name the layer 12 of "model.layers.*": by the first number.
  var layer: (stack: String, number: UInt64)? {
    let parts = nameParts
    guard let place = parts.firstIndex(where: isNumber), let number = UInt64(Substring(parts[place])) else {
      return nil
    }
    return ((parts[..<place].map { Substring($0) } + ["*"]).joined(separator: "."), number)
  }

  private var nameParts: [Substring.UTF8View] {
    tensor.name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
  }

  private func isNumber(_ part: Substring.UTF8View) -> Bool {
    !part.isEmpty && part.allSatisfy { (0x30...0x39).contains($0) }
  }
}
