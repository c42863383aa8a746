internal import Swzip
internal import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// A tar file, plain or packed by zstd or gzip. libarchive parses it; what is made of an entry is decided here: files, folders, and
/// links that lead to what is below them, under names that lead nowhere else. Anything else refuses the whole.
struct TarFile {
  let path: String

  private static let ends = [".tar", ".tar.zst", ".tzst", ".tar.gz", ".tgz"]

  /// A name without what says that it is a tar file; nil where nothing does.
  static func stem(_ name: String) -> String? { ends.lazy.compactMap { name.withoutSuffix($0) }.first }

  /// Writes all files to a folder.
  func unpack(to folder: AtomicFolder) throws(SwzipError) {
    try forEach { (entry, name, reader) throws(SwzipError) in
      if case .link(let target) = entry.kind {
        return try onSystem(name) { () throws(SystemError) in try folder.createLink(name, to: target) }
      }
      if let free = folder.freeByteCount, entry.byteCount > free {
        throw SwzipError(
          .io, .system, file: path, detail: "there is no room to unpack \(name.printable); free some space")
      }
      let file = try onSystem(path) { () throws(SystemError) in try folder.create(name) }
      while let bytes = try next(reader) {
        try onSystem(path) { () throws(SystemError) in
          // The pointer is used inside the closure only.
          try unsafe bytes.span.withUnsafeBytes { (bytes) throws(SystemError) in unsafe try file.write(bytes) }
        }
      }
      try onSystem(path) { () throws(SystemError) in
        try file.setMode(entry.permissions | 0o600)
        try file.setTimes(accessed: entry.modified, modified: entry.modified)
        try file.close()
      }
    }
  }

  /// Reads it again, and throws unless each file has the SHA-256 that is known for its name.
  func prove(_ known: [Exact: Digest]) throws(SwzipError) {
    try forEach { (entry, name, reader) throws(SwzipError) in
      guard entry.kind == .file else { return }
      guard let digest = known[Exact(name)] else {
        throw refused("\(name.printable) in it is part of no checkpoint; drop --rm")
      }
      var sum = SHA256Sum()
      while let bytes = try next(reader) { sum.add(bytes) }
      guard Digest(sum.finish()) == digest else { throw SwzipError.sourceChanged.of(path) }
    }
  }

  /// Calls `work` for each file and link, with its name below the folder.
  private func forEach(
    _ work: (TarReader.Entry, String, TarReader) throws(SwzipError) -> Void
  ) throws(SwzipError) {
    let file = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
    let reader = try attempt { () throws(TarReader.Failure) in try TarReader(file) }
    var count = 0
    while let entry = try attempt({ () throws(TarReader.Failure) in try reader.next() }) {
      count += 1
      guard count <= Limits.members else { throw refused("it has too many entries") }
      let parts = entry.name.nameParts
      guard parts.first != "", !parts.contains("..") else {
        throw refused("the name \(entry.name.printable) in it leads out of the folder")
      }
      switch entry.kind {
      case .folder: continue
      case .link(let target):
        let parts = target.nameParts
        guard parts.first != "", !parts.contains("..") else {
          throw refused("the link \(entry.name.printable) in it leads out of its folder")
        }
      case .file: break
      case .other: throw refused("\(entry.name.printable) in it is a hard link, or no file")
      }
      try work(entry, parts.filter { !$0.isEmpty && $0 != "." }.joined(separator: "/"), reader)
    }
  }

  private func next(_ reader: TarReader) throws(SwzipError) -> [UInt8]? {
    let bytes = try attempt { () throws(TarReader.Failure) in try reader.bytes() }
    return bytes.isEmpty ? nil : bytes
  }

  private func attempt<Result>(_ call: () throws(TarReader.Failure) -> Result) throws(SwzipError) -> Result {
    do throws(TarReader.Failure) { return try call() } catch {
      switch error {
      case .impossible: throw refused("tar files are read by libarchive, which is not there; install libarchive13")
      case .damaged(let words): throw SwzipError(.corrupt, .system, file: path, detail: words)
      }
    }
  }

  private func refused(_ text: String) -> SwzipError { SwzipError(.refused, .system, file: path, detail: text) }
}
