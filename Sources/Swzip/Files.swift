public import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// Packs a file to another one, which appears complete or not at all, and replaces one that is there. `base`: the path of what it
/// may be differences to. The new file can be read by who may read `path`.
public func pack(
  path: String, base: String? = nil, to output: String, options: PackOptions = PackOptions(),
  progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  let base = try base.flatMap { path throws(SwzipError) in try PackBase(baseFile(path)) }
  return try replace(output, copying: path) { source, sink throws(SwzipError) in
    try pack(from: source, bases: base.map { [$0] } ?? [], to: sink, options: options, progress: progress)
  }
}

/// Unpacks the one member of a container to a file, which appears complete or not at all, and replaces one that is there.
/// `bases`: paths of what it may need.
public func unpack(
  path: String, bases: [String] = [], to output: String, threads: Int = 1, progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  let bases = try Bases(bases.map { baseFile($0) })
  return try replace(output, copying: path) { source, sink throws(SwzipError) in
    try unpack(from: source, to: sink, bases: bases, threads: threads, progress: progress)
  }
}

/// Writes a file from another one, with its mode and times.
private func replace<Report>(
  _ output: String, copying path: String, _ write: (FileStream, FileSink) throws(SwzipError) -> Report
) throws(SwzipError) -> Report {
  let (input, status, file): (FileStream, FileStatus, AtomicFile)
  do throws(SystemError) {
    let handle = try FileHandle.open(path)
    (input, status, file) = (try FileStream(handle), try handle.status(), try AtomicFile(target: output))
  } catch {
    throw SwzipError(error)
  }
  let report: Report
  do throws(SwzipError) {
    let sink = FileSink(file.handle, canReadBack: true)
    report = try write(input, sink)
    try sink.finish()
  } catch {
    throw error.file == nil ? error.of(path) : error
  }
  do throws(SystemError) {
    try file.copyAttributes(of: status)
    _ = try file.publish(replacing: true)
  } catch {
    throw SwzipError(error)
  }
  return report
}

private func baseFile(_ path: String) -> BaseFile {
  BaseFile(name: path.nameParts.last ?? path) { () throws(SwzipError) in try FileSource(path: path) }
}
