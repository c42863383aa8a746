public import SwzipCore

/// Where bytes come from.
public protocol ByteSource: AnyObject, Sendable {
  /// All of them in order: those of a forward source that are left.
  func forward() -> any ForwardSource
}

/// Bytes that are read once, from the first to the last: a pipe, or anything that can be read at all.
public protocol ForwardSource: ByteSource {
  /// The number of bytes; nil where only reading will tell (a pipe).
  var byteCount: UInt64? { get }
  /// The name of a file; empty where there is none.
  var name: String { get }
  /// The same bytes at any position; nil where they pass only once.
  var random: (any RandomSource)? { get }
  /// Whether it fetches what comes next by itself. Another that can be read at random may be read so, by several threads.
  var readsAhead: Bool { get }
  /// Reads on from where the last call ended. Returns fewer bytes than asked only at the end; 0 = end. One thread at a time.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
}

/// Bytes that are read at any position, by several threads at once: a file, memory, a member of a container.
public protocol RandomSource: ByteSource {
  var byteCount: UInt64 { get }
  /// Reads at a position. Returns fewer bytes than asked only at the end.
  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int
  /// `count` bytes at a position where they lie; nil where they do not lie in memory in one piece.
  func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes?
  /// How it is read best where so many bytes of an original are wanted.
  func steps(for byteCount: Int) -> ReadSteps
  /// The same, read for a call that may be ended: `goesOn` is asked while bytes are waited for; false throws `cancelled`.
  func watched(by goesOn: @escaping @Sendable () -> Bool) -> any RandomSource
}

/// How much of a source is read at once.
public struct ReadSteps: Sendable {
  /// Bytes: at least where several threads share, and at most.
  public var least, most: UInt64
  /// Bytes that are not wanted are read where there are no more of them between two that are.
  public var near: UInt64

  public init(least: UInt64, most: UInt64, near: UInt64) { (self.least, self.most, self.near) = (least, most, near) }

  /// What is decoded next is in the cache then.
  public static let local = ReadSteps(least: 128 << 10, most: 1 << 20, near: 64 << 10)
}

/// Where bytes go, in order.
public protocol OutputSink: AnyObject, Sendable {
  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError)
  /// Room for `count` bytes behind what is written, to be filled, as far as is wanted, before `advance`; nil where there is none.
  func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer?
  /// The first `count` bytes of what was reserved last are written.
  func advance(_ count: Int)
  /// Reads back what was written before, for references to earlier ranges. Throws `notRandomAccess` where it cannot (a pipe).
  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError)
  /// Whether `rewrite` can: nobody has seen yet what was written.
  var canRewrite: Bool { get }
  /// Writes other bytes where as many were written before.
  func rewrite(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError)
}

extension ForwardSource {
  public var name: String { "" }

  /// The same bytes at any position. Throws `notRandomAccess` where they pass only once.
  public func atRandom() throws(SwzipError) -> any RandomSource {
    guard let random else { throw SwzipError(.refused, .notRandomAccess) }
    return random
  }
  public var random: (any RandomSource)? { nil }
  public var readsAhead: Bool { false }
  public func forward() -> any ForwardSource { self }
}

extension RandomSource {
  /// Nothing is lent.
  public func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? { nil }

  public func steps(for byteCount: Int) -> ReadSteps { .local }

  /// Nobody waits long for it.
  public func watched(by goesOn: @escaping @Sendable () -> Bool) -> any RandomSource { self }

  public func forward() -> any ForwardSource { RandomReader(self) }

  /// Exactly `count` bytes at `position`, or `truncated`.
  package func bytes(at position: UInt64, count: Int) throws(SwzipError) -> [UInt8] {
    // All empty arrays share memory, which the initializer would write to.
    guard count > 0 else { return [] }
    var failure: SwzipError?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      do throws(SwzipError) {
        filled = try unsafe read(at: position, into: UnsafeMutableRawBufferPointer(buffer))
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    guard bytes.count == count else { throw SwzipError(.corrupt, .truncated, at: position) }
    return bytes
  }

  /// Hands all bytes to `take`, in order and in steps.
  private func forEachStep(
    _ control: Control? = nil, _ take: (UnsafeRawBufferPointer) -> Void
  ) throws(SwzipError) {
    let memory = try Memory(Int(min(byteCount, UInt64(Limits.segmentBytes))))
    var position: UInt64 = 0
    while position < byteCount {
      try control?.check()
      let count = try unsafe read(at: position, into: memory.bytes)
      guard count > 0 else { return }
      unsafe take(memory.prefix(count))
      position += UInt64(count)
    }
  }

  /// SHA-256 of all bytes.
  public func sha256(control: Control? = nil) throws(SwzipError) -> Digest {
    var sum = SHA256Sum()
    // The pointer is used inside the closure only; so below.
    try unsafe forEachStep(control) { bytes in unsafe sum.add(bytes) }
    return Digest(sum.finish())
  }

  /// The XXH3-128 of all bytes, as reports show it.
  public func checksum() throws(SwzipError) -> Digest {
    let sum = try StreamChecksum()
    try unsafe forEachStep { bytes in unsafe sum.add(bytes) }
    return sum.sum.digest
  }

  /// Whether a container begins here, and holds a folder.
  package func beginsFolder() throws(SwzipError) -> Bool {
    FileHeader.saysFolder(try bytes(at: 0, count: Int(min(byteCount, UInt64(FileHeader.byteCount)))))
  }

  /// Whether the bytes are a container's, by its magic.
  package func beginsContainer() throws(SwzipError) -> Bool {
    guard byteCount >= UInt64(FileHeader.magic.count) else { return false }
    return try bytes(at: 0, count: FileHeader.magic.count) == FileHeader.magic
  }
}

extension OutputSink {
  public func reserve(_ count: Int) -> UnsafeMutableRawBufferPointer? { nil }
  public func advance(_ count: Int) {}
  public var canRewrite: Bool { false }
  public func rewrite(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    throw SwzipError(.refused, .notRandomAccess)
  }

  package func write(_ bytes: [UInt8]) throws(SwzipError) {
    var failure: SwzipError?
    unsafe bytes.withUnsafeBytes { bytes in
      do throws(SwzipError) { try unsafe write(bytes) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}

/// A source of random access, read forward. One thread at a time.
private final class RandomReader: ForwardSource, @unchecked Sendable {
  private let source: any RandomSource
  private var position: UInt64 = 0

  init(_ source: any RandomSource) { self.source = source }

  var byteCount: UInt64? { source.byteCount }
  var random: (any RandomSource)? { source }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    // The caller's buffer is passed on.
    let count = unsafe try source.read(at: position, into: buffer)
    position += UInt64(count)
    return count
  }
}
