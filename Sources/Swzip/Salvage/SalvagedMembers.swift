internal import SwzipCore

/// Writes what is recovered of the members of a damaged container, zeros for what is lost before it, and keeps account. A
/// member is begun when the first of its bytes is there.
final class SalvagedMembers {
  private let sinks: any MemberSinks
  /// Finished members, by their numbers.
  private var finished: [Int: SalvagedFile] = [:]
  private(set) var lost: [String] = []
  private var names = MemberNames()
  private var current: Current?
  private var zeroCount: UInt64 = 0
  private let mostZeros: UInt64
  /// What damaged or hostile fields claim far beyond the container writes nothing.
  private static let zeroFactor: UInt64 = 256
  private static let freeZeros: UInt64 = 16 << 20

  private struct Current {
    let number: Int
    let header: MemberHeader
    var file: SalvagedFile
    /// Nil: not begun.
    var sink: (any OutputSink)?
    /// Where it ends, or at least reaches.
    var end: UInt64
  }

  init(_ sinks: any MemberSinks, containerByteCount: UInt64) {
    self.sinks = sinks
    mostZeros = min(containerByteCount, 1 << 50) * Self.zeroFactor + Self.freeZeros
  }

  /// In order of their numbers.
  var files: [SalvagedFile] { finished.sorted { $0.key < $1.key }.map(\.value) }

  /// The member whose bytes are being written.
  var number: Int? { current?.number }
  /// Where its output ends.
  var position: UInt64 { current?.file.byteCount ?? 0 }
  /// Its length, if that is known.
  var knownEnd: UInt64? { current.flatMap { $0.file.knowsEnd ? $0.end : nil } }
  var bases: [BaseRecord] { current?.header.bases ?? [] }

  /// A member begins. `byteCount`: its length, if it is known.
  func begin(_ header: MemberHeader, number: Int, byteCount: UInt64?) throws(SwzipError) {
    try end()
    if !header.name.isEmpty {
      // Two files of a name: the first has it.
      do throws(SwzipError) { try names.add(header.name, .corrupt) } catch { return lost.append(header.name) }
    }
    var file = SalvagedFile(name: header.name)
    file.knowsEnd = byteCount != nil
    current = Current(number: number, header: header, file: file, end: byteCount ?? 0)
  }

  /// The member reaches so far at least.
  func reach(_ end: UInt64) {
    guard let current, !current.file.knowsEnd else { return }
    self.current?.end = max(current.end, end)
  }

  /// Notes that a base could not be had.
  func note(_ error: SwzipError) { current?.file.missingBase = error.text }

  /// Recovered bytes of the current member; left out where so many zeros would have to stand before them that the container
  /// cannot mean it.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SwzipError) {
    guard let position = current?.file.byteCount, offset >= position, mayFill(offset) else { return }
    guard let sink = try sink() else { return }
    try fill(offset, sink)
    try unsafe sink.write(bytes)
    current?.file.byteCount += UInt64(bytes.count)
    current?.file.recoveredByteCount += UInt64(bytes.count)
  }

  /// The current member ends.
  func end() throws(SwzipError) {
    guard let done = current else { return }
    // An empty file is whole if its length is known.
    if done.end == 0, done.file.knowsEnd { _ = try sink() }
    guard let sink = current?.sink else {
      current = nil
      if done.header.name.isEmpty {
        finished[done.number] = done.file.allMissing(to: done.end)
      } else {
        lost.append(done.header.name)
      }
      return
    }
    if mayFill(done.end) {
      try fill(done.end, sink)
    } else {
      current?.file.missing.append(done.file.byteCount..<done.end)
    }
    try sinks.end()
    finished[done.number] = current?.file
    current = nil
  }

  /// Reads recovered bytes of this member or an earlier one.
  func readBack(
    _ member: Int, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    guard let file = member == current?.number ? current?.file : finished[member],
      file.holds(offset, target.count)
    else { throw SwzipError(.base, .baseMissing) }
    if member == current?.number {
      guard let sink = current?.sink else { throw SwzipError(.base, .baseMissing) }
      try unsafe sink.readBack(at: offset, into: target)
    } else {
      try unsafe sinks.readBack(member: member, at: offset, into: target)
    }
  }

  private func sink() throws(SwzipError) -> (any OutputSink)? {
    guard let current else { return nil }
    if let sink = current.sink { return sink }
    // No length: what a damaged container claims must not reserve space.
    var info = MemberInfo(current.header)
    info.byteCount = nil
    self.current?.sink = try sinks.begin(info, number: current.number)
    return self.current?.sink
  }

  private func mayFill(_ offset: UInt64) -> Bool {
    offset <= position || offset - position <= mostZeros - min(mostZeros, zeroCount)
  }

  /// Zeros for what is lost before `offset`.
  private func fill(_ offset: UInt64, _ sink: any OutputSink) throws(SwzipError) {
    guard offset > position else { return }
    let gap = position..<offset
    current?.file.missing.append(gap)
    zeroCount += offset - gap.lowerBound
    let zeros = [UInt8](repeating: 0, count: Int(min(offset - position, 1 << 16)))
    while position < offset {
      let count = min(offset - position, UInt64(zeros.count))
      try sink.write(count == zeros.count ? zeros : Array(zeros[..<Int(count)]))
      current?.file.byteCount += count
    }
  }
}

extension SalvagedFile {
  fileprivate init(name: String) { self.name = name }

  fileprivate func allMissing(to end: UInt64) -> SalvagedFile {
    var file = self
    if end > 0 { file.missing = [0..<end] }
    return file
  }

  /// Whether all of a range was recovered.
  fileprivate func holds(_ offset: UInt64, _ count: Int) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= byteCount else { return false }
    // The first that ends behind `offset`.
    var (low, high) = (0, missing.count)
    while low < high {
      let middle = (low + high) / 2
      if missing[middle].upperBound <= offset { low = middle + 1 } else { high = middle }
    }
    return low == missing.count || missing[low].lowerBound >= end
  }
}
