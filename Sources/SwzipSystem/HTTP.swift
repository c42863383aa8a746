internal import CSwzipSystem
internal import SwzipLibc

/// Connections to servers, by libcurl. One thread at a time uses them, and a forked child never.
@safe package final class HTTPConnections: @unchecked Sendable {  // by the protocol of its users
  fileprivate let handle: OpaquePointer
  private let process = getpid()

  package static var isPossible: Bool { swzip_http_is_there() != 0 }

  /// Nil: there is no libcurl, or no memory.
  package init?() {
    guard let handle = unsafe swzip_http_open() else { return nil }
    unsafe self.handle = handle
  }

  deinit {
    // To say goodbye on them is the parent's business.
    if getpid() == process { unsafe swzip_http_close(handle) }
  }

  /// Moves all transfers on, and waits for more at most so long; false if that cannot be.
  package func wait(milliseconds: Int32) -> Bool { unsafe swzip_http_wait(handle, milliseconds) == 0 }
}

/// What takes the answer to a request, on the thread that waits for it. False ends the transfer.
package protocol HTTPReceiver: AnyObject {
  /// A line of a head, those of redirections too.
  func take(head line: UnsafeRawBufferPointer) -> Bool
  func take(body bytes: UnsafeRawBufferPointer) -> Bool
}

/// A request that is under way, or over.
@safe package final class HTTPTransfer {
  package enum State {
    case runs, done
    /// By its receiver.
    case ended
    /// It may do another time, or never will.
    case broken, failed
  }

  private let connections: HTTPConnections
  private let receiver: any HTTPReceiver
  private var handle: OpaquePointer?

  /// `headers`: "Name: value". Nil: there is no memory.
  package init?(_ url: String, headers: [String], to receiver: any HTTPReceiver, on connections: HTTPConnections) {
    self.connections = connections
    self.receiver = receiver
    // Copies for the call, which makes its own.
    let lines = unsafe headers.map { unsafe UnsafePointer<CChar>?(strdup($0)) } + [nil]
    defer { for index in unsafe lines.indices { unsafe free(UnsafeMutablePointer(mutating: lines[index])) } }
    unsafe lines.withUnsafeBufferPointer { lines in
      unsafe url.withCString { url in
        var request = unsafe swzip_request(
          url: url, headers: lines.baseAddress!, head: takeHead, body: takeBody,
          context: Unmanaged.passUnretained(self).toOpaque())
        unsafe handle = swzip_http_begin(connections.handle, &request)
      }
    }
    if unsafe handle == nil { return nil }
  }

  deinit { if let handle = unsafe handle { unsafe swzip_transfer_end(connections.handle, handle) } }

  package var state: State {
    switch unsafe Int(swzip_transfer_state(handle)) {
    case SWZIP_TRANSFER_RUNS: .runs
    case SWZIP_TRANSFER_DONE: .done
    case SWZIP_TRANSFER_ENDED: .ended
    case SWZIP_TRANSFER_BROKEN: .broken
    default: .failed
    }
  }

  /// What is wrong, in libcurl's words.
  package var words: String { unsafe String(cString: swzip_transfer_words(handle)) }

  /// Where redirections led.
  package var url: String? { unsafe swzip_transfer_url(handle).map { unsafe String(cString: $0) } }

  fileprivate func take(head line: UnsafeRawBufferPointer) -> Bool { unsafe receiver.take(head: line) }
  fileprivate func take(body bytes: UnsafeRawBufferPointer) -> Bool { unsafe receiver.take(body: bytes) }
}

// What libcurl calls: with the transfer, which lives until it has ended, and bytes that are there meanwhile.

private func takeHead(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  let transfer = unsafe Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
  return unsafe transfer.take(head: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}

private func takeBody(
  _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
  guard size * count > 0 else { return 0 }
  let transfer = unsafe Unmanaged<HTTPTransfer>.fromOpaque(context!).takeUnretainedValue()
  return unsafe transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
}
