package import SwzipCore

/// An npy file: one array.
package enum NPY: ModelFormat {
  package static let name = "npy"

  package static func recognises(_ start: [UInt8]) -> Bool { start.starts(with: NPYHeader.magic) }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var map = FileMap()
    guard let end = try add(input, from: 0, name: "array", to: &map) else { return nil }
    map.warnOfTail(after: end, in: input.byteCount)
    return map
  }

  /// Adds the array whose header begins at `offset`, and returns where its data ends: the end of the file where that is
  /// not known (objects are pickles). Nil if the header is damaged or unusual.
  static func add(
    _ input: some InputBytes, from offset: UInt64, name: String, to map: inout FileMap
  ) throws(SwzipError) -> UInt64? {
    var cursor = InputCursor(input, at: offset)
    guard let header = try NPYHeader.read(&cursor) else { return nil }
    let start = cursor.offset
    guard let type = try elementType(header.description, cursor.window, at: start) else {
      return input.byteCount ?? start
    }
    guard let byteCount = TensorRecord.byteCount(of: type, shape: header.shape), byteCount < 1 << 62 else { return nil }
    let record = TensorRecord(
      name: name, elementType: type, shape: header.shape, offset: start, byteCount: byteCount)
    map.tensors.append(record)
    if byteCount > 0 {
      var payload = Payload(record)
      if header.isFortranOrder { payload.rowLength = 0 }
      map.payloads.append(payload)
    }
    return start + byteCount
  }

  private static let sampleBytes = 1 << 16

  /// The type that NumPy describes so. To NumPy the types of ml_dtypes are raw bytes: two of them are bfloat16 if the
  /// exponents say so; of one byte the kind of float does not show. Nil where only the length of a value is known.
  private static func elementType(
    _ description: String, _ window: InputWindow<some InputBytes>, at offset: UInt64
  ) throws(SwzipError) -> ElementType? {
    switch description {
    case "<f2": .f16
    case "<f4": .f32
    case "<f8": .f64
    case "<c8": .c64
    case "|b1": .bool
    case "|i1": .i8
    case "|u1", "|V1", "<V1", "<f1", "|f1": .u8
    case "<i2": .i16
    case "<u2": .u16
    case "<i4": .i32
    case "<u4": .u32
    case "<i8": .i64
    case "<u8": .u64
    case "<V2", "|V2":
      ElementGuess.hasExponents(try window.front(at: offset, count: sampleBytes), of: .bf16) ? .bf16 : .u16
    default: nil
    }
  }
}
