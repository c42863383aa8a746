internal import CZstd
internal import Swzip
internal import SwzipCore

/// A coder that `bench` measures, memory to memory.
protocol Contender {
  var name: String { get }
  var level: Int? { get }
  var threads: Int { get }
  /// Those that it is measured with; nil if it has none.
  var kernels: Kernels? { get }
  /// The most bytes that `encode` may write.
  func bound(_ byteCount: Int) -> Int
  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError)
}

extension Contender {
  var kernels: Kernels? { nil }
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

/// What many take for two versions: what is left of the bits that both share is general compression.
struct XorContender: Contender {
  let name = "xor, zstd -3"
  let level: Int? = 3
  let threads = 1
  private let inner = ZstdContender()
  private let base: [UInt8]

  init(base: [UInt8]) { self.base = base }

  func bound(_ byteCount: Int) -> Int { inner.bound(byteCount) }

  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    var rest = unsafe [UInt8](source)
    var span = rest.mutableSpan
    return try unsafe span.withUnsafeMutableBytes { (target) throws(SwzipError) in
      unsafe flip(target)
      return try unsafe inner.encode(UnsafeRawBufferPointer(target), packed)
    }
  }

  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    unsafe try inner.decode(packed, target)
    unsafe flip(target)
  }

  /// Combines bytes with those of the base, as far as it goes.
  private func flip(_ bytes: UnsafeMutableRawBufferPointer) {
    unsafe base.withUnsafeBytes { base in
      let words = min(bytes.count, base.count) / 8
      // In bounds by the line above.
      for index in 0..<words {
        let word = unsafe base.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        let mine = unsafe bytes.loadUnaligned(fromByteOffset: 8 * index, as: UInt64.self)
        unsafe bytes.storeBytes(of: mine ^ word, toByteOffset: 8 * index, as: UInt64.self)
      }
      for index in (8 * words)..<min(bytes.count, base.count) { unsafe bytes[index] ^= base[index] }
    }
  }
}

/// Ourselves, as a loader would use it: the decoded hashes are checked, the stored ones are not.
struct SwzipContender: Contender {
  let level: Int?
  let threads: Int
  let kernels: Kernels?
  private let options: PackOptions
  private let base: MemoryBase?

  init(level: Int, threads: Int, kernels: Kernels, base: MemoryBase? = nil) {
    self.base = base
    self.level = level
    self.threads = threads
    self.kernels = kernels
    var options = PackOptions()
    options.level = level
    options.threads = threads
    self.options = options
  }

  var name: String { "swzip -\(options.level)" }

  func bound(_ byteCount: Int) -> Int { packBound(byteCount) }

  func encode(_ source: UnsafeRawBufferPointer, _ packed: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    unsafe try packBytes(source, base: base, into: packed, options: options)
  }

  func decode(_ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    _ = unsafe try unpackBytes(packed, base: base, into: target, loaderPolicy: true, threads: threads)
  }
}
