internal import SwzipCore
internal import SwzipSystem

/// The bytes of a member in order. Hands out memory where it lies, or reads into the caller's.
final class ForwardInput: @unchecked Sendable {  // one thread at a time
  private let source: any InputSource
  private let memory: MemorySource?
  private var start: [UInt8] = []
  private let checksum: StreamChecksum
  private var sha256: SHA256Sum?
  /// Hashes the files of a bundle one by one.
  private let bundle: BundleCutter?
  /// Bytes handed out so far.
  private(set) var consumed: UInt64 = 0

  /// `files`: of a bundle, for whose SHA-256 each counts.
  init(_ source: any InputSource, sha256: Bool, files: [BundledFile]? = nil) throws(SwzipError) {
    self.source = source
    memory = source as? MemorySource
    checksum = try StreamChecksum()
    bundle = sha256 ? files.map { BundleCutter($0, firstNumber: 0, storesSHA256: true, nil) } : nil
    self.sha256 = sha256 && files == nil ? SHA256Sum() : nil
  }

  var isMemory: Bool { memory != nil }
  var byteCount: UInt64? { source.byteCount }
  /// The file's; empty if it has none.
  var path: String { (source as? FileSource)?.handle.path ?? "" }

  /// The first bytes, without consuming them: `count`, or all if there are fewer.
  func peek(_ count: Int) throws(SwzipError) -> [UInt8] {
    if source.byteCount != nil {
      let part = min(UInt64(count), source.byteCount!)
      return try source.bytes(at: 0, count: Int(part))
    }
    // A pipe: what is read here is handed out again first. It grows as bytes arrive, not by what a header claims.
    while start.count < count {
      let step = try Memory(min(count - start.count, 1 << 20))
      let read = try unsafe source.read(
        into: UnsafeMutableRawBufferPointer(rebasing: step.bytes[..<min(count - start.count, 1 << 20)]))
      guard read > 0 else { break }
      unsafe start.append(contentsOf: step.prefix(read))
    }
    return Array(start.prefix(count))
  }

  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard let byteCount, offset < byteCount else { return [] }
    return try source.bytes(at: offset, count: Int(min(UInt64(count), byteCount - offset)))
  }

  /// The next bytes, at most `count`; fewer only at the end. `buffer` has room for them unless the source is memory.
  func next(_ count: Int, buffer: Memory?) throws(SwzipError) -> UnsafeRawBufferPointer {
    let bytes: UnsafeRawBufferPointer
    if let memory {
      unsafe bytes = memory.take(count)
    } else {
      let target = unsafe buffer!.bytes
      var filled = min(start.count, count)
      if filled > 0 {
        unsafe start.withUnsafeBytes { unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<filled])) }
        start.removeFirst(filled)
      }
      if filled < count {
        filled += try unsafe source.read(into: UnsafeMutableRawBufferPointer(rebasing: target[filled..<count]))
      }
      unsafe bytes = buffer!.prefix(filled)
    }
    consumed += UInt64(bytes.count)
    return unsafe bytes
  }

  /// Adds bytes to the sums; in order, each byte once. Apart from `next`, so that one thread sums what it codes next
  /// anyway, while it comes into the cache.
  func sum(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    unsafe checksum.add(bytes)
    unsafe sha256?.add(bytes)
    try unsafe bundle?.write(bytes)
  }

  var checksumOfAll: Checksum128 { checksum.sum }
  /// Of the file or of each of a bundle's, once all is read and summed; none if they are not asked for.
  func sha256Digests() throws(SwzipError) -> [[UInt8]] { try bundle?.finish() ?? sha256.map { [$0.finish()] } ?? [] }
}
