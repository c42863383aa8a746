internal import CCrypto
internal import CSwzipKernels

/// XXH3-64, the hash of blocks and frames (spec/FORMAT.md, sections 3 and 4). Guards against accidents only.
package func xxh3(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
  // The kernel reads `count` bytes; an empty buffer may have no address.
  unsafe swzip_xxh3_64(bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 16)!, bytes.count, seed)
}

package func xxh3(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
  unsafe bytes.withUnsafeBytes { unsafe xxh3($0, seed: seed) }
}

/// XXH3-128 of a stream: the check of a whole member.
package final class StreamChecksum {
  private let state: Memory

  package init() throws(SwzipError) {
    state = try Memory(Int(SWZIP_XXH3_STATE_BYTES))
    unsafe swzip_xxh3_128_begin(state.base)
  }

  package func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    unsafe swzip_xxh3_128_add(state.base, start, bytes.count)
  }

  /// The sum of what was added, as it is stored: low half first.
  package var sum: Checksum128 {
    var low: UInt64 = 0
    var high: UInt64 = 0
    unsafe swzip_xxh3_128_end(state.base, &low, &high)
    return Checksum128(low: low, high: high)
  }
}

package struct Checksum128: Equatable, Sendable {
  package var low: UInt64
  package var high: UInt64

  package var digest: Digest { Digest(high.bigEndianBytes + low.bigEndianBytes) }
}

extension UInt64 {
  fileprivate var bigEndianBytes: [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: self >> UInt64(56 - 8 * $0)) } }
}

/// SHA-256 of a stream, by libcrypto.
package struct SHA256Sum {
  private var context = SHA256_CTX()

  package init() { _ = unsafe SHA256_Init(&context) }

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    guard let start = bytes.baseAddress, bytes.count > 0 else { return }
    _ = unsafe SHA256_Update(&context, start, bytes.count)
  }

  package mutating func add(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBytes { unsafe add($0) }
  }

  package func finish() -> [UInt8] {
    var copy = context
    var digest = [UInt8](repeating: 0, count: 32)
    _ = unsafe SHA256_Final(&digest, &copy)
    return digest
  }
}
