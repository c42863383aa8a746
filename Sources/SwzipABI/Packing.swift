// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CSwzip
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

// Packing, and weights that change step by step.

/// How a call packs: `swz_pack_options` and `swz_call`, checked.
private struct Packing {
  var options = PackOptions()
  var bases: [String] = []
  let progress: ProgressHandler?
  private var warn: (String) -> Void = { _ in }

  init(_ given: UnsafePointer<swz_pack_options>?, _ call: UnsafePointer<swz_call>?) throws(SwzipError) {
    let call = try unsafe Call(call)
    (options.threads, options.control, progress) = (call.threads, call.control, call.progress)
    guard let given = unsafe given?.pointee else { return }
    guard unsafe given.size == MemoryLayout<swz_pack_options>.size else {
      throw .argument("the size of swz_pack_options")
    }
    guard unsafe (0...9).contains(given.level) else { throw .argument("level \(unsafe given.level)") }
    if unsafe given.level > 0 { options.level = unsafe Int(given.level) }
    options.sha256 = unsafe given.sha256 != 0
    options.verify = unsafe given.no_verify == 0
    if let format = unsafe given.format.map({ unsafe String(cString: $0) }) {
      guard let known = InputFormat(rawValue: format) else { throw .argument("format \(format)") }
      options.format = known
    }
    bases = try unsafe paths(given.bases, given.base_count)
    if let function = unsafe given.warn {
      warn = { text in unsafe function(given.warn_context, text) }
    }
  }

  func tell(_ report: PackReport) { report.warnings.forEach(warn) }
}

@c @implementation
public func swz_pack_bound(_ byteCount: Int) -> Int { packBound(byteCount) }

@c @implementation
public func swz_pack(
  _ source: UnsafeRawPointer?, _ byteCount: Int, _ target: UnsafeMutableRawPointer?, _ capacity: Int,
  _ written: UnsafeMutablePointer<Int>?, _ options: UnsafePointer<swz_pack_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let packing = try unsafe Packing(options, call)
    let source = try unsafe MemorySource(buffer(source, byteCount, "source"))
    let sink = try unsafe MemorySink(buffer(target, capacity, "target"))
    packing.tell(
      try pack(
        from: source, bases: openBases(packing.bases), to: sink, options: packing.options, progress: packing.progress))
    unsafe written?.pointee = sink.byteCount
  }
}

@c @implementation
public func swz_pack_file(
  _ path: UnsafePointer<CChar>?, _ container: UnsafePointer<CChar>?, _ options: UnsafePointer<swz_pack_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let packing = try unsafe Packing(options, call)
    let names = try unsafe (required(path, "path"), required(container, "container"))
    let isFolder = (try? FileStatus.of(names.0))?.kind == .directory
    guard !isFolder || packing.bases.isEmpty else { throw .argument("a folder takes no bases") }
    packing.tell(
      try isFolder
        ? pack(folder: names.0, to: names.1, options: packing.options, progress: packing.progress)
        : pack(path: names.0, bases: packing.bases, to: names.1, options: packing.options, progress: packing.progress))
  }
}

@c @implementation
public func swz_pack_callback(
  _ read: swz_read_at?, _ context: UnsafeMutableRawPointer?, _ byteCount: UInt64, _ write: swz_write?,
  _ writeContext: UnsafeMutableRawPointer?, _ options: UnsafePointer<swz_pack_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let packing = try unsafe Packing(options, call)
    let source = try unsafe CallbackSource(Reading(read, context), byteCount)
    let sink = try unsafe CallbackSink(write, writeContext)
    packing.tell(
      try pack(
        from: source, bases: openBases(packing.bases), to: sink, options: packing.options, progress: packing.progress))
  }
}

// MARK: snapshots

private func opened(_ snapshot: OpaquePointer?) throws(SwzipError) -> Snapshot {
  guard let snapshot = unsafe snapshot else { throw .argument("the snapshot is NULL") }
  return unsafe Unmanaged<Snapshot>.fromOpaque(UnsafeRawPointer(snapshot)).takeUnretainedValue()
}

@c @implementation
public func swz_snapshot_open(
  _ bytes: UnsafeRawPointer?, _ byteCount: Int, _ snapshot: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let bytes = try unsafe buffer(bytes, byteCount, "bytes")
    try unsafe hand(snapshot) { () throws(SwzipError) in try unsafe Snapshot(bytes) }
  }
}

@c @implementation
public func swz_snapshot_encode(
  _ snapshot: OpaquePointer?, _ next: UnsafeRawPointer?, _ byteCount: Int, _ target: UnsafeMutableRawPointer?,
  _ capacity: Int, _ written: UnsafeMutablePointer<Int>?, _ options: UnsafePointer<swz_pack_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let packing = try unsafe Packing(options, call)
    guard packing.bases.isEmpty else { throw .argument("a snapshot is its own base") }
    let target = try unsafe buffer(target, capacity, "target")
    guard capacity >= packBound(byteCount) else { throw SwzipError(.invalidArgument, .outputTooSmall) }
    let container = try unsafe opened(snapshot).encode(buffer(next, byteCount, "next"), options: packing.options)
    unsafe target.copyBytes(from: container)
    unsafe written?.pointee = container.count
  }
}

@c @implementation
public func swz_snapshot_apply(
  _ snapshot: OpaquePointer?, _ container: UnsafeRawPointer?, _ byteCount: Int, _ call: UnsafePointer<swz_call>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let call = try unsafe Call(call)
    try unsafe opened(snapshot).apply(
      buffer(container, byteCount, "container"), threads: call.threads, control: call.control)
  }
}

@c @implementation
public func swz_snapshot_bytes(
  _ snapshot: OpaquePointer?, _ byteCount: UnsafeMutablePointer<Int>?
) -> UnsafeRawPointer? {
  guard let snapshot = try? unsafe opened(snapshot) else { return nil }
  return unsafe snapshot.withBytes { bytes in
    unsafe byteCount?.pointee = bytes.count
    return bytes.baseAddress
  }
}

@c @implementation
public func swz_snapshot_close(_ snapshot: OpaquePointer?) { unsafe close(snapshot, Snapshot.self) }
