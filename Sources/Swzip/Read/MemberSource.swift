internal import SwzipCore

/// A member of a container as the file it was.
final class MemberSource: RandomSource {
  private let file: Container
  private let member: Int
  private let threads: Int
  let byteCount: UInt64

  init(_ file: Container, member: Int, threads: Int = 1) {
    self.file = file
    self.member = member
    self.threads = threads
    byteCount = file.files[member].byteCount
  }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    try unsafe file.read(
      member: member, offset: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]),
      threads: threads)
    return count
  }
}
