internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Runs a call of the system for a file, with its error as the library's.
func onSystem<Result>(
  _ path: String, _ call: () throws(SystemError) -> Result
) throws(SwzipError) -> Result {
  do throws(SystemError) { return try call() } catch { throw SwzipError(error).of(path) }
}

/// Throws where a name stands that may not survive a power cut.
func requireDurable(_ durability: Durability, _ path: String) throws(SwzipError) {
  do throws(SystemError) { try durability.require() } catch {
    throw SwzipError(
      .io, .system, file: path, errno: error.errno,
      detail: "it may not survive a power cut: \(error.words); run it again")
  }
}

/// Behind the last slash.
func lastPart(_ path: String) -> String { splitPath(path)?.name ?? path }

/// A small file, durable when this returns.
func writeDurably(_ text: String, to path: String, replacing: Bool) throws(SwzipError) {
  let durability = try onSystem(path) { () throws(SystemError) in
    let file = try AtomicFile(target: path, mode: 0o666)
    try file.handle.write(text)
    return try file.publish(replacing: replacing)
  }
  try requireDurable(durability, path)
}

/// Removes a file for good; also one that is gone already, by somebody who may have been killed.
func removeDurably(_ path: String) throws(SwzipError) {
  let durability: Durability
  do throws(SystemError) { durability = try removeFile(path) } catch {
    guard error.isMissing else { throw SwzipError(error).of(path) }
    return try syncNames(in: splitPath(path)?.directory ?? ".")
  }
  try requireDurable(durability, path)
}

/// Makes durable what others wrote.
func syncFile(_ path: String) throws(SwzipError) {
  try onSystem(path) { () throws(SystemError) in
    let file = try FileHandle.open(path, followingLinks: false)
    do throws(SystemError) { try file.sync() } catch { if !error.isUnsupported { throw error } }
  }
}

/// Makes durable what others did to a folder, if it is there and may be read; who made it has synced it.
func syncNames(in folder: String) throws(SwzipError) {
  let durability: Durability
  do throws(SystemError) { durability = try syncFolder(folder) } catch {
    guard error.isMissing else { throw SwzipError(error).of(folder) }
    return
  }
  if case .unknown(let error) = durability, error.errno == System.accessDenied { return }
  try requireDurable(durability, folder)
}

/// At most one byte more than a record has.
func smallFile(_ path: String, mostBytes: Int = SummedText.mostBytes) throws(SwzipError) -> [UInt8] {
  let (source, status) = try openFile(path)
  do throws(SwzipError) {
    return try source.bytes(at: 0, count: Int(min(status.byteCount, UInt64(mostBytes) + 1)))
  } catch {
    throw error.of(path)
  }
}

/// A file of an archive, or at the URL of one.
func openFile(_ path: String) throws(SwzipError) -> (source: any RandomSource, status: FileStatus) {
  if HTTPSource.isURL(path) {
    let source = try HTTPSource(url: path)
    return (source, .remote(byteCount: source.byteCount))
  }
  let handle = try onSystem(path) { () throws(SystemError) in try FileHandle.open(path, followingLinks: false) }
  let status = try onSystem(path) { () throws(SystemError) in try handle.status() }
  do throws(SwzipError) { return (try FileSource(handle, fromStart: true), status) } catch { throw error.of(path) }
}

extension SwzipError {
  /// Somebody removed or renamed it.
  var isMissingFile: Bool { errno.map { SystemError(errno: $0, operation: "", path: "").isMissing } ?? false }
}
