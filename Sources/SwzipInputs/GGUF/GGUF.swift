package import SwzipCore

/// GGUF versions 2 and 3, little-endian, by the rules of ggml (gguf.cpp): header, key-value pairs, tensor infos, padding,
/// then the tensors one after the other, each padded to the alignment.
package enum GGUF: ModelFormat {
  package static let name = "gguf"
  private static let magic = Array("GGUF".utf8)
  private static let mostKeys: UInt64 = 1 << 20
  /// `GGML_MAX_NAME`, the final zero included.
  private static let nameBytes = 64
  private static let defaultAlignment: UInt64 = 32

  package static func recognises(_ start: [UInt8]) -> Bool { start.starts(with: magic) }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var cursor = InputCursor(input)
    guard try cursor.bytes(4) == magic, let version = try cursor.integer(UInt32.self), 2...3 ~= version,
      let tensorCount = try cursor.integer(UInt64.self), tensorCount <= UInt64(Limits.tensors),
      let keyCount = try cursor.integer(UInt64.self), keyCount <= mostKeys,
      let alignment = try alignment(&cursor, keyCount: keyCount),
      let infos = try infos(&cursor, count: tensorCount)
    else { return nil }
    return map(infos, dataStart: padded(cursor.offset, alignment), alignment, fileByteCount: input.byteCount)
  }

  // MARK: key-value pairs

  /// Walks the pairs and returns the alignment of the tensors.
  private static func alignment(
    _ cursor: inout InputCursor<some InputBytes>, keyCount: UInt64
  ) throws(SwzipError) -> UInt64? {
    var alignment = defaultAlignment
    var keys = Set<[UInt8]>()
    for _ in 0..<keyCount {
      guard let length = try cursor.integer(UInt64.self), length <= 65535,
        let key = try cursor.bytes(Int(length)), keys.insert(key).inserted,
        let type = try cursor.integer(UInt32.self)
      else { return nil }
      if key.elementsEqual("general.alignment".utf8) {
        guard type == ValueType.uint32, let value = try cursor.integer(UInt32.self), value.nonzeroBitCount == 1
        else { return nil }
        alignment = UInt64(value)
      } else {
        guard try skipValue(&cursor, type) else { return nil }
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

  private static func skipValue(
    _ cursor: inout InputCursor<some InputBytes>, _ type: UInt32
  ) throws(SwzipError) -> Bool {
    guard type == ValueType.array else { return try skipValues(&cursor, type, count: 1) }
    guard let type = try cursor.integer(UInt32.self), type != ValueType.array,
      let count = try cursor.integer(UInt64.self), count <= ValueType.most
    else { return false }
    return try skipValues(&cursor, type, count: count)
  }

  private static func skipValues(
    _ cursor: inout InputCursor<some InputBytes>, _ type: UInt32, count: UInt64
  ) throws(SwzipError) -> Bool {
    guard type == ValueType.string else {
      guard type < ValueType.bytes.count else { return false }
      return cursor.skip(count * ValueType.bytes[Int(type)])
    }
    for _ in 0..<count {
      guard let length = try cursor.integer(UInt64.self), length <= ValueType.most, cursor.skip(length)
      else { return false }
    }
    return true
  }

  // MARK: tensor infos

  private struct Info {
    var name: String
    /// Nil for a type that is not known here: its size follows from the next tensor's offset.
    var elementType: ElementType?
    /// As ggml stores it: the fastest dimension first.
    var dimensions: [UInt64]
    /// From the start of the data.
    var offset: UInt64
  }

  private static func infos(
    _ cursor: inout InputCursor<some InputBytes>, count: UInt64
  ) throws(SwzipError) -> [Info]? {
    var infos: [Info] = []
    var names = Set<[UInt8]>()
    for _ in 0..<count {
      guard let length = try cursor.integer(UInt64.self), length < nameBytes,
        let bytes = try cursor.bytes(Int(length)), names.insert(bytes).inserted,
        let name = String(validating: bytes, as: UTF8.self),
        let rank = try cursor.integer(UInt32.self), rank <= 4
      else { return nil }
      var dimensions: [UInt64] = []
      for _ in 0..<rank {
        guard let dimension = try cursor.integer(UInt64.self), dimension < 1 << 63 else { return nil }
        dimensions.append(dimension)
      }
      guard let type = try cursor.integer(UInt32.self), let offset = try cursor.integer(UInt64.self),
        offset < 1 << 62
      else { return nil }
      infos.append(Info(name: name, elementType: elementType(type), dimensions: dimensions, offset: offset))
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

  /// Nil unless the tensors lie one after the other, in the order of their infos.
  private static func map(
    _ infos: [Info], dataStart: UInt64, _ alignment: UInt64, fileByteCount: UInt64?
  ) -> FileMap? {
    var map = FileMap()
    var end: UInt64 = 0  // of the last tensor, padded
    for (index, info) in infos.enumerated() {
      guard info.offset == end else { return nil }
      let byteCount: UInt64
      var record = TensorRecord(
        name: info.name, elementType: .bytes, shape: [], offset: dataStart + info.offset, byteCount: 0)
      if let type = info.elementType {
        let shape = Array(info.dimensions.reversed())
        guard let bytes = TensorRecord.byteCount(of: type, shape: shape), bytes < 1 << 62 else { return nil }
        byteCount = bytes
        (record.elementType, record.shape) = (type, shape)
        end = padded(end + bytes, alignment)
      } else {
        let next =
          index + 1 < infos.count ? infos[index + 1].offset : max(fileByteCount ?? 0, record.offset) - dataStart
        guard next >= end, index + 1 == infos.count || next % alignment == 0 else { return nil }
        byteCount = next - end
        record.shape = [byteCount]
        map.warnings.append("tensor \(info.name) is of a type that is not known")
        end = next
      }
      guard end < 1 << 62 else { return nil }
      record.byteCount = byteCount
      map.tensors.append(record)
      if info.elementType != nil, byteCount > 0 { map.payloads.append(Payload(record)) }
    }
    if !infos.isEmpty { map.warnOfTail(after: dataStart + end, in: fileByteCount) }
    return map
  }

  private static func padded(_ offset: UInt64, _ alignment: UInt64) -> UInt64 {
    (offset + alignment - 1) & ~(alignment - 1)
  }
}
