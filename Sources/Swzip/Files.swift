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
  return try remake(path, openFile(path), bases, as: output) { source, sink throws(SwzipError) in
    try pack(from: source, bases: opened, to: sink, options: options, progress: progress)
  }
}

/// Packs tensors to a file, as above: the container of the safetensors file that they make (`SafetensorsSource`). It has the mode
/// of a new file, or that of the bases.
public func pack(
  tensors: [PackTensor], metadata: [String: String] = [:], bases: [String] = [], to output: String,
  options: PackOptions = PackOptions(), progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  let opened = try openBases(bases)
  let source = try SafetensorsSource(tensors, metadata: metadata)
  let needed = try statuses(bases)
  try check(output) { there in needed.contains(where: there.isSameFile) ? "it is a base that is needed" : nil }
  return try write(
    // What may be private is so from the beginning.
    output, mode: bases.isEmpty ? 0o666 : 0o600,
    { sink throws(SwzipError) in
      let report = try pack(from: source, bases: opened, to: sink, options: options, progress: progress)
      try checkUnchanged(bases, needed)
      return report
    },
    finish: { file throws(SystemError) in
      guard let base = needed.first else { return }
      try file.setAccess(mask: 0, like: base)
      try file.restrict(to: needed)
    })
}

/// Packs a folder to a file, which appears complete and synced or not at all, and replaces one that is there. Nobody can read it
/// who cannot read all that it is made of. Refuses an output that lies in the folder, or is no regular file.
public func pack(
  folder: String, to output: String, options: PackOptions = PackOptions(), storesTimes: Bool = true,
  progress: ProgressHandler? = nil
) throws(SwzipError) -> PackReport {
  let status = try call(folder) { () throws(SystemError) in try FileStatus.of(folder) }
  let files = try FolderFiles(folder)
  try check(output) { files.contains($0) ? "it lies in the folder that is packed" : nil }
  var report = try write(
    output, about: folder,
    { sink throws(SwzipError) in
      let report = try pack(
        members: files.members(storesTimes: storesTimes), to: sink, options: options, progress: progress)
      try files.checkUnchanged()
      return report
    },
    finish: { file throws(SystemError) in
      try file.setAccess(mask: ~status.permissions & 0o777, like: status)
      try file.restrict(to: files.tree.files.map(\.status))
    })
  report.warnings = files.tree.warnings + report.warnings
  return report
}

/// Unpacks the one member of a container to a file, as `pack` writes one; what comes from a URL is its owner's alone. `bases`:
/// paths of what it may need.
public func unpack(
  path: String, bases: [String] = [], to output: String, threads: Int = 1, control: Control? = nil,
  progress: ProgressHandler? = nil
) throws(SwzipError) -> UnpackReport {
  let resolver = try Bases(bases.map { baseFile($0) })
  let read: Opened =
    if HTTPSource.isURL(path) { (try HTTPSource(url: path, control: control), nil) } else { try openFile(path) }
  return try remake(path, read, bases, as: output) { source, sink throws(SwzipError) in
    try unpack(from: source, to: sink, bases: resolver, threads: threads, control: control, progress: progress)
  }
}

/// What is read, and what a file was when it was opened.
private typealias Opened = (source: any RandomSource, status: FileStatus?)

private func openFile(_ path: String) throws(SwzipError) -> Opened {
  let handle = try call(path) { () throws(SystemError) in try FileHandle.open(path) }
  let status = try call(path) { () throws(SystemError) in try handle.status() }
  do throws(SwzipError) { return (try FileSource(handle), status) } catch { throw error.of(path) }
}

/// A container, by its path or its URL.
package func openSource(_ path: String, control: Control? = nil) throws(SwzipError) -> any RandomSource {
  HTTPSource.isURL(path) ? try HTTPSource(url: path, control: control) : try FileSource(path: path)
}

/// Writes a file from what is at `path` and bases, with the mode and times of the former if that is a file.
private func remake<Report>(
  _ path: String, _ read: Opened, _ bases: [String], as output: String,
  _ make: (any RandomSource, FileSink) throws(SwzipError) -> Report
) throws(SwzipError) -> Report {
  let paths = bases + (read.status == nil ? [] : [path])
  let before = try statuses(bases) + (read.status.map { [$0] } ?? [])
  try check(output) { there in
    if read.status.map(there.isSameFile) == true { return "it is the source itself" }
    return before.contains(where: there.isSameFile) ? "it is a base that is needed" : nil
  }
  return try write(
    output, about: path,
    { sink throws(SwzipError) in
      let report = try make(read.source, sink)
      try checkUnchanged(paths, before)
      return report
    },
    finish: { file throws(SystemError) in
      if let status = read.status { try file.copyAttributes(of: status) }
      try file.restrict(to: before)
    })
}

private func statuses(_ paths: [String]) throws(SwzipError) -> [FileStatus] {
  try paths.map { path throws(SwzipError) in
    try call(path) { () throws(SystemError) in try FileStatus.of(path) }
  }
}

/// Throws if a file is not as it was.
private func checkUnchanged(_ paths: [String], _ before: [FileStatus]) throws(SwzipError) {
  for (path, (before, now)) in zip(paths, zip(before, try statuses(paths))) {
    guard now.hasSameContent(as: before) else { throw PlannedMember.changed.of(path) }
  }
}

/// Refuses what may not be replaced: what is no regular file, and what `isNeeded` has a reason for.
private func check(_ output: String, isNeeded: (FileStatus) -> String?) throws(SwzipError) {
  guard let there = try? FileStatus.of(output) else { return }
  if let why = there.kind == .regular ? isNeeded(there) : "it is there and is no regular file" {
    throw SwzipError(.refused, .system, file: output, detail: why)
  }
}

/// Writes a file that appears complete and synced or not at all. Errors of `make` that name no file are about `path`, if that is
/// given; `finish` says who may read it, until then `mode` does.
private func write<Report>(
  _ output: String, about path: String? = nil, mode: UInt32 = 0o600,
  _ make: (FileSink) throws(SwzipError) -> Report, finish: (AtomicFile) throws(SystemError) -> Void
) throws(SwzipError) -> Report {
  let file = try call(output) { () throws(SystemError) in try AtomicFile(target: output, mode: mode) }
  let sink = FileSink(file.handle, canReadBack: true)
  let report: Report
  do throws(SwzipError) {
    report = try make(sink)
    try sink.finish()
  } catch {
    if let failure = sink.failure { throw SwzipError(failure).of(output) }
    guard let path, error.file == nil else { throw error }
    throw error.of(path)
  }
  let durability = try call(output) { () throws(SystemError) in
    try finish(file)
    return try file.publish(replacing: true)
  }
  // The name stands, but may not survive a power cut: who then deletes the source must know.
  if case .unknown(let error) = durability, !error.isUnsupported { throw SwzipError(error).of(output) }
  return report
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
