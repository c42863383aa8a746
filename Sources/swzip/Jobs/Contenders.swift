internal import CZstd
internal import Swzip
internal import SwzipCore

/// A coder that `bench` measures, memory to memory.
protocol Contender {
  var name: String { get }
  var level: Int? { get }
  var threads: Int { get }
  /// The most bytes that `encode` may write.
  func bound(_ byteCount: Int) -> Int
  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError)
}

/// What memory itself can do.
struct CopyContender: Contender {
  let name = "memcpy"
  let level: Int? = nil
  let threads = 1

  func bound(_ byteCount: Int) -> Int { byteCount }

  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The buffer has `bound` bytes.
    unsafe packed.copyMemory(from: source)
    return source.count
  }

  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    unsafe target.copyMemory(from: packed)
  }
}

/// The general compressor that most people would take.
struct ZstdContender: Contender {
  let name = "zstd -3"
  let level: Int? = 3
  let threads = 1

  func bound(_ byteCount: Int) -> Int { ZSTD_compressBound(byteCount) }

  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // Both buffers outlive the call.
    let count = unsafe ZSTD_compress(packed.baseAddress, packed.count, source.baseAddress, source.count, 3)
    guard ZSTD_isError(count) == 0 else { throw SwzipError(.memory, .outOfMemory) }
    return count
  }

  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    let count = unsafe ZSTD_decompress(target.baseAddress, target.count, packed.baseAddress, packed.count)
    guard count == target.count else { throw SwzipError(.io, .encoderFault) }
  }
}

/// Ourselves, as a loader would use it: the decoded hashes are checked, the stored ones are not.
struct SwzipContender: Contender {
  let level: Int?
  let threads: Int
  private let options: PackOptions

  init(level: Int, threads: Int) {
    self.level = level
    self.threads = threads
    var options = PackOptions()
    options.level = level
    options.threads = threads
    self.options = options
  }

  var name: String { "swzip -\(options.level)" }

  func bound(_ byteCount: Int) -> Int { packBound(byteCount) }

  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    unsafe try packBytes(source, into: packed, options: options)
  }

  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    _ = unsafe try unpackBytes(packed, into: target, loaderPolicy: true, threads: threads)
  }
}
