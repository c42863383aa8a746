package import SwzipCore
internal import SwzipInputs

/// A file or a pipe for parsers: some parts, and zeros between them.
package struct SparseBytes: InputBytes {
  private let size: UInt64
  private let parts: [(offset: UInt64, bytes: [UInt8])]
  private let isPipe: Bool

  package init(_ bytes: [UInt8], isPipe: Bool = false) {
    size = UInt64(bytes.count)
    parts = [(0, bytes)]
    self.isPipe = isPipe
  }

  /// u64 size, then u64 offset, u64 length and bytes of each part.
  package init(parts file: [UInt8], isPipe: Bool = false) {
    size = file[..<8].littleEndianInteger
    var rest = file.dropFirst(8)
    var parts: [(UInt64, [UInt8])] = []
    while !rest.isEmpty {
      let (offset, count) = (rest.prefix(8).littleEndianInteger, Int(rest.dropFirst(8).prefix(8).littleEndianInteger))
      parts.append((offset, Array(rest.dropFirst(16).prefix(count))))
      rest = rest.dropFirst(16 + count)
    }
    self.parts = parts
    self.isPipe = isPipe
  }

  package var byteCount: UInt64? { isPipe ? nil : size }

  package func peek(_ count: Int) throws(SwzipError) -> [UInt8] { read(at: 0, count: count) }

  package func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard !isPipe else { throw SwzipError(.refused, .notRandomAccess) }
    return read(at: offset, count: count)
  }

  private func read(at offset: UInt64, count: Int) -> [UInt8] {
    guard offset < size else { return [] }
    let end = offset + min(UInt64(count), size - offset)
    var result = [UInt8](repeating: 0, count: Int(end - offset))
    for part in parts {
      let (from, to) = (max(offset, part.offset), min(end, part.offset + UInt64(part.bytes.count)))
      guard from < to else { continue }
      result.replaceSubrange(
        Int(from - offset)..<Int(to - offset), with: part.bytes[Int(from - part.offset)..<Int(to - part.offset)])
    }
    return result
  }
}
