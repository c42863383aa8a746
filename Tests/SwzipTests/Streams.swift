import Swzip
import SwzipCore
import SwzipSamples
import Synchronization

/// A source of bytes that is not memory to the library, as a file.
final class ArraySource: RandomSource {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var byteCount: UInt64 { UInt64(bytes.count) }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let start = Int(min(position, byteCount))
    let count = min(buffer.count, bytes.count - start)
    unsafe bytes.withUnsafeBytes {
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<(start + count)]))
    }
    return count
  }
}

/// Counts what is read of it.
final class CountingSource: RandomSource {
  private let source: ArraySource
  private let count = Mutex((reads: 0, bytes: 0))

  init(_ bytes: [UInt8]) { source = ArraySource(bytes) }

  var byteCount: UInt64 { source.byteCount }
  var reads: Int { count.withLock { $0.reads } }
  var byteCountRead: Int { count.withLock { $0.bytes } }
  func restart() { count.withLock { $0 = (0, 0) } }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let read = unsafe try source.read(at: position, into: buffer)
    count.withLock { $0 = ($0.reads + 1, $0.bytes + read) }
    return read
  }
}

/// The same as through a pipe: without length, and once.
final class PipeSource: ForwardSource {
  private let reader: any ForwardSource

  init(_ bytes: [UInt8]) { reader = ArraySource(bytes).forward() }

  var byteCount: UInt64? { nil }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    unsafe try reader.read(into: buffer)
  }
}

func byteSource(_ bytes: [UInt8], isPipe: Bool) -> any ByteSource { isPipe ? PipeSource(bytes) : ArraySource(bytes) }

/// A sink that keeps what is written.
final class ArraySink: OutputSink {
  private let state = Mutex<[UInt8]>([])
  private let canReadBack: Bool

  init(canReadBack: Bool = true) { self.canReadBack = canReadBack }

  var bytes: [UInt8] { state.withLock { $0 } }

  func write(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    let copy = unsafe [UInt8](bytes)
    state.withLock { $0 += copy }
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard canReadBack else { throw SwzipError(.refused, .notRandomAccess) }
    let written = bytes
    guard position <= UInt64(written.count), buffer.count <= written.count - Int(position) else {
      throw SwzipError(.invalidArgument, .range)
    }
    unsafe buffer.copyBytes(from: written[Int(position)..<(Int(position) + buffer.count)])
  }

  var canRewrite: Bool { canReadBack }

  func rewrite(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    let copy = unsafe [UInt8](bytes)
    state.withLock { $0.replaceSubrange(Int(position)..<(Int(position) + copy.count), with: copy) }
  }
}

func options(level: Int = 3, threads: Int = 1, verify: Bool = true, sha256: Bool = false) -> PackOptions {
  var options = PackOptions()
  options.level = level
  options.threads = threads
  options.verify = verify
  options.sha256 = sha256
  return options
}

/// Packs an array; from memory to memory unless told otherwise.
func packed(_ original: [UInt8], _ options: PackOptions = PackOptions()) throws -> [UInt8] {
  var container = [UInt8](repeating: 0xEE, count: packBound(original.count))
  let count = try unsafe original.withUnsafeBytes { original in
    try unsafe container.withUnsafeMutableBytes { try unsafe packBytes(original, into: $0, options: options) }
  }
  container.removeLast(container.count - count)
  return container
}

func packed(from source: any ByteSource, _ options: PackOptions) throws -> (bytes: [UInt8], report: PackReport) {
  let sink = ArraySink()
  let report = try pack(from: source, to: sink, options: options)
  return (sink.bytes, report)
}

/// Unpacks by `unpackBytes`, into guarded memory of `capacity` bytes.
func unpacked(_ container: [UInt8], capacity: Int, loader: Bool = false, threads: Int = 1) throws -> [UInt8] {
  let target = try GuardedBuffer(capacity, misalignment: 3)
  let count = try unsafe container.withUnsafeBytes {
    try unsafe unpackBytes($0, into: target.bytes, loaderPolicy: loader, threads: threads)
  }
  guard target.guardsAreWhole else { throw TestFailure.wroteOutside }
  return unsafe [UInt8](UnsafeRawBufferPointer(rebasing: target.bytes[..<count]))
}

/// Unpacks forward.
func unpackedForward(
  _ container: [UInt8], isPipe: Bool = false, canReadBack: Bool = true, threads: Int = 1
) throws -> [UInt8] {
  let sink = ArraySink(canReadBack: canReadBack)
  let report = try unpack(from: byteSource(container, isPipe: isPipe), to: sink, threads: threads)
  let bytes = sink.bytes
  guard report.rawByteCount == UInt64(bytes.count), report.packedByteCount == UInt64(container.count) else {
    throw TestFailure.wrongReport
  }
  return bytes
}

/// All of the one member, by `Container`.
func readAtRandom(_ container: [UInt8], policy: CheckPolicy = .strict, threads: Int = 1) throws -> [UInt8] {
  let file = try Container(ArraySource(container))
  return try read(file, 0, Int(file.members[0].byteCount), policy: policy, threads: threads)
}

func read(
  _ file: Container, _ offset: Int, _ count: Int, policy: CheckPolicy = .strict, threads: Int = 1
) throws -> [UInt8] {
  let target = try GuardedBuffer(count, misalignment: offset & 15)
  try unsafe file.read(member: 0, offset: UInt64(offset), into: target.bytes, policy: policy, threads: threads)
  guard target.guardsAreWhole else { throw TestFailure.wroteOutside }
  return unsafe [UInt8](target.bytes)
}

enum TestFailure: Error { case wroteOutside, wrongReport }
