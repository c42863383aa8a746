internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Proves what was published before what it was made of is removed.
struct Comparison {
  let bases: Bases?
  let threads: Int

  /// A file that was published, to be read from the disk.
  static func reopen(_ path: String) throws(Failure) -> FileSource {
    let handle = try attempt(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
    handle.forgetPages()
    return try attemptLibrary(path) { () throws(SwzipError) in try FileSource(handle) }
  }

  /// Decodes all of a container and compares every byte with a file. `path` is what was published.
  func run(_ container: FileSource, _ file: any RandomSource, _ path: String) throws(Failure) {
    try attemptLibrary(path) { () throws(SwzipError) in
      let sink = ComparingSink(file)
      _ = try unpack(from: container, to: sink, bases: bases, threads: threads)
      try sink.checkEnd()
    }
  }

  /// The same for a folder: `path` holds the files.
  func run(_ container: FileSource, below path: String) throws(Failure) {
    try attemptLibrary(path) { () throws(SwzipError) in
      _ = try unpack(from: container, to: ComparingMembers(path), bases: bases, threads: threads)
    }
  }

  /// Compares a file with a member that needs no base: one of the small ones that have no checksum of their own.
  static func run(_ path: String, _ index: Container, member: Int) throws(Failure) {
    let file = try reopen(path)
    try attemptLibrary(path) { () throws(SwzipError) in
      let sink = ComparingSink(file)
      // The pointer is used inside the closure only.
      try unsafe index.read(member: member, threads: 1) { (bytes) throws(SwzipError) in unsafe try sink.write(bytes) }
      try sink.checkEnd()
    }
  }

  /// Compares a file with the checksum of what was unpacked: where the base that it was made of is replaced by it, it
  /// cannot be made again.
  static func run(_ path: String, checksum: Digest?) throws(Failure) {
    let file = try reopen(path)
    let found = try attemptLibrary(path) { () throws(SwzipError) in try file.checksum() }
    guard found == checksum else { throw Failure(ComparingSink.difference, path: path) }
  }
}
