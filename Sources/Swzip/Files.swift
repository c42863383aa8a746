public import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Packs a file to another one, which appears complete and synced or not at all, and replaces one that is there. `bases`: paths
/// of what it may be differences to. Nobody can read the new file who cannot read both. Throws `notRandomAccess` for a pipe, and
/// refuses an output that is the source or the base itself, or no regular file.
public func pack(
  path: String, bases: [String] = [], to output: String, options: PackOptions = PackOptions(),
  progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  let opened = try openBases(bases)
  return try replace(output, path, bases) { source, sink throws(SwzipError) in
    try pack(from: source, bases: opened, to: sink, options: options, progress: progress)
  }
}

/// Unpacks the one member of a container to a file, as `pack` writes one. `bases`: paths of what it may need.
public func unpack(
  path: String, bases: [String] = [], to output: String, threads: Int = 1, control: Control? = nil,
  progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  let resolver = try Bases(bases.map { baseFile($0) })
  return try replace(output, path, bases) { source, sink throws(SwzipError) in
    try unpack(from: source, to: sink, bases: resolver, threads: threads, control: control, progress: progress)
  }
}

/// Writes a file from another one and bases, with the mode and times of the first.
private func replace<Report>(
  _ output: String, _ path: String, _ bases: [String],
  _ write: (FileSource, FileSink) throws(SwzipError) -> Report
) throws(SwzipError) -> Report {
  let handle = try call(path) { () throws(SystemError) in try FileHandle.open(path) }
  let status = try call(path) { () throws(SystemError) in try handle.status() }
  let source: FileSource
  do throws(SwzipError) { source = try FileSource(handle) } catch { throw error.of(path) }
  let needed = try bases.map { base throws(SwzipError) in
    try call(base) { () throws(SystemError) in try FileStatus.of(base) }
  }
  if let there = try? FileStatus.of(output) {
    guard there.kind == .regular else { throw refusal(output, "it is there and is no regular file") }
    guard !there.isSameFile(as: status) else { throw refusal(output, "it is the source itself") }
    guard !needed.contains(where: there.isSameFile) else { throw refusal(output, "it is a base that is needed") }
  }
  let file = try call(output) { () throws(SystemError) in try AtomicFile(target: output) }
  let sink = FileSink(file.handle, canReadBack: true)
  let report: Report
  do throws(SwzipError) {
    report = try write(source, sink)
    try sink.finish()
  } catch {
    if let failure = sink.failure { throw SwzipError(failure).of(output) }
    throw error.file == nil ? error.of(path) : error
  }
  for (path, before) in zip([path] + bases, [status] + needed) {
    let now = try call(path) { () throws(SystemError) in try FileStatus.of(path) }
    guard now.hasSameContent(as: before) else { throw PlannedMember.changed.of(path) }
  }
  let durability = try call(output) { () throws(SystemError) in
    try file.copyAttributes(of: status)
    try file.restrict(to: [status] + needed)
    return try file.publish(replacing: true)
  }
  // The name stands, but may not survive a power cut: who then deletes the source must know.
  if case .unknown(let error) = durability, !error.isUnsupported { throw SwzipError(error).of(output) }
  return report
}

private func refusal(_ output: String, _ why: String) -> SwzipError {
  SwzipError(.refused, .system, file: output, detail: why)
}

/// A call of the system that is about this file.
private func call<Result>(
  _ path: String, _ body: () throws(SystemError) -> Result
) throws(SwzipError) -> Result {
  do throws(SystemError) { return try body() } catch { throw SwzipError(error).of(path) }
}

/// What a file may be packed as differences to, by paths.
package func openBases(_ paths: [String]) throws(SwzipError) -> [PackBase] {
  try paths.map { path throws(SwzipError) in
    guard let base = try PackBase(baseFile(path)) else { throw SwzipError(.refused, .severalFiles).of(path) }
    return base
  }
}

package func baseFile(_ path: String) -> BaseFile {
  BaseFile(name: path.nameParts.last ?? path) { () throws(SwzipError) in try FileSource(path: path) }
}
