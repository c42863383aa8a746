public import SwzipCore

/// A base in memory, hashed once. The bytes must outlive it and must not change.
@safe public struct MemoryBase: @unchecked Sendable {  // read only
  package let bytes: UnsafeRawBufferPointer
  public let sha256: Digest

  /// Cost: a pass of SHA-256.
  public init(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    let digest = try unsafe MemorySource(bytes).sha256()
    unsafe self.init(bytes, sha256: digest)
  }

  /// `sha256`: as it was computed of these bytes.
  init(_ bytes: UnsafeRawBufferPointer, sha256: Digest) {
    unsafe self.bytes = bytes
    self.sha256 = sha256
  }

  /// For a packer.
  var packBase: PackBase {
    var base = PackBase(hint: "") { () throws(SwzipError) in unsafe MemorySource(bytes) }
    base.sha256 = sha256
    return base
  }

}

extension MemoryBase: BaseResolver {
  public var proves: Bool { false }

  public func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource {
    guard base.sha256 == sha256, unsafe base.byteCount == UInt64(bytes.count) else { throw base.failure(.baseDiffers) }
    return unsafe MemorySource(bytes)
  }
}
