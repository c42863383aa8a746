internal import Swzip
internal import SwzipCore

/// What `inspect` knows of a file, packed or not: tensors, and what each part of the file takes when packed.
struct Inspection {
  struct Part {
    let member: Int
    let offset, byteCount, packedByteCount: UInt64
    let elementType, codec: String
  }

  /// A tensor with its share of the segments that hold it.
  struct Row {
    let tensor: Container.Tensor
    let codec: String
    let packedByteCount: Double

    var valueCount: UInt64 { tensor.shape.reduce(1) { $0 &* $1 } }
  }

  let name: String
  /// False: nothing is packed yet, and the packed sizes are the planner's estimate.
  let isContainer: Bool
  let byteCount: UInt64
  let packedByteCount: UInt64
  let root: Digest?
  let parts: [Part]
  let rows: [Row]

  init(_ name: String, _ file: Container) {
    self.name = name
    isContainer = true
    byteCount = file.members.reduce(0) { $0 &+ $1.byteCount }
    packedByteCount = file.containerByteCount
    root = file.root
    parts = file.segments.map {
      Part(
        member: $0.member, offset: $0.offset, byteCount: $0.byteCount, packedByteCount: $0.packedByteCount,
        elementType: $0.elementType, codec: $0.codec)
    }
    rows = Inspection.rows(Array(file.tensors), parts)
  }

  init(_ name: String, byteCount: UInt64, _ segments: [SegmentPrediction]) {
    self.name = name
    isContainer = false
    self.byteCount = byteCount
    packedByteCount = segments.reduce(0) { $0 &+ $1.predictedByteCount }
    root = nil
    parts = segments.map {
      Part(
        member: 0, offset: $0.offset, byteCount: $0.byteCount, packedByteCount: $0.predictedByteCount,
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
        packed += Double(part.packedByteCount) * Double(overlap) / Double(max(1, part.byteCount))
        if tensor.byteCount > 0, !codecs.contains(part.codec) { codecs.append(part.codec) }
        index += 1
      }
      return Row(tensor: tensor, codec: codecs.joined(separator: "+"), packedByteCount: packed)
    }
  }

  /// Types by the bytes that they take, the largest first.
  var types: [(type: String, tensors: Int, byteCount: UInt64, packedByteCount: Double)] {
    Dictionary(grouping: rows, by: \.tensor.elementType)
      .map { type, rows in
        (
          type: type, tensors: rows.count, byteCount: rows.reduce(0) { $0 &+ $1.tensor.byteCount },
          packedByteCount: rows.reduce(0) { $0 + $1.packedByteCount }
        )
      }
      .sorted { ($0.byteCount, $1.type) > ($1.byteCount, $0.type) }
  }

  var json: JSONObject {
    var fields: JSONObject = [
      "path": .string(name), "packed": .bool(isContainer), "bytes": .integer(byteCount),
      isContainer ? "packed_bytes" : "predicted_bytes": .integer(packedByteCount),
      "ratio": ratio(packedByteCount, of: byteCount),
    ]
    if let root { fields["root"] = .digest(root) }
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
