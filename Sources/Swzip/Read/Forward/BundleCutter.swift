internal import SwzipCore

/// Cuts the bytes of a bundle, as they come, into its files. One thread at a time.
final class BundleCutter {
  private let files: [BundledFile]
  private let firstNumber: Int
  private let members: (any MemberSinks)?
  private let storesSHA256: Bool
  /// The file whose bytes come next.
  private var current = 0
  private var sink: (any OutputSink)?
  private var sha256: SHA256Sum?
  private var digests: [[UInt8]] = []
  private var left: UInt64 = 0

  /// Without `members` the files are hashed only.
  init(_ files: [BundledFile], firstNumber: Int, storesSHA256: Bool, _ members: (any MemberSinks)?) {
    self.files = files
    self.firstNumber = firstNumber
    self.storesSHA256 = storesSHA256
    self.members = members
    current = -1
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    var done = 0
    while done < bytes.count {
      while left == 0 { try advance() }
      let count = Int(min(left, UInt64(bytes.count - done)))
      let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[done..<(done + count)])
      unsafe sha256?.add(part)
      try unsafe sink?.write(part)
      done += count
      left -= UInt64(count)
    }
  }

  /// Ends the last file; returns the SHA-256 of each, if they are stored. All bytes have been written.
  func finish() throws(SwzipError) -> [[UInt8]] {
    while current < files.count { try advance() }
    return digests
  }

  /// Ends a file and begins the next.
  private func advance() throws(SwzipError) {
    if current >= 0 {
      if sink != nil { try members?.end() }
      if let sum = sha256?.finish() { digests.append(sum) }
    }
    current += 1
    guard current < files.count else {
      (sink, sha256) = (nil, nil)
      return
    }
    left = files[current].byteCount
    sha256 = storesSHA256 ? SHA256Sum() : nil
    sink = try members?.begin(MemberInfo(files[current]), number: firstNumber + current)
  }
}

extension MemberInfo {
  init(_ file: BundledFile) {
    self.init(name: file.name, mode: file.mode, time: file.time, byteCount: file.byteCount)
  }
}
