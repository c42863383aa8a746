internal import CSwzipKernels

/// How what a segment's blocks have besides what is computed is coded: a table for each context, or several.
final class ReplayPlan {
  let replay: ReplayCoding
  let encoder: RansEncoder
  let blockValues: Int
  let references: [Reference]

  /// Plans a segment given what its values were made of. Cost: a pass of its blocks.
  init(
    _ segment: PlainSegment, _ base: UnsafeRawBufferPointer, _ kind: ReplayKind, _ reference: Reference
  ) throws(SwzipError) {
    references = [reference]
    let width = kind.elementType.width
    let count = unsafe segment.values.count / width
    let blocks = (count + kind.mostValues - 1) / kind.mostValues
    let least = (Limits.smallestRecordBlockBytes + width - 1) / width
    blockValues = blocks == 1 ? count : max((count + blocks - 1) / blocks, least)
    let histograms = try Histograms(count: ReplayCoding.contexts)
    for first in stride(from: 0, to: count, by: blockValues) {
      let values = first..<min(first + blockValues, count)
      guard
        let found = unsafe ReplayBlock.Differences(
          UnsafeRawBufferPointer(rebasing: segment.values[(values.lowerBound * width)..<(values.upperBound * width)]),
          UnsafeRawBufferPointer(
            rebasing: base[(values.lowerBound * kind.referenceWidth)..<(values.upperBound * kind.referenceWidth)]),
          kind, scratch: segment.scratch), !found.areNone
      else { continue }
      var symbols = unsafe UnsafePointer(found.symbols)
      for (context, run) in found.runs.enumerated() where run > 0 {
        unsafe swzip_histogram_add(symbols, run, 1, histograms[context])
        unsafe symbols += run
      }
    }
    let contexts = RansContexts(histograms)
    let rans = RansCoding(
      tables: contexts.tables,
      tableOfContext: (0..<ReplayCoding.contexts).map { UInt8(contexts.group(ofContext: $0)) })
    replay = ReplayCoding(kind, rans)
    encoder = try RansEncoder(rans)
  }
}

extension ReplayPlan: CodecPlan {
  var coding: any Coding { replay }

  func bound(_ valueCount: Int) -> Int { ReplayBlock.bound(valueCount, kind: replay.kind) }

  func encode(_ block: PlainBlock) -> BlockPayload? {
    guard let reference = unsafe block.reference else { return nil }
    return unsafe ReplayBlock.encode(block, reference, plan: self)
  }
}
