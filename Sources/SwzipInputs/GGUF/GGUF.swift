package import SwzipCore
internal import SwzipNames

/// GGUF versions 2 and 3, little-endian (gguf.cpp of ggml): header, key-value pairs, tensor infos, padding, then the tensors,
/// one after the other and padded to the alignment where ggml wrote them.
package enum GGUF: ModelFormat {
  package static let name = "gguf"
  private static let magic = Array("GGUF".utf8)
  private static let mostKeys: UInt64 = 1 << 20
  /// Of tensors and keys. ggml itself takes 63 for tensors; the tools that write these files do not ask.
  private static let mostNameBytes: UInt64 = 65535
  private static let defaultAlignment: UInt64 = 32

  package static func recognises(_ start: [UInt8]) -> Bool { start.starts(with: magic) }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var cursor = InputCursor(input)
    guard try cursor.bytes(4) == magic, let version = try cursor.integer(UInt32.self) else { return nil }
    guard 2...3 ~= version else { return unread(version) }
    guard let tensorCount = try cursor.integer(UInt64.self), tensorCount <= UInt64(Limits.tensors),
      let keyCount = try cursor.integer(UInt64.self), keyCount <= mostKeys,
      let alignment = try alignment(&cursor, keyCount: keyCount),
      let infos = try infos(&cursor, count: tensorCount)
    else { return nil }
    return map(infos, dataStart: padded(cursor.offset, alignment), alignment, fileByteCount: input.byteCount)
  }

  /// A file whose header is not read: an old one, or one of a machine whose integers begin with their high byte.
  private static func unread(_ version: UInt32) -> FileMap? {
    var map = FileMap()
    if 2...3 ~= version.byteSwapped {
      map.warnings = ["big-endian GGUF; its header is not read, values are looked for without it"]
    } else if version == 1 {
      map.warnings = ["GGUF of version 1; its header is not read, values are looked for without it"]
    } else {
      return nil
    }
    return map
  }

  // MARK: key-value pairs

  /// Walks the pairs and returns the alignment of the tensors.
  private static func alignment(
    _ cursor: inout InputCursor<some InputBytes>, keyCount: UInt64
  ) throws(SwzipError) -> UInt64? {
    var alignment = defaultAlignment
    for _ in 0..<keyCount {
      guard let length = try cursor.integer(UInt64.self), length <= mostNameBytes,
        let key = try cursor.bytes(Int(length)), let type = try cursor.integer(UInt32.self)
      else { return nil }
      if key.elementsEqual("general.alignment".utf8) {
        guard type == ValueType.uint32, let value = try cursor.integer(UInt32.self), value.nonzeroBitCount == 1
        else { return nil }
        alignment = UInt64(value)
      } else {
        guard try skipValue(&cursor, type, depth: 0) else { return nil }
      }
    }
    return alignment
  }

  private enum ValueType {
    static let uint32: UInt32 = 4
    static let string: UInt32 = 8
    static let array: UInt32 = 9
    /// Bytes of each type's values; 0 for strings and arrays.
    static let bytes: [UInt64] = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]
    /// Most elements of an array, most bytes of a string.
    static let most: UInt64 = 1 << 30
  }

  /// Arrays in arrays at most.
  private static let mostDepth = 16

  private static func skipValue(
    _ cursor: inout InputCursor<some InputBytes>, _ type: UInt32, depth: Int
  ) throws(SwzipError) -> Bool {
    guard type == ValueType.array else { return try skipValues(&cursor, type, count: 1, depth: depth) }
    guard depth < mostDepth, let type = try cursor.integer(UInt32.self), let count = try cursor.integer(UInt64.self),
      count <= ValueType.most
    else { return false }
    return try skipValues(&cursor, type, count: count, depth: depth + 1)
  }

  private static func skipValues(
    _ cursor: inout InputCursor<some InputBytes>, _ type: UInt32, count: UInt64, depth: Int
  ) throws(SwzipError) -> Bool {
    guard type < ValueType.bytes.count else { return false }
    switch type {
    case ValueType.string:
      for _ in 0..<count {
        guard let length = try cursor.integer(UInt64.self), length <= ValueType.most, cursor.skip(length)
        else { return false }
      }
    case ValueType.array:
      for _ in 0..<count {
        guard try skipValue(&cursor, type, depth: depth) else { return false }
      }
    default: return cursor.skip(count * ValueType.bytes[Int(type)])
    }
    return true
  }

  // MARK: tensor infos

  private struct Info {
    var name: String
    /// The type's id in ggml.
    var type: UInt32
    /// As ggml stores it: the fastest dimension first.
    var dimensions: [UInt64]
    /// From the start of the data.
    var offset: UInt64

    /// What type and dimensions say; nil for a type that is not known here, and a length that makes no sense.
    var record: TensorRecord? {
      let shape = Array(dimensions.reversed())
      guard let type = elementType(type), let bytes = TensorRecord.byteCount(of: type, shape: shape),
        bytes < 1 << 62 - offset
      else { return nil }
      return TensorRecord(name: name, elementType: type, shape: shape, offset: offset, byteCount: bytes)
    }
  }

  private static func infos(
    _ cursor: inout InputCursor<some InputBytes>, count: UInt64
  ) throws(SwzipError) -> [Info]? {
    var infos: [Info] = []
    for _ in 0..<count {
      guard let length = try cursor.integer(UInt64.self), length <= mostNameBytes,
        let bytes = try cursor.bytes(Int(length)), let rank = try cursor.integer(UInt32.self), rank <= Limits.rank
      else { return nil }
      var dimensions: [UInt64] = []
      for _ in 0..<rank {
        guard let dimension = try cursor.integer(UInt64.self) else { return nil }
        dimensions.append(dimension)
      }
      guard let type = try cursor.integer(UInt32.self), let offset = try cursor.integer(UInt64.self),
        offset < 1 << 62
      else { return nil }
      let name = String(decoding: bytes, as: UTF8.self)
      infos.append(Info(name: name, type: type, dimensions: dimensions, offset: offset))
    }
    return infos
  }

  /// The type with this id in ggml.
  private static func elementType(_ id: UInt32) -> ElementType? {
    switch id {
    case 0: .f32
    case 1: .f16
    case 24: .i8
    case 25: .i16
    case 26: .i32
    case 27: .i64
    case 28: .f64
    case 30: .bf16
    default: ElementType(ggmlBlock: id)
    }
  }

  // MARK: the map

  /// Where only its place is known of a tensor, it ends where the next one begins.
  private static func map(
    _ infos: [Info], dataStart: UInt64, _ alignment: UInt64, fileByteCount: UInt64?
  ) -> FileMap {
    var map = FileMap()
    var odd = OddTensors()
    var names = Set<Exact>()
    var end = dataStart
    let infos = infos.sorted { $0.offset < $1.offset }
    for (index, info) in infos.enumerated() {
      let start = dataStart + info.offset
      let next = index + 1 < infos.count ? dataStart + infos[index + 1].offset : max(fileByteCount ?? start, start)
      var record =
        info.record
        ?? TensorRecord(bytesOf: info.name, at: 0, next - start)
      record.offset = start
      if elementType(info.type) == nil {
        odd.add(info.name, .type, "is of type \(info.type), which is not known; packed without its type")
      } else if record.elementType == .bytes {
        odd.add(info.name, .shape, "has dimensions that make no sense; packed without its type")
      }
      if names.insert(Exact(info.name)).inserted {
        map.tensors.append(record)
      } else {
        odd.add(info.name, .name, "comes twice")
      }
      if start < end, record.byteCount > 0 {
        odd.add(info.name, .place, "overlaps another")
      } else if record.elementType != .bytes, record.byteCount > 0 {
        map.payloads.append(Payload(record))
      }
      end = max(end, start + record.byteCount)
    }
    map.warnings = odd.warnings
    map.sort()
    if !infos.isEmpty { map.warnOfTail(after: padded(end, alignment), in: fileByteCount) }
    return map
  }

  private static func padded(_ offset: UInt64, _ alignment: UInt64) -> UInt64 {
    (offset + alignment - 1) & ~(alignment - 1)
  }
}
