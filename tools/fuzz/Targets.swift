// The fuzz targets of the library, in one program: SWZIP_FUZZ names the one to run. A trap, a memory error, a broken
// promise (`require`) or an allocation out of proportion is a finding; a thrown error is not.
import CSwzipKernels
import Foundation
import Swzip
import SwzipCore
import SwzipInputs

typealias Target = (UnsafeRawBufferPointer) -> Void
let targets: [String: Target] =
  ["container": fuzzContainer, "block": fuzzBlock, "pickle": fuzzPickle, "roundtrip": fuzzRoundTrip]
  .merging(
    Formats.all.map { format in
      (format.name, { bytes in fuzzFormat(Array(bytes), as: format) })
    }
  ) { first, _ in first }
let name = ProcessInfo.processInfo.environment["SWZIP_FUZZ"] ?? ""
let target = targets[name] ?? { _ in fatalError("SWZIP_FUZZ is none of \(targets.keys.sorted())") }

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  target(UnsafeRawBufferPointer(start: start, count: count))
  return 0
}

@_silgen_name("LLVMFuzzerMutate")
func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ most: Int) -> Int

/// Containers are mutated in place mostly, so that their layout stays, and get right checksums mostly.
@_cdecl("LLVMFuzzerCustomMutator")
public func customMutator(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ most: Int, _ seed: CUnsignedInt) -> Int
{
  guard name == "container" else { return mutate(bytes, count, most) }
  var count = count
  if count >= 192, seed % 8 != 0 {
    let length = min(count, 1 << (2 + Int(seed >> 3) % 6))
    let from = Int(seed >> 6) % (count - length + 1)
    _ = mutate(bytes + from, length, length)
  } else {
    count = mutate(bytes, count, most)
  }
  guard seed % 16 != 1 else { return count }
  let mended = Mender.mend(Array(UnsafeBufferPointer(start: bytes, count: count)))
  bytes.update(from: mended, count: count)
  return count
}

func require(_ condition: Bool, _ what: String) {
  if !condition { fatalError(what) }
}

/// What a call throws, nil if nothing.
func failure(_ body: () throws -> Void) -> SwzipError? {
  do {
    try body()
    return nil
  } catch {
    return (error as! SwzipError)
  }
}

// MARK: container

/// Reads forward, at random, and what salvage finds. What reads well forward must read the same at random.
func fuzzContainer(_ bytes: UnsafeRawBufferPointer) {
  let forward = BoundedSink()
  let first = failure { _ = try unpack(from: Pipe(bytes), to: forward, threads: 1) }
  let second = failure {
    let file = try Container(MemorySource(bytes))
    _ = (file.tensors, file.segments, file.members)
    for (number, member) in file.members.enumerated() where member.byteCount <= UInt64(BoundedSink.most) {
      var buffer = [UInt8](repeating: 0, count: Int(member.byteCount))
      try buffer.withUnsafeMutableBytes { buffer in
        try file.read(member: number, offset: 0, into: buffer)
        let third = UInt64(buffer.count / 3)
        try file.read(
          member: number, offset: third, into: .init(rebasing: buffer[..<(buffer.count / 2)]), policy: .loader)
      }
      try buffer.withUnsafeMutableBytes { buffer in
        try file.read(member: number, offset: 0, into: buffer, policy: .loader)
      }
      if first == nil { require(buffer == forward.bytes, "forward and random reading differ") }
    }
  }
  if first == nil { require(second == nil, "reads forward, but not at random: \(second?.text ?? "")") }
  let saved = BoundedSink()
  let third = failure { _ = try salvage(from: MemorySource(bytes), to: saved) }
  // Salvage takes single files only: kind 0 at byte 20.
  if first == nil, bytes[20] == 0 {
    require(third == nil && saved.bytes == forward.bytes, "salvage differs from reading")
  }
}

// MARK: block

/// One block of a segment: u16 length of what follows byte 16 of the segment frame, that, then what follows byte 16 of
/// the block frame. Frame header and hash are made here; each level of the processor must say the same.
func fuzzBlock(_ bytes: UnsafeRawBufferPointer) {
  guard bytes.count > 2 else { return }
  let length = min(Int(bytes[0]) | Int(bytes[1]) << 8, bytes.count - 2)
  let body = [UInt8](bytes[2..<(2 + length)])
  var header: SegmentHeader?
  _ = failure {
    var reader = ByteReader(body.span.bytes, at: 16)
    header = try SegmentHeader.read(&reader)
  }
  let rest = bytes[(2 + length)...]
  guard let header, header.codec.isKnown, rest.count >= 16 else { return }
  let count = header.valueCount(ofBlock: 0)
  // Exactly the bytes that the decoder is promised.
  let frameBytes = (16 + rest.count + 15) & ~15
  let frame = UnsafeMutableRawBufferPointer.allocate(byteCount: frameBytes + Limits.slack, alignment: 16)
  let out = UnsafeMutableRawBufferPointer.allocate(byteCount: count * header.width, alignment: 1)
  defer {
    frame.deallocate()
    out.deallocate()
  }
  frame.initializeMemory(as: UInt8.self, repeating: 0)
  UnsafeMutableRawBufferPointer(rebasing: frame[16...]).copyMemory(from: UnsafeRawBufferPointer(rebasing: rest))
  let sealed = UnsafeMutableRawBufferPointer(rebasing: frame[..<frameBytes])
  _ = Frame.seal(sealed, .block, tag: UInt32(count))
  var results: [(SwzipError?, UInt64)] = []
  let levels = (0..<SWZIP_LEVELS.rawValue).map { swzip_level(rawValue: $0) }
  for level in levels where swzip_level_choose(level) {
    let error = failure {
      let decoder = SegmentDecoder()
      decoder.begin(header)
      try decoder.decode(
        UnsafeRawBufferPointer(sealed), block: 0, into: out, policy: .strict, scratch: DecodeScratch(), position: 0
      ) { number, _, target throws(SwzipError) in
        // What copies, casts and deltas refer to: like weights, and every byte value among them.
        for index in target.indices { target[index] = UInt8(truncatingIfNeeded: index * (37 + 2 * number) ^ index >> 9) }
        return nil
      }
    }
    let decoded = error == nil || error?.rule == .decodedHash
    results.append((error, decoded ? xxh3(UnsafeRawBufferPointer(out)) : 0))
  }
  require(results.allSatisfy { $0 == results[0] }, "the levels differ: \(results)")
}

// MARK: model formats

/// The pickle of a file of torch that is sound otherwise.
func fuzzPickle(_ bytes: UnsafeRawBufferPointer) {
  let storages = [64, 4096, 0, 8192].map { [UInt8](repeating: 1, count: $0) }
  map(ZipFile.torch(pickle: Array(bytes), storages: storages), as: Torch.self)
}

/// A file; of safetensors the header without its length, which the mutator does not find by itself.
func fuzzFormat(_ bytes: [UInt8], as format: any ModelFormat.Type) {
  let length = format.name == Safetensors.name ? withUnsafeBytes(of: UInt64(bytes.count).littleEndian, Array.init) : []
  map(length + bytes, as: format)
}

/// Segments must tile the file whatever it says, and a pipe may end later than it says.
private func map(_ file: [UInt8], as format: any ModelFormat.Type) {
  _ = format.recognises(Array(file.prefix(Formats.sniffBytes)))
  for isPipe in [false, true] {
    guard let map = (try? format.map(SparseBytes(file, isPipe: isPipe))) ?? nil else { continue }
    for byteCount in isPipe ? [nil, UInt64(file.count) * 1000] : [UInt64(file.count)] {
      if let problem = map.problem(byteCount: byteCount) { fatalError(problem) }
    }
  }
}

// MARK: round trip

/// Arbitrary bytes or a made-up tensor of them, at any level, through memory and pipes: what comes out went in.
func fuzzRoundTrip(_ bytes: UnsafeRawBufferPointer) {
  guard bytes.count >= 4 else { return }
  var options = PackOptions()
  options.level = 1 + Int(bytes[0]) % 9
  options.threads = 1 + Int(bytes[1] & 1)
  options.sha256 = bytes[1] & 2 != 0
  options.format = InputFormat.allCases[Int(bytes[1] >> 2) % InputFormat.allCases.count]
  let isPiped = bytes[1] & 0x40 != 0
  let content =
    bytes[1] & 0x80 != 0 ? tensors([UInt8](bytes[4...]), Int(bytes[2]), Int(bytes[3])) : [UInt8](bytes[4...])
  if bytes[0] & 0x80 != 0 { roundTrip(content, givenOneOf: bytes[0] & 0x40 != 0, bytes[1], Int(bytes[3]), options) }
  content.withUnsafeBytes { content in
    let packed = BoundedSink()
    let error = failure {
      let source: any ByteSource = isPiped ? Pipe(content) : MemorySource(content)
      _ = try pack(from: source, to: packed, options: options)
      try packed.bytes.withUnsafeBytes { container in
        let out = BoundedSink()
        _ = try unpack(from: Pipe(container), to: out, threads: options.threads)
        require(out.bytes.elementsEqual(content), "unpacking differs")
        var again = [UInt8](repeating: 0, count: content.count)
        _ = try again.withUnsafeMutableBytes { again in
          try unpackBytes(container, into: again, loaderPolicy: true, threads: 1)
        }
        require(again.elementsEqual(content), "reading at random differs")
      }
    }
    if let error {
      require(error.kind == .unsupported || error.kind == .invalidArgument, "the round trip fails: \(error.text)")
    }
  }
}

/// As differences to the same with every so manyth byte changed, whole or `shorter`.
private func roundTrip(
  _ content: [UInt8], givenOneOf shorter: Bool, _ change: UInt8, _ distance: Int, _ options: PackOptions
) {
  var other = content
  for place in stride(from: distance / 2, to: other.count, by: 1 + distance) { other[place] &+= change >> 4 | 1 }
  if shorter { other.removeLast(other.count / 7) }
  content.withUnsafeBytes { content in
    other.withUnsafeBytes { other in
      let error = failure {
        let base = try MemoryBase(other)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: packBound(content.count), alignment: 16)
        defer { room.deallocate() }
        let count = try packBytes(content, base: base, into: room, options: options)
        var again = [UInt8](repeating: 0, count: content.count)
        _ = try again.withUnsafeMutableBytes { again in
          try unpackBytes(
            UnsafeRawBufferPointer(rebasing: room[..<count]), base: base, into: again, loaderPolicy: false, threads: 1)
        }
        require(again.elementsEqual(content), "unpacking with a base differs")
      }
      if let error {
        require(error.kind == .unsupported || error.kind == .invalidArgument, "the round trip fails: \(error.text)")
      }
    }
  }
}

/// A safetensors file of two equal tensors and a small one, whose values repeat `seed` with changes.
private func tensors(_ seed: [UInt8], _ kind: Int, _ times: Int) -> [UInt8] {
  let types = ElementType.safetensors
  let type = types[kind % types.count]
  let width = max(1, type.bitCount / 8)
  var data: [UInt8] = []
  for round in 0..<(1 + times) { data += seed.map { $0 &+ UInt8(round & (width > 1 ? 3 : 0)) } }
  let unit = type.bitCount * 8
  data.removeLast(data.count % unit)
  guard !data.isEmpty else { return seed }
  let values = data.count * 8 / type.bitCount
  let shape = values % 64 == 0 ? "\(values / 64),64" : "\(values)"
  let text =
    "{"
    + ["a", "b"].enumerated().map { index, name in
      "\"\(name)\":{\"dtype\":\"\(type.name)\",\"shape\":[\(shape)],\"data_offsets\":[\(index * data.count),\((index + 1) * data.count)]}"
    }.joined(separator: ",") + "}"
  return withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian, Array.init) + Array(text.utf8) + data + data
}

// MARK: streams

/// Bytes that come forward only, as through a pipe.
final class Pipe: ForwardSource, @unchecked Sendable {
  private let reader: any ForwardSource
  init(_ bytes: UnsafeRawBufferPointer) { reader = MemorySource(bytes).forward() }
  var byteCount: UInt64? { nil }
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int { try reader.read(into: buffer) }
}

/// Keeps what is written, up to a limit.
final class BoundedSink: OutputSink, @unchecked Sendable {
  static let most = 16 << 20
  private(set) var bytes: [UInt8] = []

  func write(_ more: UnsafeRawBufferPointer) throws(SwzipError) {
    guard more.count <= Self.most - bytes.count else { throw SwzipError(.io, .system, detail: "enough") }
    bytes += more
  }

  func readBack(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    guard position <= UInt64(bytes.count), buffer.count <= bytes.count - Int(position) else {
      throw SwzipError(.invalidArgument, .range)
    }
    bytes.withUnsafeBytes { buffer.copyMemory(from: .init(rebasing: $0[Int(position)...].prefix(buffer.count))) }
  }
}
