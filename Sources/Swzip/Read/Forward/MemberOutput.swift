internal import SwzipCore

/// Where the bytes of a member go: into its sums, and to its sink, or those of a bundle's files.
final class MemberOutput {
  private let members: (any MemberSinks)?
  private var sink: (any OutputSink)?
  /// Of a bundle, which has no sink of its own.
  private var bundle: BundleCutter?
  private var sums: StreamChecksum
  private var sha256: SHA256Sum?
  /// The number of the first file of each member.
  private var firstFiles: [Int] = []
  private(set) var written: UInt64 = 0
  /// Of the first member, once it has ended.
  private(set) var checksum: Checksum128?
  private let progress: ProgressHandler?

  init(_ members: (any MemberSinks)?, _ progress: ProgressHandler?) throws(SwzipError) {
    self.members = members
    self.progress = progress
    sums = try StreamChecksum()
  }

  func begin(_ member: MemberHeader, file: Int) throws(SwzipError) {
    firstFiles.append(file)
    (sink, bundle) = (nil, nil)
    if let files = member.files {
      bundle = BundleCutter(files, firstNumber: file, storesSHA256: member.storesSHA256, members)
    } else if member.link == nil {
      sink = try members?.begin(MemberInfo(member), number: file)
    }
    sums = try StreamChecksum()
    sha256 = member.storesSHA256 && bundle == nil ? SHA256Sum() : nil
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    unsafe sums.add(bytes)
    unsafe sha256?.add(bytes)
    try unsafe bundle?.write(bytes)
    try unsafe sink?.write(bytes)
    written += UInt64(bytes.count)
    progress?(written)
  }

  /// The member's sums, once all of it is written; the SHA-256 of each of its files, if they are stored.
  func end() throws(SwzipError) -> (checksum: Checksum128, sha256: [[UInt8]]) {
    if sink != nil { try members?.end() }
    checksum = checksum ?? sums.sum
    return (sums.sum, try bundle?.finish() ?? sha256.map { [$0.finish()] } ?? [])
  }

  /// Reads what was written to a member.
  func readBack(
    _ member: Int, at position: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) {
    if member < firstFiles.count - 1, let members {
      try unsafe members.readBack(member: firstFiles[member], at: position, into: target)
    } else {
      guard let sink else { throw SwzipError(.refused, .notRandomAccess) }
      try unsafe sink.readBack(at: position, into: target)
    }
  }
}
