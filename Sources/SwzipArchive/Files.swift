internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Runs a call of the system for a file, with its error as the library's.
func onSystem<Result>(
  _ path: String, _ call: () throws(SystemError) -> Result
) throws(SwzipError) -> Result {
  do throws(SystemError) { return try call() } catch { throw SwzipError(error).of(path) }
}

/// Throws where a name stands that may not survive a power cut; a file system that cannot sync folders at all has nothing to tell.
func requireDurable(_ durability: Durability, _ path: String) throws(SwzipError) {
  guard case .unknown(let error) = durability, !error.isUnsupported else { return }
  throw SwzipError(
    .io, .system, file: path, errno: error.errno,
    detail: "it may not survive a power cut: \(error.words); run it again")
}

/// A small file, durable when this returns.
func writeDurably(_ text: String, to path: String, replacing: Bool) throws(SwzipError) {
  let durability = try onSystem(path) { () throws(SystemError) in
    let file = try AtomicFile(target: path, mode: 0o666)
    try file.handle.write(text)
    return try file.publish(replacing: replacing)
  }
  try requireDurable(durability, path)
}

/// Removes a file, if it is there, for good.
func removeDurably(_ path: String) throws(SwzipError) {
  let durability: Durability
  do throws(SystemError) { durability = try removeFile(path) } catch {
    guard error.isMissing else { throw SwzipError(error).of(path) }
    return
  }
  try requireDurable(durability, path)
}

/// At most one byte more than a record has.
func smallFile(_ path: String) throws(SwzipError) -> [UInt8] {
  let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
  do throws(SwzipError) {
    let source = try FileSource(handle, fromStart: true)
    return try source.bytes(at: 0, count: Int(min(source.byteCount, UInt64(SummedText.mostBytes) + 1)))
  } catch {
    throw error.of(path)
  }
}

extension SwzipError {
  /// Somebody removed or renamed it.
  var isMissingFile: Bool { errno.map { SystemError(errno: $0, operation: "", path: "").isMissing } ?? false }
}
