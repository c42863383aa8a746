internal import SwzipCore
package import SwzipInputs

extension FileMap {
  /// What is wrong with this map of a file, good or bad, of `byteCount` bytes (nil: a pipe): payloads are whole values, in
  /// order and disjoint, tensors are what they say, segments tile the file. Nil if nothing is.
  package func problem(byteCount: UInt64?) -> String? {
    payloadProblem ?? tensorProblem ?? layoutProblem(byteCount: byteCount)
  }

  private var payloadProblem: String? {
    var end: UInt64 = 0
    for payload in payloads {
      guard payload.offset >= end, payload.byteCount > 0 else { return "payloads overlap at \(payload.offset)" }
      guard payload.byteCount % UInt64(payload.elementType.width) == 0 else { return "a part of a value" }
      end = payload.offset + payload.byteCount
      guard end <= UInt64(Int64.max) else { return "a payload ends at \(end)" }
    }
    return nil
  }

  private var tensorProblem: String? {
    guard tensors.count <= Limits.tensors else { return "\(tensors.count) tensors" }
    var offset: UInt64 = 0
    for tensor in tensors {
      guard tensor.offset >= offset else { return "\(tensor.name) is not in order" }
      offset = tensor.offset
      guard TensorRecord.byteCount(of: tensor.elementType, shape: tensor.shape) == tensor.byteCount,
        offset <= UInt64(Int64.max), tensor.byteCount <= UInt64(Int64.max) - offset
      else { return "\(tensor.name) has not the length of its shape" }
    }
    return nil
  }

  private func layoutProblem(byteCount: UInt64?) -> String? {
    let layout = Planner.layout(of: self, format: "", fileByteCount: byteCount)
    var cursor: UInt64 = 0
    for segment in layout.segments {
      guard segment.offset == cursor else { return "segments do not tile at \(cursor)" }
      guard 1...Limits.segmentBytes ~= segment.byteCount else { return "a segment of \(segment.byteCount) bytes" }
      cursor += UInt64(segment.byteCount)
    }
    // Of a pipe, what follows the last segment is plain bytes.
    let end = byteCount ?? payloads.last.map { $0.offset + $0.byteCount } ?? 0
    guard byteCount == nil ? cursor <= end : cursor == end else { return "segments end at \(cursor) of \(end)" }
    guard byteCount == nil || layout.tensors.allSatisfy({ $0.offset + $0.byteCount <= end }) else {
      return "a tensor beyond the end"
    }
    return nil
  }
}
