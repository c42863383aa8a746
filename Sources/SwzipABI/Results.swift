// The functions have the names of the header.
// swift-format-ignore-file: AlwaysUseLowerCamelCase

public import CSwzip
internal import Swzip
internal import SwzipCore
internal import SwzipLibc
internal import SwzipNames

// What a call of the C interface returns. Pointers of callers are their promise: readable or writable as the header says.

/// Runs a call: its status, and what is wrong in `error`.
func answer(_ error: UnsafeMutablePointer<swz_error>?, _ body: () throws(SwzipError) -> Void) -> CInt {
  do throws(SwzipError) {
    try body()
    return 0
  } catch let failure {
    unsafe error?.fill(failure)
    return failure.code
  }
}

/// What is wrong in a call is of this file, unless it says another one.
func ofFile(_ path: String, _ body: () throws(SwzipError) -> Void) throws(SwzipError) {
  do throws(SwzipError) { try body() } catch { throw error.file == nil ? error.of(path) : error }
}

extension SwzipError {
  /// A pointer is missing, a number is impossible, or a struct has another size than any version gave it.
  static func argument(_ what: String) -> SwzipError { SwzipError(.invalidArgument, .argument, detail: what) }
}

extension UnsafeMutablePointer<swz_error> {
  /// Nothing is written to a struct whose size is not that of this version.
  fileprivate func fill(_ failure: SwzipError) {
    guard unsafe pointee.size == MemoryLayout<swz_error>.size else { return }
    unsafe pointee.code = failure.code
    unsafe pointee.system = failure.errno ?? 0
    unsafe pointee.position = failure.position ?? .max
    unsafe write(Array(failure.rule.rawValue.utf8), &pointee.rule)
    unsafe write(failure.file?.nameBytes ?? [], &pointee.file)
    unsafe write(Array(failure.text.utf8), &pointee.text)
  }
}

/// As much of a text as fits an array of characters, cut between those of UTF-8, and a zero byte.
func write<Characters>(_ text: [UInt8], _ array: inout Characters) {
  unsafe withUnsafeMutableBytes(of: &array) { bytes in
    var end = min(text.count, bytes.count - 1)
    while end < text.count, end > 0, text[end] & 0xC0 == 0x80 { end -= 1 }
    unsafe bytes.copyBytes(from: text[..<end])
    unsafe bytes[end] = 0
  }
}

/// What the caller wants filled; throws if it is missing.
func required<T>(_ pointer: UnsafeMutablePointer<T>?, _ name: String) throws(SwzipError) -> UnsafeMutablePointer<T> {
  guard let pointer = unsafe pointer else { throw .argument("\(name) is NULL") }
  return unsafe pointer
}

/// A path or a name, of any bytes.
func required(_ text: UnsafePointer<CChar>?, _ name: String) throws(SwzipError) -> String {
  guard let text = unsafe text else { throw .argument("\(name) is NULL") }
  return unsafe String(nameBytes: UnsafeRawBufferPointer(start: text, count: strlen(text)))
}

/// Memory of the caller's.
func buffer(_ start: UnsafeRawPointer?, _ count: Int, _ name: String) throws(SwzipError) -> UnsafeRawBufferPointer {
  guard count >= 0, unsafe start != nil || count == 0 else { throw .argument("\(name) is NULL") }
  return unsafe UnsafeRawBufferPointer(start: start, count: count)
}

func buffer(
  _ start: UnsafeMutableRawPointer?, _ count: Int, _ name: String
) throws(SwzipError) -> UnsafeMutableRawBufferPointer {
  try unsafe UnsafeMutableRawBufferPointer(mutating: buffer(UnsafeRawPointer(start), count, name))
}

/// The paths in an array of strings.
func paths(_ start: UnsafePointer<UnsafePointer<CChar>?>?, _ count: Int) throws(SwzipError) -> [String] {
  guard count >= 0, unsafe start != nil || count == 0 else { throw .argument("bases is NULL") }
  return try (0..<count).map { number throws(SwzipError) in try unsafe required(start![number], "a base") }
}

@c @implementation
public func swz_version() -> UnsafePointer<CChar>? { unsafe swzipVersion.c }

@c @implementation
public func swz_diagnose(
  _ json: UnsafeMutablePointer<CChar>?, _ capacity: Int, _ error: UnsafeMutablePointer<swz_error>?
) -> CInt {
  unsafe answer(error) { () throws(SwzipError) in
    let target = try unsafe buffer(UnsafeMutableRawPointer(json), capacity, "json")
    let text = description(of: try Diagnosis())
    guard text.count <= capacity else { throw SwzipError(.invalidArgument, .outputTooSmall) }
    unsafe target.copyBytes(from: text)
  }
}

@c @implementation
public func swz_status_text(_ status: CInt) -> UnsafePointer<CChar>? {
  let text: StaticString =
    switch SwzipError.Kind(rawValue: status) {
    case .io: "a call of the system failed"
    case .refused: "refused"
    case .corrupt: "the container is damaged or no container"
    case .base: "a base is missing or another one"
    case .cancelled: "ended by the caller"
    case .unsupported: "made by a newer version of swzip"
    case .invalidArgument: "invalid argument"
    case .memory: "out of memory"
    case nil: status == 0 ? "ok" : "unknown status"
    }
  return unsafe text.c
}

extension StaticString {
  /// It ends with a zero byte, and lives as long as the library.
  fileprivate var c: UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(utf8Start).assumingMemoryBound(to: CChar.self)
  }
}
