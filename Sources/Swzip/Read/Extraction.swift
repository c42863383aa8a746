public import SwzipCore

/// Unpacks chosen members of a container at random: what else is in it is not read. Every block is verified (both hashes)
/// before it is written, and each member's checksum at its end.
public func unpack(
  _ chosen: [Int], of file: Container, to members: any MemberSinks, threads: Int, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  var report = UnpackReport()
  report.packedByteCount = file.containerByteCount
  report.root = file.root
  var names = MemberNames()
  var links: [(name: String, target: String)] = []
  for number in chosen {
    guard file.files.indices.contains(number) else { throw SwzipError(.invalidArgument, .range) }
    let place = file.files[number]
    if file.isFolder { try names.add(place.name, .corrupt) }
    if let link = place.link {
      links.append((place.name, link))
      continue
    }
    guard let sink = try members.begin(MemberInfo(place), number: number) else { continue }
    let checksum = try StreamChecksum()
    var sha256 = place.sha256 == nil ? nil : SHA256Sum()
    // The pointer is used inside the closure only.
    try unsafe file.read(member: number, threads: threads) { (bytes) throws(SwzipError) in
      unsafe checksum.add(bytes)
      unsafe sha256?.add(bytes)
      try unsafe sink.write(bytes)
      report.rawByteCount += UInt64(bytes.count)
      progress?(report.rawByteCount)
    }
    guard checksum.sum == place.checksum ?? checksum.sum else { throw SwzipError(.corrupt, .memberHash) }
    guard sha256?.finish() == place.sha256 else { throw SwzipError(.corrupt, .memberSHA256) }
    try members.end()
    report.memberCount += 1
  }
  for link in links { try members.link(link.name, to: link.target) }
  return report
}

extension MemberInfo {
  fileprivate init(_ file: FilePlace) {
    self.init(name: file.name, mode: file.mode, time: file.time, byteCount: file.byteCount)
  }
}

extension Container {
  /// Decoded at once; with several threads as much as they share well.
  private static let stepBytes: (one: UInt64, several: UInt64) = (8 << 20, 32 << 20)

  /// Hands all bytes of a member to `take`, in order and in steps, so that memory is bounded whatever its size.
  public func read(
    member: Int, threads: Int, take: (UnsafeRawBufferPointer) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    guard files.indices.contains(member) else { throw SwzipError(.invalidArgument, .range) }
    let byteCount = files[member].byteCount
    try unsafe read(member: member, offset: 0, byteCount: byteCount, threads: threads, take: take)
  }

  /// As above, for `byteCount` bytes from `offset` on.
  public func read(
    member: Int, offset: UInt64, byteCount: UInt64, threads: Int = 1,
    take: (UnsafeRawBufferPointer) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    let memory = try Memory(Int(min(byteCount, threads > 1 ? Self.stepBytes.several : Self.stepBytes.one)))
    var done: UInt64 = 0
    while done < byteCount {
      let count = Int(min(UInt64(memory.byteCount), byteCount - done))
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
      try unsafe read(member: member, offset: offset + done, into: part, threads: threads)
      try unsafe take(UnsafeRawBufferPointer(part))
      done += UInt64(count)
    }
  }
}
