package import SwzipCore

/// A tar archive (POSIX ustar and GNU's): files that are models are mapped, such as those of NeMo and PhysicsNeMo.
package enum Tar: ModelFormat {
  package static let name = "tar"
  private static let blockBytes: UInt64 = 512

  package static func isCertain(_ start: [UInt8]) -> Bool { false }

  package static func recognises(_ start: [UInt8]) -> Bool {
    start.count == Int(blockBytes) && start[257...].starts(with: "ustar".utf8)
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    guard let fileByteCount = input.byteCount else { return nil }
    var map = FileMap()
    var cursor = InputCursor(input)
    while map.tensors.count < Limits.tensors, let header = try cursor.bytes(Int(blockBytes)),
      header[257...].starts(with: "ustar".utf8), let byteCount = number(header[124..<136])
    {
      let start = cursor.offset
      guard byteCount <= fileByteCount - start else { break }
      if header[156] == UInt8(ascii: "0") || header[156] == 0 {
        let name = String(decoding: header[..<100].prefix { $0 != 0 }, as: UTF8.self)
        try map.addFile(name, in: input, start..<(start + byteCount))
      }
      guard cursor.skip((byteCount + blockBytes - 1) / blockBytes * blockBytes) else { break }
    }
    map.sort()
    return map.payloads.isEmpty ? nil : map
  }

  /// Octal digits, or, after a byte of 0x80, a big-endian integer.
  private static func number(_ field: ArraySlice<UInt8>) -> UInt64? {
    if field.first == 0x80 {
      return field.dropFirst(field.count - 8).reduce(0) { $0 << 8 | UInt64($1) }
    }
    let digits = field.drop { $0 == 0x20 }.prefix { 0x30...0x37 ~= $0 }
    return UInt64(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}
