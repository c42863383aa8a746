package import SwzipCore

/// ONNX (onnx.proto): protocol buffers. Payloads are the raw data and the packed floats of tensors, initializers and
/// those in attributes of nodes alike; integers in fields of their own have no fixed length and stay as they are. Data in
/// files beside the model are not looked for.
package enum ONNX: ModelFormat {
  package static let name = "onnx"
  /// Any message may begin so.
  package static func isCertain(_ start: [UInt8]) -> Bool { false }

  /// Field 1, the version of the format, and a field of the model after it.
  package static func recognises(_ start: [UInt8]) -> Bool {
    start.count >= 3 && start[0] == 0x08 && 1...0x40 ~= start[1]
      && [0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42].contains(start[2])
  }

  package static func map(_ input: some InputBytes) throws(SwzipError) -> FileMap? {
    var byteCount = input.byteCount
    if byteCount == nil {
      let all = try input.peek(Limits.keptBytes)
      guard all.count < Limits.keptBytes else { return nil }
      byteCount = UInt64(all.count)
    }
    var walk = ONNXWalk(input)
    guard let byteCount, try walk.message(.model, end: byteCount, depth: 0),
      !(walk.tensors.isEmpty && walk.payloads.isEmpty)
    else { return nil }
    var map = FileMap()
    map.warnings = walk.odd.warnings
    map.tensors = walk.tensors.sorted { $0.offset < $1.offset }
    map.payloads = walk.payloads.sorted { $0.offset < $1.offset }
    return map
  }
}
