// Several threads pack, unpack and read at once, with errors and damage in the middle: for the sanitizers. What comes
// out must be right or an error. With the argument "canary" it makes the kind of mistake that they must report.
import Glibc
import Swzip
import SwzipCore

/// Bytes that are the same on every run and look like weights in part.
func sample(_ count: Int) -> [UInt8] {
  let text =
    "{\"a\":{\"dtype\":\"BF16\",\"shape\":[\(count / 8),4],\"data_offsets\":[0,\(count)]},"
    + "\"b\":{\"dtype\":\"F32\",\"shape\":[\(count / 4)],\"data_offsets\":[\(count),\(2 * count)]},"
    + "\"c\":{\"dtype\":\"I16\",\"shape\":[\(count / 2)],\"data_offsets\":[\(2 * count),\(3 * count)]}}"
  var bytes = withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian, Array.init) + Array(text.utf8)
  var state: UInt64 = 88_172_645_463_325_252
  for index in 0..<(3 * count) {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    bytes.append(
      index % 2 == 1 ? UInt8(60 + (state & state >> 8 & 3)) | UInt8(state >> 63) << 7 : UInt8(truncatingIfNeeded: state)
    )
  }
  return bytes
}

let injected = SwzipError(.io, .system, detail: "injected")

/// A file, or a pipe, that may fail.
final class Source: ForwardSource, @unchecked Sendable {
  private let file: File
  private let reader: any ForwardSource
  private let isPipe: Bool

  init(_ bytes: [UInt8], failsAt: Int = .max, isPipe: Bool = false) {
    file = File(bytes, failsAt: failsAt)
    reader = file.forward()
    self.isPipe = isPipe
  }

  var byteCount: UInt64? { isPipe ? nil : file.byteCount }
  var random: (any RandomSource)? { isPipe ? nil : file }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int { try reader.read(into: buffer) }
}

final class File: RandomSource {
  private let bytes: [UInt8]
  private let failsAt: Int

  init(_ bytes: [UInt8], failsAt: Int = .max) {
    self.bytes = bytes
    self.failsAt = failsAt
  }

  var byteCount: UInt64 { UInt64(bytes.count) }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let from = Int(position)
    let count = min(buffer.count, max(0, bytes.count - from))
    if from + count > failsAt { throw injected }
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[from..<(from + count)])) }
    return count
  }
}

final class Sink: OutputSink, @unchecked Sendable {
  private(set) var bytes: [UInt8] = []
  private let failsAt: Int

  init(failsAt: Int = .max) { self.failsAt = failsAt }

  func write(_ more: UnsafeRawBufferPointer) throws(SwzipError) {
    if bytes.count + more.count > failsAt { throw injected }
    bytes += more
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[Int(position)...].prefix(buffer.count))) }
  }
}

func require(_ condition: Bool, _ what: String) {
  guard !condition else { return }
  print("WRONG: \(what)")
  exit(1)
}

func options(_ level: Int, _ threads: Int) -> PackOptions {
  var options = PackOptions()
  options.level = level
  options.threads = threads
  return options
}

/// An error at any place ends with that error, whoever of the threads meets it.
func errors(_ content: [UInt8], _ packed: [UInt8], threads: Int) {
  func expect(_ what: String, _ body: () throws(SwzipError) -> Void) {
    do throws(SwzipError) {
      try body()
      require(false, "\(what) is lost")
    } catch { require(error == injected, "\(what) became: \(error.text)") }
  }
  for part in 0..<8 {
    let (inContent, inPacked) = (content.count * part / 8 + 100, packed.count * part / 8 + 100)
    expect("an error of reading while packing") { () throws(SwzipError) in
      _ = try pack(
        from: Source(content, failsAt: inContent, isPipe: part % 2 == 0), to: Sink(), options: options(3, threads))
    }
    expect("an error of writing while packing") { () throws(SwzipError) in
      _ = try pack(from: Source(content), to: Sink(failsAt: inPacked), options: options(1, threads))
    }
    expect("an error of reading while unpacking") { () throws(SwzipError) in
      _ = try unpack(from: Source(packed, failsAt: inPacked, isPipe: true), to: Sink(), threads: threads)
    }
    expect("an error of writing while unpacking") { () throws(SwzipError) in
      _ = try unpack(from: Source(packed), to: Sink(failsAt: inContent), threads: threads)
    }
    var damaged = packed
    damaged[inPacked] ^= 1
    for isPipe in [true, false] {
      do throws(SwzipError) {
        let out = Sink()
        _ = try unpack(from: Source(damaged, isPipe: isPipe), to: out, threads: threads)
        require(false, "damage at \(inPacked) is not seen")
      } catch { require(error.kind == .corrupt || error.kind == .unsupported, "damage became: \(error.text)") }
    }
  }
}

/// One container, read by several threads at once, each with threads of its own.
func readers(_ content: [UInt8], _ packed: [UInt8]) async throws {
  let file = try Container(File(packed))
  await withTaskGroup(of: Void.self) { group in
    for reader in 0..<4 {
      group.addTask {
        for round in 0..<3 {
          let from = (reader * 3 + round) * content.count / 13
          var buffer = [UInt8](repeating: 0, count: content.count - from)
          do {
            try buffer.withUnsafeMutableBytes {
              try file.read(
                member: 0, offset: UInt64(from), into: $0, policy: round == 1 ? .loader : .strict,
                threads: 1 + reader % 3)
            }
          } catch { require(false, "reading at once: \(error)") }
          require(buffer.elementsEqual(content[from...]), "readers at once see other bytes")
        }
      }
    }
  }
}

/// Small ranges from the beginning to the end, by several threads: blocks that one has read give their room to others.
func readersInOrder(_ content: [UInt8], _ packed: [UInt8]) async throws {
  let file = try Container(File(packed))
  await withTaskGroup(of: Void.self) { group in
    for reader in 0..<4 {
      group.addTask {
        let count = 3000 + 1000 * reader
        for from in stride(from: 0, to: content.count - count, by: count) {
          var buffer = [UInt8](repeating: 0, count: count)
          do {
            try buffer.withUnsafeMutableBytes { try file.read(member: 0, offset: UInt64(from), into: $0) }
          } catch { require(false, "reading in order: \(error)") }
          require(buffer.elementsEqual(content[from..<(from + count)]), "readers in order see other bytes")
        }
      }
    }
  }
}

/// Differences to a base, plain and packed, which is hashed while several threads use it.
func bases(_ content: [UInt8], _ packed: [UInt8]) throws {
  var next = content
  for place in stride(from: content.count / 2, to: content.count, by: 101) { next[place] ^= 1 }
  let delta = Sink()
  let base = PackBase(hint: "base") { () throws(SwzipError) in File(content) }
  _ = try pack(from: File(next), bases: [base], to: delta, options: options(3, 2))
  require(delta.bytes.count < packed.count, "a delta is no smaller")
  for (threads, bytes) in [(1, content), (2, packed), (3, content), (4, packed)] {
    let out = Sink()
    let known = try Bases([BaseFile(name: "base") { () throws(SwzipError) in File(bytes) }])
    _ = try unpack(from: Source(delta.bytes), to: out, bases: known, threads: threads)
    require(out.bytes == next, "a delta gives other bytes")
  }
}

final class Canary: @unchecked Sendable {
  var count = 0
}

/// Two threads that change one number.
func race() async {
  let canary = Canary()
  await withTaskGroup(of: Void.self) { group in
    for _ in 0..<4 { group.addTask { for _ in 0..<300_000 { canary.count += 1 } } }
  }
  print(canary.count)
}

@main
enum Stress {
  static func main() async throws {
    if CommandLine.arguments.contains("canary") { return await race() }
    let content = sample(Int(CommandLine.arguments.dropFirst().first ?? "") ?? 8_000_000)
    var first: [Int: [UInt8]] = [:]
    for threads in 1...4 {
      for level in [1, 2, 3] {
        let packed = Sink()
        _ = try pack(from: Source(content), to: packed, options: options(level, threads))
        require(first[level] ?? packed.bytes == packed.bytes, "threads change the container")
        first[level] = packed.bytes
        let out = Sink()
        _ = try unpack(from: Source(packed.bytes, isPipe: level == 2), to: out, threads: threads)
        require(out.bytes == content, "the round trip differs")
      }
      if threads > 1 { errors(content, first[1]!, threads: threads) }
      print("\(threads) threads: right")
    }
    try await readers(content, first[3]!)
    try await readersInOrder(content, first[3]!)
    print("readers at once: right")
    try bases(content, first[3]!)
    let small = sample(600_000)
    let packed = Sink()
    _ = try pack(from: Source(small), to: packed, options: options(3, 2))
    for _ in 0..<20 { try bases(small, packed.bytes) }
    print("bases: right")
  }
}
