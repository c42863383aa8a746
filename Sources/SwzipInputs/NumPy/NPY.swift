package import SwzipCore

/// An npy file: an array, or several, one behind the other.
package enum NPY: ModelFormat {
  package static let name = "npy"

  package static func recognises(_ start: [UInt8]) -> Bool { start.starts(with: NPYHeader.magic) }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var map = FileMap()
    guard var end = try add(input, from: 0, name: "array", to: &map) else { return nil }
    // A pipe would have to be kept up to the next array.
    while let byteCount = input.byteCount, end < byteCount, map.tensors.count < Limits.tensors,
      let next = try add(input, from: end, name: "array.\(map.tensors.count)", to: &map)
    {
      end = next
    }
    map.warnOfTail(after: end, in: input.byteCount)
    return map
  }

  /// Adds the array whose header begins at `offset`, and returns where its data ends: the end of the file where that is
  /// not known (objects are pickles). Nil if the header is damaged.
  static func add(
    _ input: some InputBytes, from offset: UInt64, name: String, to map: inout FileMap
  ) throws(SwzipError) -> UInt64? {
    var cursor = InputCursor(input, at: offset)
    guard let header = try NPYHeader.read(&cursor) else { return nil }
    let start = cursor.offset
    guard var type = header.description.flatMap(NumPyType.init) else { return max(input.byteCount ?? start, start) }
    // Two raw bytes are bfloat16 if the exponents say so.
    if header.description?.hasSuffix("V2") == true,
      FloatReading.hasExponents(try cursor.window.front(at: start, count: sampleBytes), of: .bf16)
    {
      type.elementType = .bf16
    }
    guard let record = type.record(name, header.shape, at: start) else { return nil }
    map.tensors.append(record)
    if record.byteCount > 0, record.elementType != .bytes {
      var payload = Payload(record)
      if header.isFortranOrder { payload.rowLength = 0 }
      map.payloads.append(payload)
    }
    return start + record.byteCount
  }

  private static let sampleBytes = 1 << 16
}
