internal import CSwzipSystem
internal import SwzipLibc
package import SwzipNames

/// The entries of a tar file, plain or packed by zstd or gzip, in order; by libarchive.
@safe package final class TarReader {
  package struct Entry {
    package enum Kind: Equatable {
      case file, folder, other
      case link(to: String)
    }

    /// As the tar file has it: nobody has looked whether it leads out of where it belongs.
    package let name: String
    package let kind: Kind
    package let byteCount: UInt64
    package let modified: FileTime
    package let permissions: UInt32
  }

  package enum Failure: Error {
    /// There is no libarchive, or no memory.
    case impossible
    /// What is wrong with the file.
    case damaged(String)
  }

  private let file: FileHandle
  private let handle: OpaquePointer

  /// Reads what `file` has from its start; it must not have been read yet.
  package init(_ file: FileHandle) throws(Failure) {
    guard let handle = unsafe swzip_tar_open(file.number) else { throw .impossible }
    self.file = file
    unsafe self.handle = handle
  }

  // Whoever holds it has ended all reads.
  deinit { unsafe swzip_tar_close(handle) }

  /// Nil at the end.
  package func next() throws(Failure) -> Entry? {
    var found = unsafe swzip_tar_entry()
    // The texts live until the next call; they are copied at once.
    let kind = unsafe swzip_tar_next(handle, &found)
    if kind == SWZIP_TAR_END { return nil }
    guard kind != SWZIP_TAR_DAMAGED else { throw damage }
    guard let name = unsafe Self.text(found.name), unsafe found.byte_count >= 0 else {
      throw .damaged("an entry has no name, or no size")
    }
    var entryKind = Entry.Kind.other
    if kind == SWZIP_TAR_FILE { entryKind = .file }
    if kind == SWZIP_TAR_FOLDER { entryKind = .folder }
    if kind == SWZIP_TAR_LINK, let target = unsafe Self.text(found.target) { entryKind = .link(to: target) }
    return unsafe Entry(
      name: name, kind: entryKind, byteCount: UInt64(found.byte_count),
      modified: FileTime(seconds: found.seconds, nanoseconds: min(found.nanoseconds, 999_999_999)),
      permissions: found.permissions)
  }

  /// The next bytes of the entry; none at its end.
  package func bytes() throws(Failure) -> [UInt8] {
    var piece = [UInt8](repeating: 0, count: 1 << 18)
    var span = piece.mutableSpan
    // The pointer is used inside the closure only.
    let count = unsafe span.withUnsafeMutableBytes { unsafe swzip_tar_read(handle, $0.baseAddress, $0.count) }
    guard count >= 0 else { throw damage }
    return Array(piece[..<count])
  }

  // libarchive's words live as long as the reader; they are copied.
  private var damage: Failure { .damaged(unsafe String(cString: swzip_tar_words(handle))) }

  private static func text(_ text: UnsafePointer<CChar>?) -> String? {
    guard let text = unsafe text else { return nil }
    return unsafe String(nameBytes: UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }
}
