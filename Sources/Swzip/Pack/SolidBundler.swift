internal import SwzipCore
internal import SwzipInputs

/// Joins files of up to 2 MiB to bundles of plain bytes where they repeat each other so often that zstd, which sees them all in
/// one block, takes less than codes of their values: one model in four formats.
struct SolidBundler {
  private static let mostBytes = UInt64(Limits.writtenPlainBlockBytes)
  private static let mostFiles = 4096
  /// Of typed files so long each is tried alone: its values may be coded better than repeated.
  private static let leastTriedBytes = 32_768
  /// What is decoded as a whole has to save a tenth.
  private static let leastGain: UInt64 = 10
  /// Of a member and its part of the directory.
  private static let memberBytes: UInt64 = 160

  /// Levels that tell the sizes about as well as the highest, much faster.
  private let trial: SegmentTrial
  private let level: Int32 = 9
  private let compressors = Compressors()

  init() throws(SwzipError) { trial = try SegmentTrial(Effort(level: 5)) }

  private struct Part {
    let member: PlannedMember
    let bytes: [UInt8]
    /// What it takes as a member of its own.
    let alone: UInt64
    let isTyped: Bool
  }

  /// The members, with bundles where the first file of each was.
  func join(_ members: [PlannedMember]) throws(SwzipError) -> [PlannedMember] {
    var joined: [PlannedMember] = []
    var run: [PlannedMember] = []
    var (byteCount, fileCount): (UInt64, Int) = (0, 0)
    for member in members {
      let (bytes, files) = (member.header.byteCount ?? .max, member.header.files?.count ?? 1)
      let isSmall = bytes <= Self.mostBytes && Self.isJoinable(member)
      if !isSmall || byteCount + bytes > Self.mostBytes || fileCount + files > Self.mostFiles {
        joined += try solid(run)
        (run, byteCount, fileCount) = ([], 0, 0)
      }
      if isSmall {
        run.append(member)
        byteCount += bytes
        fileCount += files
      } else {
        joined.append(member)
      }
    }
    return joined + (try solid(run))
  }

  private static func isJoinable(_ member: PlannedMember) -> Bool {
    switch member.origin {
    case .file(let file): file.bases.isEmpty && file.fitsBundle
    case .bundle: true
    case .input: false
    }
  }

  /// The members of a run, those in one bundle that are smaller so.
  private func solid(_ run: [PlannedMember]) throws(SwzipError) -> [PlannedMember] {
    guard run.count > 1 else { return run }
    let parts = try run.map { member throws(SwzipError) in try part(member) }
    var inside = Array(parts.indices)
    var size = try byteCount(inside.map { parts[$0] })
    let tried = inside.filter { parts[$0].isTyped && parts[$0].bytes.count >= Self.leastTriedBytes }
    for index in tried.sorted(by: { (parts[$0].bytes.count, $1) > (parts[$1].bytes.count, $0) }) {
      let others = inside.filter { $0 != index }
      let without = try byteCount(others.map { parts[$0] })
      if without + parts[index].alone < size { (inside, size) = (others, without) }
    }
    let apart = inside.reduce(0) { $0 + parts[$1].alone }
    guard inside.count > 1, size * Self.leastGain < apart * (Self.leastGain - 1) else { return run }
    var bundle = PlannedMember(bundling: inside.map { parts[$0].member })
    bundle.layout.segments = Planner.plain(0, bundle.header.byteCount ?? 0)
    return run.indices.compactMap { $0 == inside[0] ? bundle : inside.contains($0) ? nil : run[$0] }
  }

  private func part(_ member: PlannedMember) throws(SwzipError) -> Part {
    let source = try member.source()
    let bytes = try source.bytes(at: 0, count: Int(member.header.byteCount ?? 0))
    var alone = Self.memberBytes
    for segment in member.layout.segments { alone += try trial.byteCount(of: segment, in: source).byteCount }
    return Part(
      member: member, bytes: bytes, alone: alone,
      isTyped: member.layout.segments.contains { $0.elementType != .bytes })
  }

  /// Of all as one block.
  private func byteCount(_ parts: [Part]) throws(SwzipError) -> UInt64 {
    let bytes = parts.flatMap(\.bytes)
    let target = try Memory(bytes.count)
    let packed = unsafe bytes.withUnsafeBytes { unsafe compressors.zstd($0, into: target.bytes, level: level) }
    return UInt64(packed ?? bytes.count) + Self.memberBytes
  }
}
