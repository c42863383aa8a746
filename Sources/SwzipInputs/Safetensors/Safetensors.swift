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
    map.warnings = header.warnings
    var end = UInt64(headerBytes)
    for tensor in header.tensors {
      // The rest of what a tensor overlaps is that tensor's.
      if tensor.offset >= end, tensor.byteCount > 0, tensor.elementType != .bytes {
        map.payloads.append(Payload(tensor))
      }
      end = max(end, tensor.offset + tensor.byteCount)
    }
    if map.warnings.isEmpty { map.warnOfTail(after: end, in: input.byteCount) }
    return map
  }
}
