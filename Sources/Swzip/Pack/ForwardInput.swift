internal import SwzipCore

/// The bytes of a member in order. Hands out memory where it lies, or reads into the caller's.
final class ForwardInput: @unchecked Sendable {  // one thread at a time
  private let random: (any RandomSource)?
  private let forward: any ForwardSource
  /// All bytes, where the source lends them.
  private let lent: LentBytes?
  /// What `peek` took from a pipe.
  private var start: [UInt8] = []
  private let checksum: StreamChecksum
  private var sha256: SHA256Sum?
  /// Hashes the files of a bundle one by one.
  private var bundle: BundleCutter?
  /// Bytes handed out so far.
  private(set) var consumed: UInt64 = 0

  init(_ source: any ByteSource) throws(SwzipError) {
    forward = source.forward()
    random = forward.random
    lent = try random.flatMap { random throws(SwzipError) in try random.borrow(at: 0, count: Int(random.byteCount)) }
    checksum = try StreamChecksum()
  }

  /// SHA-256 counts too, before anything is summed; of each of `files`, in a bundle.
  func addSHA256(of files: [BundledFile]?) {
    bundle = files.map { BundleCutter($0, firstNumber: 0, storesSHA256: true, nil) }
    sha256 = files == nil ? SHA256Sum() : nil
  }

  var isMemory: Bool { lent != nil }
  var byteCount: UInt64? { forward.byteCount }
  /// The file's; empty if it has none.
  var name: String { forward.name }

  /// The first bytes, without consuming them: `count`, or all if there are fewer.
  func peek(_ count: Int) throws(SwzipError) -> [UInt8] {
    if random != nil { return try bytes(at: 0, count: count) }
    // A pipe: what is read here is handed out again first. It grows as bytes arrive, not by what a header claims.
    while start.count < count {
      let step = try Memory(min(count - start.count, 1 << 20))
      let read = try unsafe forward.read(
        into: UnsafeMutableRawBufferPointer(rebasing: step.bytes[..<min(count - start.count, 1 << 20)]))
      guard read > 0 else { break }
      unsafe start.append(contentsOf: step.prefix(read))
    }
    return Array(start.prefix(count))
  }

  func bytes(at offset: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    guard let random, offset < random.byteCount else { return [] }
    return try random.bytes(at: offset, count: Int(min(UInt64(count), random.byteCount - offset)))
  }

  /// The next bytes, at most `count`; fewer only at the end. `buffer` has room for them unless the source is memory.
  func next(_ count: Int, buffer: Memory?) throws(SwzipError) -> UnsafeRawBufferPointer {
    let bytes: UnsafeRawBufferPointer
    if let lent {
      unsafe bytes = UnsafeRawBufferPointer(rebasing: lent.bytes[Int(consumed)...].prefix(count))
    } else {
      let target = unsafe buffer!.bytes
      var filled = min(start.count, count)
      if filled > 0 {
        unsafe start.withUnsafeBytes { unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<filled])) }
        start.removeFirst(filled)
      }
      if filled < count {
        filled += try unsafe forward.read(into: UnsafeMutableRawBufferPointer(rebasing: target[filled..<count]))
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
