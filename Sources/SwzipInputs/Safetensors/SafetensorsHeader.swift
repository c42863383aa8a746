package import SwzipCore

/// The header of a safetensors file: u64 length, JSON, then the tensors' bytes. A pure function from bytes to ranges.
package struct SafetensorsHeader: Equatable, Sendable {
  /// Most bytes of JSON that are read, as the official parser.
  package static let mostBytes = 100_000_000

  /// Bytes before the tensors: 8 and the JSON.
  package var byteCount: Int
  /// Sorted by offset, disjoint; offsets are those in the file.
  package var tensors: [TensorRecord]

  /// Length of the header that the first 8 bytes announce; nil if this is no safetensors file.
  package static func byteCount(announcedBy start: [UInt8]) -> Int? {
    guard start.count >= 9, start[8] == UInt8(ascii: "{") || start[8] == 0x20 else { return nil }
    let length = start[..<8].littleEndianInteger
    guard length >= 2, length <= UInt64(mostBytes) else { return nil }
    return 8 + Int(length)
  }

  /// Parses the header. Nil for anything unusual: duplicate names, entries that are no objects, unknown types, shapes
  /// that disagree with their ranges, overlapping ranges.
  package init?(_ bytes: [UInt8]) {
    byteCount = bytes.count
    var found: [TensorRecord] = []
    var reader = JSONReader(bytes, from: 8)
    let start = UInt64(bytes.count)
    let good = reader.object { reader, name in
      guard name != "__metadata__" else { return reader.skipValue(depth: 1) }
      guard let tensor = Self.tensor(&reader, name: name, dataStart: start) else { return false }
      found.append(tensor)
      return found.count <= Limits.tensors && name.utf8.count <= 65535
    }
    guard good, reader.isAtEnd() else { return nil }
    found.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
    var end: UInt64 = start
    for tensor in found {
      guard tensor.offset >= end else { return nil }
      end = tensor.offset + tensor.byteCount
    }
    tensors = found
  }

  private static func tensor(_ reader: inout JSONReader, name: String, dataStart: UInt64) -> TensorRecord? {
    var type: ElementType?
    var shape: [UInt64]?
    var range: [UInt64]?
    let good = reader.object { reader, key in
      switch key {
      case "dtype":
        type = reader.string().flatMap { ElementType(safetensorsName: $0) }
        return type != nil
      case "shape":
        shape = reader.integers(atMost: Limits.rank)
        return shape != nil
      case "data_offsets":
        range = reader.integers(atMost: 2)
        return range?.count == 2
      default: return reader.skipValue(depth: 2)
      }
    }
    guard good, let type, let shape, let range, range[0] <= range[1], range[1] < 1 << 62,
      TensorRecord.byteCount(of: type, shape: shape) == range[1] - range[0]
    else { return nil }
    return TensorRecord(
      name: name, elementType: type, shape: shape, offset: dataStart + range[0], byteCount: range[1] - range[0])
  }
}
