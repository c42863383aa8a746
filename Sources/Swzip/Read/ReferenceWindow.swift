internal import SwzipCore

/// What some blocks in a row refer to: of each reference, all that they need is read at once, when the first of them does.
@safe final class ReferenceWindow {
  typealias Read = (
    _ reference: Reference, _ offset: UInt64, _ target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes?

  private let header: SegmentHeader
  private let worker: ReadWorker
  private let source: Read
  /// Of the ranges that are referred to, what the blocks need.
  private let range: Range<UInt64>
  private var windows: [LentBytes?]

  /// `source`: bytes of a reference from an offset in its range on, by the worker's thread.
  init(_ header: SegmentHeader, _ blocks: Range<Int>, _ worker: ReadWorker, _ source: @escaping Read) {
    self.header = header
    self.worker = worker
    unsafe self.source = source
    let unit = UInt64(header.blockValues) * UInt64(header.referenceWidth)
    range =
      UInt64(blocks.lowerBound) * unit..<min(UInt64(blocks.upperBound) * unit, header.referencedByteCount)
    windows = Array(repeating: nil, count: header.references.count)
  }

  /// A `ReferenceReader`.
  func read(
    _ number: Int, _ offset: UInt64, _ target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes? {
    let window: LentBytes
    if let known = windows[number] {
      window = known
    } else {
      let room = try unsafe worker.referenced(number, Int(range.upperBound - range.lowerBound))
      let lent = try unsafe source(header.references[number], range.lowerBound, room)
      window = unsafe lent ?? LentBytes(UnsafeRawBufferPointer(room), owner: worker)
      windows[number] = window
    }
    return window.part(at: Int(offset - range.lowerBound), count: target.count)
  }
}
