// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CSwzip
internal import Swzip
internal import SwzipCore

// Unpacking, forward and to memory and files.

@c @implementation
public func swz_decoder_open(
  _ write: swz_write?, _ readBack: swz_read_at?, _ context: UnsafeMutableRawPointer?,
  _ options: UnsafePointer<swz_open_options>?,
  _ call: UnsafePointer<swz_call>?, _ decoder: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let reading = try unsafe readBack.map { (function) throws(SwzipError) in try unsafe Reading(function, context) }
    let (sink, call) = try unsafe (CallbackSink(write, context, reading), Call(call))
    try unsafe hand(decoder) { () throws(SwzipError) in
      try unsafe ContainerDecoder(
        to: sink, bases: bases(basePaths(options)), threads: call.threads, control: call.control,
        progress: call.progress)
    }
  }
}

private func opened(_ decoder: OpaquePointer?) throws(SwzipError) -> ContainerDecoder {
  guard let decoder = unsafe decoder else { throw .argument("the decoder is NULL") }
  return unsafe Unmanaged<ContainerDecoder>.fromOpaque(UnsafeRawPointer(decoder)).takeUnretainedValue()
}

@c @implementation
public func swz_decoder_push(
  _ decoder: OpaquePointer?, _ bytes: UnsafeRawPointer?, _ byteCount: Int, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    try unsafe opened(decoder).push(buffer(bytes, byteCount, "bytes"))
  }
}

@c @implementation
public func swz_decoder_finish(
  _ decoder: OpaquePointer?, _ byteCount: UnsafeMutablePointer<UInt64>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let report = try unsafe opened(decoder).finish()
    unsafe byteCount?.pointee = report.rawByteCount
  }
}

@c @implementation
public func swz_decoder_close(_ decoder: OpaquePointer?) { unsafe close(decoder, ContainerDecoder.self) }

@c @implementation
public func swz_decoded_byte_count(
  _ container: UnsafeRawPointer?, _ byteCount: Int, _ decoded: UnsafeMutablePointer<UInt64>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let decoded = try unsafe required(decoded, "decoded")
    let file = try unsafe Container(MemorySource(buffer(container, byteCount, "container")))
    unsafe decoded.pointee = try file.onlyByteCount()
  }
}

@c @implementation
public func swz_unpack(
  _ container: UnsafeRawPointer?, _ byteCount: Int, _ target: UnsafeMutableRawPointer?, _ capacity: Int,
  _ written: UnsafeMutablePointer<Int>?, _ options: UnsafePointer<swz_open_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let call = try unsafe Call(call)
    let source = try unsafe MemorySource(buffer(container, byteCount, "container"))
    let target = try unsafe buffer(target, capacity, "target")
    let file = try unsafe Container(source, bases: bases(basePaths(options)))
    let count = try file.onlyByteCount()
    guard count <= UInt64(target.count) else { throw SwzipError(.invalidArgument, .outputTooSmall) }
    let part = unsafe UnsafeMutableRawBufferPointer(rebasing: target[..<Int(count)])
    if call.policy == .strict { try file.checkMemberFrames() }
    try unsafe file.read(
      member: 0, offset: 0, into: part, policy: call.policy, threads: call.threads, control: call.control)
    unsafe written?.pointee = part.count
  }
}

extension Container {
  /// The length of its only member.
  fileprivate func onlyByteCount() throws(SwzipError) -> UInt64 {
    guard memberCount == 1 else { throw SwzipError(.refused, .severalFiles) }
    return members[0].byteCount
  }
}

@c @implementation
public func swz_unpack_file(
  _ container: UnsafePointer<CChar>?, _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<swz_open_options>?,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let call = try unsafe Call(call)
    let names = try unsafe (required(container, "container"), required(path, "path"))
    _ = try unsafe unpack(
      path: names.0, bases: basePaths(options), to: names.1, threads: call.threads, control: call.control,
      progress: call.progress)
  }
}

@c @implementation
public func swz_verify(
  _ container: UnsafePointer<CChar>?, _ options: UnsafePointer<swz_open_options>?, _ call: UnsafePointer<swz_call>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let (path, call) = try unsafe (required(container, "container"), Call(call))
    try ofFile(path) { () throws(SwzipError) in
      _ = try unsafe verify(
        openSource(path, control: call.control), bases: bases(basePaths(options)), threads: call.threads,
        control: call.control, progress: call.progress)
    }
  }
}
