public import SwzipCore

/// What could be saved of one file.
public struct SalvagedFile: Sendable {
  /// Empty for a packed file.
  public var name: String
  /// Ranges of the original that are lost, in order; they are zero in the output, as far as that reaches.
  public internal(set) var missing: [Range<UInt64>] = []
  public internal(set) var recoveredByteCount: UInt64 = 0
  /// Of the output, zeros for lost ranges included.
  public internal(set) var byteCount: UInt64 = 0
  /// Whether the length of the original is known. If not, more may be missing at the end.
  public internal(set) var knowsEnd = false
  /// Why blocks that need a base could not be had; nil where none was wanting.
  public internal(set) var missingBase: SwzipError?
}

/// What could be saved of a damaged container.
public struct SalvageReport: Sendable {
  /// Those of which there is something, in order.
  public internal(set) var files: [SalvagedFile] = []
  /// Names of those of which there is nothing.
  public internal(set) var lost: [String] = []
  /// Whether the index is whole, its root compared: it alone proves that no file and no end is missing.
  public internal(set) var hasIndex = false
  /// Bytes before the container begins, which are none of it.
  public internal(set) var precedingByteCount: UInt64 = 0

  /// Whether all that was packed has been saved, beyond doubt.
  public var isWhole: Bool {
    hasIndex && precedingByteCount == 0 && lost.isEmpty && files.allSatisfy(\.missing.isEmpty)
  }
}

/// Writes what can be read of a damaged container of one file; lost ranges become zeros. Where the index is whole, it says
/// where everything lies; else frames are found by walking, and after damage by looking for one whose hash verifies.
/// `bases`: what a container of differences may find its bases in; blocks that need another are lost.
/// Cost: hashes at most `FrameScanner.workFactor` times the container's bytes; zeros are limited by its bytes too.
/// Throws `notAContainer` if nothing in it is a container's.
public func salvage(
  from source: any RandomSource, to sink: any OutputSink, bases: (any BaseResolver)? = nil
) throws(SwzipError) -> SalvageReport {
  let container = try DamagedContainer(source)
  guard !container.isFolder else { throw SwzipError(.refused, .severalFiles) }
  return try salvage(container, SingleMember(sink), bases)
}

/// As above, for a folder. A block is given to a file only where frames or index leave no doubt whose it is; a file of
/// which nothing is found is not begun.
public func salvage(
  from source: any RandomSource, to members: any MemberSinks, bases: (any BaseResolver)? = nil
) throws(SwzipError) -> SalvageReport {
  let container = try DamagedContainer(source)
  guard container.isFolder else { throw SwzipError(.invalidArgument, .range) }
  return try salvage(container, members, bases)
}

/// Whether a container, which may be damaged, holds a folder.
public func looksLikeFolder(_ source: any RandomSource) throws(SwzipError) -> Bool {
  let start = try source.bytes(at: 0, count: Int(min(source.byteCount, UInt64(FileHeader.byteCount))))
  if let header = try? FileHeader.read(start) { return header.kind != .file }
  return try DamagedContainer(source).isFolder
}

private func salvage(
  _ container: DamagedContainer, _ sinks: any MemberSinks, _ bases: (any BaseResolver)?
) throws(SwzipError) -> SalvageReport {
  let members = SalvagedMembers(sinks, containerByteCount: container.source.byteCount)
  let assembler = try SalvageAssembler(container, members, OpenBases(bases))
  if let index = container.index {
    try assembler.follow(index)
  } else {
    let found = try assembler.walk()
    guard found || container.header != nil else { throw SwzipError(.corrupt, .notAContainer, at: 0) }
  }
  var report = SalvageReport()
  (report.files, report.lost) = (members.files, members.lost)
  report.hasIndex = container.index != nil
  report.precedingByteCount = container.start
  return report
}
