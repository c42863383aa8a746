internal import SwzipCore

/// A member of a container as the file it was.
final class MemberSource: RandomSource {
  private let file: Container
  private let member: Int
  let byteCount: UInt64

  init(_ file: Container, member: Int) {
    self.file = file
    self.member = member
    byteCount = file.files[member].byteCount
  }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    guard position < byteCount else { return 0 }
    let count = Int(min(UInt64(buffer.count), byteCount - position))
    try unsafe file.read(
      member: member, offset: position, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    return count
  }
}
