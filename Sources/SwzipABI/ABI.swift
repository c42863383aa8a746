internal import Swzip
internal import SwzipCore

// The functions of include/swzip.h. Pointers are the caller's promise: readable or writable for the given length.

@c(swz_pack_bound)
public func swzPackBound(_ byteCount: Int) -> Int { packBound(byteCount) }

@c(swz_pack)
public func swzPack(
  _ source: UnsafeRawPointer?, _ byteCount: Int, _ target: UnsafeMutableRawPointer?, _ capacity: Int,
  _ written: UnsafeMutablePointer<Int>?, _ level: CInt, _ threads: CInt
) -> CInt {
  guard byteCount >= 0, capacity >= 0, (1...9).contains(level), threads >= 1 else {
    return SwzipError.Kind.invalidArgument.rawValue
  }
  var options = PackOptions()
  options.level = Int(level)
  options.threads = Int(threads)
  options.verify = false
  return unsafe status(written) { () throws(SwzipError) in
    try unsafe packBytes(
      UnsafeRawBufferPointer(start: source, count: byteCount),
      into: UnsafeMutableRawBufferPointer(start: target, count: capacity), options: options)
  }
}

@c(swz_unpack)
public func swzUnpack(
  _ container: UnsafeRawPointer?, _ byteCount: Int, _ target: UnsafeMutableRawPointer?, _ capacity: Int,
  _ written: UnsafeMutablePointer<Int>?, _ loaderPolicy: CInt, _ threads: CInt
) -> CInt {
  guard byteCount >= 0, capacity >= 0, threads >= 1 else {
    return SwzipError.Kind.invalidArgument.rawValue
  }
  return unsafe status(written) { () throws(SwzipError) in
    try unsafe unpackBytes(
      UnsafeRawBufferPointer(start: container, count: byteCount),
      into: UnsafeMutableRawBufferPointer(start: target, count: capacity), loaderPolicy: loaderPolicy != 0,
      threads: Int(threads))
  }
}

private func status(
  _ written: UnsafeMutablePointer<Int>?, _ body: () throws(SwzipError) -> Int
) -> CInt {
  do throws(SwzipError) {
    let count = try body()
    unsafe written?.pointee = count
    return 0
  } catch {
    return error.code
  }
}

@c(swz_status_text)
public func swzStatusText(_ status: CInt) -> UnsafePointer<CChar> {
  // Static strings live as long as the library.
  let text: StaticString =
    switch SwzipError.Kind(rawValue: status) {
    case .io: "a call of the system failed"
    case .refused: "refused"
    case .corrupt: "the container is damaged or no container"
    case .base: "a base is missing or another one"
    case .unsupported: "made by a newer version of swzip"
    case .invalidArgument: "invalid argument"
    case .memory: "out of memory"
    case nil: status == 0 ? "ok" : "unknown status"
    }
  return unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
