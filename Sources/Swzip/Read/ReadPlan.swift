internal import SwzipCore

/// What of a container a request takes: ranges of its bytes, in order, each with the blocks that are wanted of it. Ranges that
/// lie near each other are one. A file reads them, and so can whatever else gets ranges; by several threads, in any order.
struct ReadPlan {
  /// A range of the container, which is read at once.
  struct Step {
    fileprivate(set) var range: Range<UInt64>
    fileprivate(set) var parts: [Part]
  }

  /// What of a segment is wanted of a range.
  struct Part {
    let number: Int
    let segment: Segment
    /// In a row.
    fileprivate(set) var blocks: Range<Int>
  }

  enum Segment {
    case open(OpenSegment)
    /// Its frame is in the range too.
    case closed(SegmentTable)
  }

  private(set) var steps: [Step] = []
  private let stepBytes, nearBytes: UInt64

  /// `byteCount`: what the ranges may have in all, shared by `threads`; `steps`: as the source has them.
  init(byteCount: UInt64, threads: Int, _ steps: ReadSteps) {
    let share = threads > 1 ? byteCount / UInt64(4 * threads) : .max
    stepBytes = min(max(share, steps.least), steps.most)
    nearBytes = steps.near
  }

  /// The frame of a segment that is not open, and blocks of it, in one step; false if they are too much for one.
  mutating func add(
    _ number: Int, _ place: ContainerIndex.Place, _ table: SegmentTable, _ blocks: Range<Int>
  ) -> Bool {
    let (start, end) = (table.positions[blocks.lowerBound], table.positions[blocks.upperBound])
    guard start - place.blocksPosition <= nearBytes, end - place.framePosition <= stepBytes || blocks.count == 1
    else { return false }
    add(place.framePosition..<end, Part(number: number, segment: .closed(table), blocks: blocks))
    return true
  }

  mutating func add(block: Int, of number: Int, _ segment: OpenSegment) {
    add(
      segment.table.range(ofBlock: block), Part(number: number, segment: .open(segment), blocks: block..<(block + 1)))
  }

  /// Adds a range behind all others.
  private mutating func add(_ range: Range<UInt64>, _ part: Part) {
    let last = steps.count - 1
    guard last >= 0, range.lowerBound - steps[last].range.upperBound <= nearBytes,
      range.upperBound - steps[last].range.lowerBound <= stepBytes
    else {
      steps.append(Step(range: range, parts: [part]))
      return
    }
    steps[last].range = steps[last].range.lowerBound..<range.upperBound
    let before = steps[last].parts.count - 1
    if steps[last].parts[before].number == part.number,
      steps[last].parts[before].blocks.upperBound == part.blocks.lowerBound
    {
      steps[last].parts[before].blocks = steps[last].parts[before].blocks.lowerBound..<part.blocks.upperBound
    } else {
      steps[last].parts.append(part)
    }
  }
}
