internal import SwzipCore
internal import SwzipSystem

/// The answer to a request: its head, and its body where that is wanted.
@safe final class HTTPAnswer: HTTPReceiver {
  private(set) var head = HTTPHead()
  /// Of the body, in the room for it.
  private(set) var byteCount = 0
  /// Whether there is more than was asked for.
  private(set) var isTooLong = false
  private var headByteCount = 0
  private let room: UnsafeMutableRawBufferPointer
  let takes: (HTTPHead) -> Bool

  /// Of all heads that one request may lead to.
  private static let mostHeadBytes = 256 << 10

  /// `room` is there until the transfer has ended. `takes`: whether a body with that head is wanted.
  init(_ room: UnsafeMutableRawBufferPointer, takes: @escaping (HTTPHead) -> Bool) {
    unsafe self.room = room
    self.takes = takes
  }

  func take(head line: UnsafeRawBufferPointer) -> Bool {
    headByteCount += line.count
    guard headByteCount <= Self.mostHeadBytes else {
      isTooLong = true
      return false
    }
    head.add(unsafe String(decoding: line, as: UTF8.self))
    return true
  }

  func take(body bytes: UnsafeRawBufferPointer) -> Bool {
    guard takes(head) else { return false }
    guard unsafe bytes.count <= room.count - byteCount else {
      isTooLong = true
      return false
    }
    unsafe UnsafeMutableRawBufferPointer(rebasing: room[byteCount...]).copyMemory(from: bytes)
    byteCount += bytes.count
    return true
  }
}
