internal import SwzipCore

/// Writes what is recovered of the members of a damaged container, zeros for what is lost before it, and keeps account. A
/// member is begun when the first of its bytes is there.
final class SalvagedMembers {
  private let sinks: any MemberSinks
  /// Finished files in order, and where those are that are members of their own.
  private(set) var files: [SalvagedFile] = []
  private var places: [Int: Int] = [:]
  /// The files of the current bundle that have not begun, the next one first, and where each begins.
  private var waiting: ArraySlice<(start: UInt64, file: BundledFile)> = []
  /// Numbers of a bundle's files, above those of any member.
  private var nextFileNumber = Limits.members
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
    /// Where the file begins in its member: not at 0 in a bundle.
    var start: UInt64 = 0
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

  /// The member whose bytes are being written.
  private(set) var number: Int?
  private var bundleEnd: UInt64?
  /// Where the output of the current file ends.
  private var position: UInt64 { current?.file.byteCount ?? 0 }
  /// The member's length, if that is known.
  var knownEnd: UInt64? { bundleEnd ?? current.flatMap { $0.file.knowsEnd ? $0.end : nil } }
  var bases: [BaseRecord] { current?.header.bases ?? [] }

  /// A member begins. `byteCount`: its length, if it is known.
  func begin(_ header: MemberHeader, number: Int, byteCount: UInt64?) throws(SwzipError) {
    try end()
    self.number = number
    // Links are not salvaged.
    guard header.link == nil else { return }
    guard let files = header.files else { return try beginFile(header, number: number, byteCount: byteCount) }
    var start: UInt64 = 0
    for file in files {
      waiting.append((start, file))
      start += file.byteCount
    }
    bundleEnd = start
  }

  /// A bundle begins whose files' names are lost.
  func beginNameless(_ bundle: MemberRecord.Bundle, number: Int) throws(SwzipError) {
    try end()
    self.number = number
    lost.append("\(bundle.fileCount) small files, their names too")
  }

  private func beginFile(_ header: MemberHeader, number: Int, byteCount: UInt64?) throws(SwzipError) {
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
  func note(_ error: SwzipError) { current?.file.missingBase = error }

  /// Recovered bytes of the current member; left out where so many zeros would have to stand before them that the container
  /// cannot mean it.
  func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SwzipError) {
    guard bundleEnd != nil else { return try unsafe writeFile(bytes, at: offset) }
    var done = 0
    while done < bytes.count {
      let place = offset + UInt64(done)
      while let next = waiting.first, next.start <= place { try beginNext() }
      guard let current else { return }
      let end = min(bytes.count, Int(min(waiting.first?.start ?? bundleEnd ?? 0, 1 << 62) - min(offset, 1 << 62)))
      guard end > done else { return }
      try unsafe writeFile(UnsafeRawBufferPointer(rebasing: bytes[done..<end]), at: place - current.start)
      done = end
    }
  }

  /// The next file of the current bundle begins.
  private func beginNext() throws(SwzipError) {
    guard let (start, file) = waiting.popFirst() else { return }
    try endFile()
    var header = MemberHeader()
    (header.name, header.mode, header.time) = (file.name, file.mode, file.time)
    try beginFile(header, number: nextFileNumber, byteCount: file.byteCount)
    nextFileNumber += 1
    current?.start = start
  }

  private func writeFile(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(SwzipError) {
    guard let position = current?.file.byteCount, offset >= position, mayFill(offset) else { return }
    guard let sink = try sink() else { return }
    try fill(offset, sink)
    try unsafe sink.write(bytes)
    current?.file.byteCount += UInt64(bytes.count)
    current?.file.recoveredByteCount += UInt64(bytes.count)
  }

  /// The current member ends.
  func end() throws(SwzipError) {
    while !waiting.isEmpty { try beginNext() }
    try endFile()
    bundleEnd = nil
    number = nil
  }

  private func endFile() throws(SwzipError) {
    guard let done = current else { return }
    // An empty file is whole if its length is known.
    if done.end == 0, done.file.knowsEnd { _ = try sink() }
    guard let sink = current?.sink else {
      current = nil
      if done.header.name.isEmpty {
        finish(done.file.allMissing(to: done.end), done.number)
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
    finish(current?.file ?? done.file, done.number)
    current = nil
  }

  private func finish(_ file: SalvagedFile, _ number: Int) {
    places[number] = files.count
    files.append(file)
  }

  /// Reads recovered bytes of this member or an earlier one.
  func readBack(
    _ member: Int, at offset: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    guard let file = member == current?.number ? current?.file : places[member].map({ files[$0] }),
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
  package init(name: String) { self.name = name }

  package func allMissing(to end: UInt64) -> SalvagedFile {
    var file = self
    if end > 0 { file.missing = [0..<end] }
    return file
  }

  /// Whether all of a range was recovered.
  fileprivate func holds(_ offset: UInt64, _ count: Int) -> Bool {
    let (end, overflow) = offset.addingReportingOverflow(UInt64(count))
    guard !overflow, end <= byteCount else { return false }
    let first = missing.partitioningIndex { $0.upperBound > offset }
    return first == missing.count || missing[first].lowerBound >= end
  }
}
