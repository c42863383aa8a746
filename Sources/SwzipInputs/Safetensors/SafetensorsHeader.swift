package import SwzipCore
internal import SwzipNames

/// The header of a safetensors file: u64 length, JSON, then the tensors' bytes. A pure function from bytes to ranges.
package struct SafetensorsHeader: Equatable, Sendable {
  /// Most bytes of JSON that are read, as the official parser.
  package static let mostBytes = 100_000_000

  /// Bytes before the tensors: 8 and the JSON.
  package var byteCount: Int
  /// Sorted by offset, which is that in the file. `.bytes` where type and shape do not say what lies there.
  package var tensors: [TensorRecord]
  /// One line for each kind of tensor that is not what it should be.
  package var warnings: [String]

  /// Length of the header that the first 8 bytes announce; nil if this is no safetensors file.
  package static func byteCount(announcedBy start: [UInt8]) -> Int? {
    guard start.count >= 9, start[8] == UInt8(ascii: "{") || start[8] == 0x20 else { return nil }
    let length = start[..<8].littleEndianInteger
    guard length >= 2, length <= UInt64(mostBytes) else { return nil }
    return 8 + Int(length)
  }

  /// Parses the header. Nil if it is damaged: no JSON object, or a name twice. What is odd about a tensor costs that
  /// tensor alone: types that are not known, shapes that disagree with their ranges, ranges that overlap.
  package init?(_ bytes: [UInt8]) {
    byteCount = bytes.count
    var found: [TensorRecord] = []
    var odd = OddTensors()
    var reader = JSONReader(bytes, from: 8)
    let start = UInt64(bytes.count)
    let good = reader.object { reader, name in
      guard name != "__metadata__" else { return reader.skipValue(depth: 1) }
      guard let entry = Entry(&reader) else { return false }
      let name = name.wrappedValue
      guard name.utf8.count <= 65535, found.count < Limits.tensors else {
        odd.add(name, .name, "has a name that is too long, or is one too many")
        return true
      }
      if let tensor = entry.tensor(name, dataStart: start, &odd) { found.append(tensor) }
      return true
    }
    guard good, reader.isAtEnd() else { return nil }
    found.sort { ($0.offset, $0.byteCount) < ($1.offset, $1.byteCount) }
    var end: UInt64 = start
    for tensor in found {
      if tensor.offset < end { odd.add(tensor.name, .place, "overlaps another") }
      end = max(end, tensor.offset + tensor.byteCount)
    }
    tensors = found
    warnings = odd.warnings
  }

  /// What the header says of a tensor, as far as it makes sense.
  private struct Entry {
    var typeName: String?
    var shape: [UInt64]?
    /// From the start of the data.
    var range: Range<UInt64>?

    /// Reads any value; nil if it is no JSON.
    init?(_ reader: inout JSONReader) {
      let start = reader
      guard !readObject(&reader) else { return }
      self = Entry()
      reader = start
      guard reader.skipValue(depth: 1) else { return nil }
    }

    private init() {}

    private mutating func readObject(_ reader: inout JSONReader) -> Bool {
      var entry = Entry()
      let good = reader.object { reader, key in
        let start = reader
        switch key {
        case "dtype":
          entry.typeName = reader.string()
          if entry.typeName != nil { return true }
        case "shape":
          entry.shape = reader.integers(atMost: Limits.rank)
          if entry.shape != nil { return true }
        case "data_offsets":
          if let range = reader.integers(atMost: 2), range.count == 2 {
            if range[0] <= range[1], range[1] < 1 << 62 { entry.range = range[0]..<range[1] }
            return true
          }
        default: break
        }
        reader = start
        return reader.skipValue(depth: 2)
      }
      self = entry
      return good
    }

    /// The tensor; of its bytes where only its place is known; nil where that is not.
    func tensor(_ name: String, dataStart: UInt64, _ odd: inout OddTensors) -> TensorRecord? {
      guard let range else {
        odd.add(name, .entry, "has no place that makes sense")
        return nil
      }
      let byteCount = range.upperBound - range.lowerBound
      var tensor = TensorRecord(bytesOf: name, at: dataStart + range.lowerBound, byteCount)
      guard let type = typeName.flatMap({ ElementType(safetensorsName: $0) }) else {
        let type = typeName.map { String($0.unicodeScalars.prefix(40)).printable } ?? ""
        odd.add(name, .type, "is of type \(type), which is not known; packed without its type")
        return tensor
      }
      guard let shape, TensorRecord.byteCount(of: type, shape: shape) == byteCount else {
        odd.add(name, .shape, "has not the length of its shape; packed without its type")
        return tensor
      }
      (tensor.elementType, tensor.shape) = (type, shape)
      return tensor
    }
  }
}
