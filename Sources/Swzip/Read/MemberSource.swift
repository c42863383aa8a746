internal import SwzipCore

/// A member of a container as the file it was.
final class MemberSource: RandomSource {
  private let file: Container
  private let member: Int
  private let threads: Int
  private let policy: CheckPolicy
  let byteCount: UInt64

  init(_ file: Container, member: Int, threads: Int = 1, policy: CheckPolicy = .strict) {
    self.file = file
    self.member = member
    self.threads = threads
    self.policy = policy
    byteCount = file.files[member].byteCount
  }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    try unsafe file.read(
      member: member, offset: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]),
      policy: policy, threads: threads)
    return count
  }
}
