// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CSwzip
internal import Swzip
internal import SwzipCore

// Reading at random.

/// Makes a handle; the caller owns it.
func hand<Handle: AnyObject>(
  _ target: UnsafeMutablePointer<OpaquePointer?>?, _ make: () throws(SwzipError) -> Handle
) throws(SwzipError) {
  let target = try unsafe required(target, "the handle")
  unsafe target.pointee = nil
  unsafe target.pointee = OpaquePointer(Unmanaged.passRetained(try make()).toOpaque())
}

/// Ends a handle of that kind.
func close<Handle: AnyObject>(_ handle: OpaquePointer?, _: Handle.Type) {
  guard let handle = unsafe handle else { return }
  unsafe Unmanaged<Handle>.fromOpaque(UnsafeRawPointer(handle)).release()
}

@c @implementation
public func swz_open(
  _ path: UnsafePointer<CChar>?, _ options: UnsafePointer<swz_open_options>?,
  _ container: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let path = try unsafe required(path, "path")
    // The file that is open, also in a forked child: another one may have the name by then.
    try ofFile(path) { () throws(SwzipError) in try unsafe open(openSource(path), options, container) }
  }
}

@c @implementation
public func swz_open_memory(
  _ bytes: UnsafeRawPointer?, _ byteCount: Int, _ options: UnsafePointer<swz_open_options>?,
  _ container: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let source = try unsafe MemorySource(buffer(bytes, byteCount, "bytes"))
    try unsafe open(source, options, container)
  }
}

@c @implementation
public func swz_open_callback(
  _ read: swz_read_at?, _ context: UnsafeMutableRawPointer?, _ byteCount: UInt64,
  _ options: UnsafePointer<swz_open_options>?, _ container: UnsafeMutablePointer<OpaquePointer?>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    try unsafe open(CallbackSource(Reading(read, context), byteCount), options, container)
  }
}

private func open(
  _ source: @autoclosure () throws(SwzipError) -> any RandomSource, _ options: UnsafePointer<swz_open_options>?,
  _ container: UnsafeMutablePointer<OpaquePointer?>?
) throws(SwzipError) {
  let paths = try unsafe basePaths(options)
  try unsafe hand(container) { () throws(SwzipError) in
    let source = try source()
    return try OpenContainer { () throws(SwzipError) in
      // Connections are those of one process.
      try Container((source as? HTTPSource)?.inThisProcess() ?? source, bases: bases(paths))
    }
  }
}

@c @implementation
public func swz_close(_ container: OpaquePointer?) { unsafe close(container, OpenContainer.self) }

@c @implementation
public func swz_member_count(_ container: OpaquePointer?) -> Int {
  (try? unsafe OpenContainer.of(container).memberCount) ?? 0
}

@c @implementation
public func swz_member_at(
  _ container: OpaquePointer?, _ number: Int, _ member: UnsafeMutablePointer<swz_member>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let member = try unsafe required(member, "member")
    guard unsafe member.pointee.size == MemoryLayout<swz_member>.size else { throw .argument("the size of swz_member") }
    unsafe member.pointee = try OpenContainer.of(container).member(number)
  }
}

@c @implementation
public func swz_tensor_count(_ container: OpaquePointer?) -> Int {
  (try? unsafe OpenContainer.of(container).container.tensorCount) ?? 0
}

@c @implementation
public func swz_tensor_at(
  _ container: OpaquePointer?, _ number: Int, _ tensor: UnsafeMutablePointer<swz_tensor>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let tensor = try unsafe required(tensor, "tensor")
    guard unsafe tensor.pointee.size == MemoryLayout<swz_tensor>.size else { throw .argument("the size of swz_tensor") }
    unsafe tensor.pointee = try OpenContainer.of(container).tensor(number)
  }
}

@c @implementation
public func swz_find_tensor(
  _ container: OpaquePointer?, _ name: UnsafePointer<CChar>?, _ number: UnsafeMutablePointer<Int>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let (name, number) = try unsafe (required(name, "name"), required(number, "number"))
    guard let found = try unsafe OpenContainer.of(container).container.tensors.number(of: name) else {
      throw SwzipError(.invalidArgument, .noSuchTensor, detail: name)
    }
    unsafe number.pointee = found
  }
}

@c @implementation
public func swz_describe(
  _ container: OpaquePointer?, _ json: UnsafeMutablePointer<UnsafePointer<CChar>?>?,
  _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let json = try unsafe required(json, "json")
    unsafe json.pointee = try OpenContainer.of(container).json()
  }
}

@c @implementation
public func swz_read(
  _ container: OpaquePointer?, _ member: Int, _ offset: UInt64, _ target: UnsafeMutableRawPointer?, _ byteCount: Int,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let opened = try unsafe OpenContainer.of(container)
    let (file, call) = try unsafe (opened.container, Call(call, processors: opened.processors))
    try unsafe file.read(
      member: member, offset: offset, into: buffer(target, byteCount, "target"), policy: call.policy,
      threads: call.threads, control: call.control, progress: call.progress)
  }
}

@c @implementation
public func swz_read_tensor(
  _ container: OpaquePointer?, _ number: Int, _ target: UnsafeMutableRawPointer?, _ byteCount: Int,
  _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe read(container, number, nil, target, byteCount, call, error)
}

@c @implementation
public func swz_read_rows(
  _ container: OpaquePointer?, _ number: Int, _ first: UInt64, _ last: UInt64, _ target: UnsafeMutableRawPointer?,
  _ byteCount: Int, _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe read(container, number, (first, last), target, byteCount, call, error)
}

private func read(
  _ container: OpaquePointer?, _ number: Int, _ rows: (UInt64, UInt64)?, _ target: UnsafeMutableRawPointer?,
  _ byteCount: Int, _ call: UnsafePointer<swz_call>?, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let opened = try unsafe OpenContainer.of(container)
    let (file, call) = try unsafe (opened.container, Call(call, processors: opened.processors))
    guard file.tensors.indices.contains(number) else { throw .argument("there is no tensor \(number)") }
    var range: Range<Int>?
    if let rows {
      guard let first = Int(exactly: rows.0), let last = Int(exactly: rows.1), first <= last else {
        throw .argument("rows \(rows.0) to \(rows.1)")
      }
      range = first..<last
    }
    try unsafe file.read(
      file.tensors[number], rows: range, into: buffer(target, byteCount, "target"), policy: call.policy,
      threads: call.threads, control: call.control, progress: call.progress)
  }
}
