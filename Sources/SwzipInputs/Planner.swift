package import SwzipCore

/// What is known of a file before it is coded: its tensors and the segments that tile it.
package struct Layout: Equatable, Sendable {
  package var format = "raw"
  package var tensors: [TensorRecord] = []
  /// Segments from the file's start on; what follows the last one is plain bytes.
  package var segments: [SegmentRange] = []
  package var warnings: [String] = []
  /// Whether floats are looked for behind the last segment, in an input whose length is unknown.
  package var guessesTail = false
  /// What counts for the tensors.
  package var memory: [IndexMemory] = []

  package init() {}
}

/// Cuts files into segments (spec/FORMAT.md, section 1): a large tensor is segments of its own, small neighbours of one
/// type share one, everything else is plain bytes. So is what would be a segment of fewer than `leastBytes` between plain bytes.
package enum Planner {
  /// Tensors of fewer values share a segment with their neighbours.
  package static let smallTensorValues = 16_384
  /// A smaller segment, and one more of the plain bytes that it parts, cost more than they save.
  package static let leastBytes: UInt64 = 4096
  /// Where the length of the input is unknown, only so much is cut as its header says; the rest is plain bytes. A header
  /// may claim anything.
  static let mostBytesUnseen: UInt64 = 1 << 42

  package static func layout(of map: FileMap, format: String, fileByteCount: UInt64?) -> Layout {
    var layout = Layout()
    layout.format = format
    layout.tensors = map.tensors
    layout.warnings = map.warnings
    var cursor: UInt64 = 0
    var index = 0
    let payloads = map.payloads
    let end = fileByteCount ?? mostBytesUnseen
    while index < payloads.count, payloads[index].offset < end {
      let first = payloads[index]
      var last = index
      while last + 1 < payloads.count, joins(payloads[index], payloads[last], payloads[last + 1]) { last += 1 }
      let stop = min(payloads[last].offset + payloads[last].byteCount, end)
      // The end of the file counts as plain bytes, unless it is the end of the file's only values.
      let next = last + 1 < payloads.count ? payloads[last + 1].offset : end
      let isBetweenPlain = cursor < first.offset && (stop < next || index > 0 && stop == end)
      if !isBetweenPlain || stop - first.offset >= leastBytes {
        layout.segments += plain(cursor, first.offset)
        layout.segments += shares(
          first.offset, stop, first.elementType, rowLength: last == index ? first.rowLength : 0)
        cursor = stop
      }
      index = last + 1
    }
    if let fileByteCount {
      layout.segments += plain(cursor, fileByteCount)
      if let last = payloads.last, last.offset + last.byteCount > fileByteCount {
        layout.warnings.append(
          "the file is \(last.offset + last.byteCount - fileByteCount) bytes shorter than its header says")
      }
      layout.tensors.removeAll { $0.offset + $0.byteCount > fileByteCount }
    }
    return layout
  }

  /// Whether `next` follows `last` in the shared segment that `first` began.
  private static func joins(_ first: Payload, _ last: Payload, _ next: Payload) -> Bool {
    isSmall(first) && isSmall(next) && next.elementType == first.elementType
      && next.offset == last.offset + last.byteCount
      && next.offset + next.byteCount - first.offset <= UInt64(Limits.segmentBytes)
  }

  private static func isSmall(_ payload: Payload) -> Bool {
    let type = payload.elementType
    return payload.byteCount < UInt64(type.isBlock ? Limits.recordBlockBytes / 2 : smallTensorValues * type.width)
  }

  /// Equal shares of whole rows, none above `Limits.segmentBytes`, or a quarter of that.
  private static func shares(
    _ start: UInt64, _ end: UInt64, _ type: ElementType, rowLength: Int
  ) -> [SegmentRange] {
    guard start < end else { return [] }
    let byteCount = end - start
    let unit = UInt64(max(rowLength, 256) * type.width)
    // Big-endian values are planned from a copy.
    let most = UInt64(type.isSwapped ? Limits.segmentBytes / 4 : Limits.segmentBytes)
    let count = (byteCount + most - 1) / most
    var share = ((byteCount + count - 1) / count + unit - 1) / unit * unit
    if share > most { share = max(most / unit, 1) * unit }
    return stride(from: start, to: end, by: Int(share)).map { from in
      SegmentRange(
        offset: from, byteCount: Int(min(share, end - from)), elementType: type, rowLength: rowLength)
    }
  }

  /// Plain bytes from `start` to `end`.
  package static func plain(_ start: UInt64, _ end: UInt64) -> [SegmentRange] {
    stride(from: start, to: max(start, end), by: Limits.segmentBytes).map { from in
      SegmentRange(
        offset: from, byteCount: Int(min(UInt64(Limits.segmentBytes), end - from)), elementType: .bytes)
    }
  }
}
