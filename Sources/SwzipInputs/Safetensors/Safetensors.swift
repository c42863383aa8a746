package import SwzipCore

package enum Safetensors: ModelFormat {
  package static let name = "safetensors"

  package static func recognises(_ start: [UInt8]) -> Bool { SafetensorsHeader.byteCount(announcedBy: start) != nil }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    guard let headerBytes = SafetensorsHeader.byteCount(announcedBy: try input.peek(9)) else { return nil }
    try MemoryBudget.check(indexByteCount: headerBytes)
    let bytes = try input.peek(headerBytes)
    guard bytes.count == headerBytes, let header = SafetensorsHeader(bytes) else { return nil }
    var map = FileMap()
    map.tensors = header.tensors
    map.payloads = header.tensors.filter { $0.byteCount > 0 }.map(Payload.init)
    let end = header.tensors.last.map { $0.offset + $0.byteCount } ?? UInt64(headerBytes)
    map.warnOfTail(after: end, in: input.byteCount)
    return map
  }
}
