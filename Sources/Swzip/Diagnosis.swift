public import SwzipCore
internal import SwzipSystem

/// What this build does on this machine: for who asks why it is slow, and for reports of faults.
public struct Diagnosis: Sendable {
  public var version = "\(swzipVersion)"
  /// The newest format that it writes.
  public var format = "\(FormatVersion.current)"
  /// The instructions that its loops use: "avx512", "avx2", "neon", "portable".
  public var kernels = Kernels.inUse.rawValue
  /// The processors that the process may use, which is what is used where nobody says a number.
  public var processors = availableProcessors()
  /// Bytes of memory copied a second, by one thread.
  public var copyRate = 0.0
  /// Bytes of bf16 weights a second, by one thread and by all.
  public var packRates = (one: 0.0, all: 0.0)
  public var unpackRates = (one: 0.0, all: 0.0)
  /// What was packed and did not come back as it was, and why; empty if all is right.
  public var faults: [String] = []

  private static let sampleBytes = 32 << 20
  private static let rounds = 3

  /// Packs and unpacks samples of each kind at each level, and measures. Cost: seconds, and 150 MB of memory.
  public init() throws(SwzipError) {
    let sample = try Memory(Self.sampleBytes)
    let copy = try Memory(Self.sampleBytes)
    let room = try Memory(packBound(Self.sampleBytes))
    for kind in Sample.allCases {
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: sample.bytes[..<(2 << 20)])
      unsafe kind.fill(part)
      for level in 1...9 { try unsafe check(kind, level, UnsafeRawBufferPointer(part), room, copy) }
    }
    unsafe Sample.bf16.fill(sample.bytes)
    for _ in 0..<Self.rounds {
      let watch = Stopwatch()
      unsafe copy.bytes.copyMemory(from: UnsafeRawBufferPointer(sample.bytes))
      copyRate = max(copyRate, Double(Self.sampleBytes) / watch.seconds)
    }
    try unsafe measure(UnsafeRawBufferPointer(sample.bytes), room, copy, 1, \.packRates.one, \.unpackRates.one)
    try unsafe measure(UnsafeRawBufferPointer(sample.bytes), room, copy, processors, \.packRates.all, \.unpackRates.all)
  }

  private mutating func check(
    _ kind: Sample, _ level: Int, _ bytes: UnsafeRawBufferPointer, _ room: Memory, _ copy: Memory
  ) throws(SwzipError) {
    var options = PackOptions()
    (options.level, options.threads) = (level, processors)
    do throws(SwzipError) {
      let count = try unsafe packBytes(bytes, into: room.bytes, options: options)
      let target = unsafe UnsafeMutableRawBufferPointer(rebasing: copy.bytes[..<bytes.count])
      _ = try unsafe unpackBytes(room.prefix(count), into: target, loaderPolicy: false, threads: processors)
      guard unsafe !equalBytes(UnsafeRawBufferPointer(target), bytes) else { return }
      faults.append("\(kind) at level \(level): other bytes came back")
    } catch {
      guard error.kind != .memory else { throw error }
      faults.append("\(kind) at level \(level): \(error.text)")
    }
  }

  private mutating func measure(
    _ bytes: UnsafeRawBufferPointer, _ room: Memory, _ copy: Memory, _ threads: Int,
    _ packRate: WritableKeyPath<Diagnosis, Double>, _ unpackRate: WritableKeyPath<Diagnosis, Double>
  ) throws(SwzipError) {
    var options = PackOptions()
    options.threads = threads
    for _ in 0..<Self.rounds {
      let packing = Stopwatch()
      let count = try unsafe packBytes(bytes, into: room.bytes, options: options)
      self[keyPath: packRate] = max(self[keyPath: packRate], Double(bytes.count) / packing.seconds)
      let unpacking = Stopwatch()
      _ = try unsafe unpackBytes(room.prefix(count), into: copy.bytes, loaderPolicy: false, threads: threads)
      self[keyPath: unpackRate] = max(self[keyPath: unpackRate], Double(bytes.count) / unpacking.seconds)
    }
  }
}

/// Bytes like those of models.
private enum Sample: CaseIterable {
  case bf16, f32, int8, text

  /// Fills memory with a safetensors file of one tensor, or with words.
  func fill(_ memory: UnsafeMutableRawBufferPointer) {
    var state: UInt64 = 1
    func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state >> 32
    }
    var start = 0
    if let (type, width) = type {
      let count = (memory.count - 8 - 128) / width
      var header = #"{"w":{"dtype":"\#(type)","shape":[\#(count)],"data_offsets":[0,\#(count * width)]}}"#
      header += String(repeating: " ", count: 128 - header.utf8.count)
      unsafe memory.storeBytes(of: UInt64(128).littleEndian, as: UInt64.self)
      unsafe memory[8...].copyBytes(from: header.utf8)
      start = 8 + 128
    }
    let words = ["weight ", "layer ", "model\n", "bias ", "0.5, "].map { Array($0.utf8) }
    var place = start
    while place < memory.count {
      // Bell-shaped, as weights are.
      let sum = (0..<4).reduce(Int64(0)) { sum, _ in sum + Int64(next() & 0xFFFF) } - 131_072
      switch self {
      case .text:
        for byte in words[Int(next() % 5)] where place < memory.count {
          unsafe memory[place] = byte
          place += 1
        }
      case .int8:
        unsafe memory[place] = UInt8(truncatingIfNeeded: sum >> 10)
        place += 1
      case .bf16, .f32:
        let bits = (Float(sum) / 4_000_000).bitPattern
        for byte in (self == .bf16 ? 2 : 0)..<4 where place < memory.count {
          unsafe memory[place] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(byte)))
          place += 1
        }
      }
    }
  }

  /// As safetensors names it, and the bytes of a value.
  private var type: (String, Int)? {
    switch self {
    case .bf16: ("BF16", 2)
    case .f32: ("F32", 4)
    case .int8: ("I8", 1)
    case .text: nil
    }
  }
}
