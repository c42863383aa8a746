internal import CZstd
internal import Swzip
internal import SwzipCore
internal import SwzipSystem

/// Measures coders in memory, in turns.
struct BenchJob {
  let name: String
  let bytes: [UInt8]
  /// Another version of them.
  var base: [UInt8]?
  /// Those of the processor, if nil.
  let kernels: [Kernels]?
  let levels: [Int]
  let threads: [Int]
  let rounds: Int

  func run() throws(SwzipError) -> [BenchResult] {
    guard let base else { return try run(against: nil, CopyContender(), ZstdContender()) }
    // The base outlives all that is measured.
    return try unsafe base.span.withUnsafeBytes { (bytes) throws(SwzipError) in
      try run(against: unsafe MemoryBase(bytes), CopyContender(), XorContender(base: base))
    }
  }

  private func run(against base: MemoryBase?, _ others: any Contender...) throws(SwzipError) -> [BenchResult] {
    var contenders = others
    for level in levels {
      for kernels in kernels ?? [.inUse] {
        for count in threads {
          contenders.append(SwzipContender(level: level, threads: count, kernels: kernels, base: base))
        }
      }
    }
    let capacity = contenders.map { $0.bound(bytes.count) }.max() ?? bytes.count
    var packed = [UInt8](repeating: 0, count: capacity)
    var output = [UInt8](repeating: 0, count: bytes.count)
    var results = contenders.map { BenchResult(name: $0.name, level: $0.level, threads: $0.threads) }
    for _ in 0..<rounds {
      for (index, contender) in contenders.enumerated() where results[index].error == nil {
        do throws(SwzipError) {
          try measure(contender, &packed, &output, &results[index])
        } catch {
          // A level that does not exist yet is a line, not the end.
          guard error.kind == .unsupported || error.kind == .invalidArgument else { throw error }
          results[index].error = error.explanation
        }
      }
    }
    return results
  }

  private func measure(
    _ contender: any Contender, _ packed: inout [UInt8], _ output: inout [UInt8], _ result: inout BenchResult
  ) throws(SwzipError) {
    if let kernels = contender.kernels {
      kernels.choose()
      result.kernels = .inUse
    }
    var packedSpan = packed.mutableSpan
    var outputSpan = output.mutableSpan
    // All pointers are used inside the closures only.
    try unsafe bytes.span.withUnsafeBytes { (source) throws(SwzipError) in
      try unsafe packedSpan.withUnsafeMutableBytes { (container) throws(SwzipError) in
        let watch = Stopwatch()
        let count = unsafe try contender.encode(source, container)
        result.encodeSeconds.append(watch.seconds)
        result.packedByteCount = UInt64(count)
        let packed = unsafe UnsafeRawBufferPointer(rebasing: container[..<count])
        try unsafe outputSpan.withUnsafeMutableBytes { (target) throws(SwzipError) in
          unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
          result.decodeSeconds.append(try unsafe seconds(contender, packed, target, source))
        }
        // It is the system's again after each round: see `Process.returnLargeMemory`.
        let fresh = try Memory(source.count)
        result.freshDecodeSeconds.append(try unsafe seconds(contender, packed, fresh.bytes, source))
      }
    }
  }

  /// What decoding takes; the result is compared with the source after it.
  private func seconds(
    _ contender: any Contender, _ packed: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer,
    _ source: UnsafeRawBufferPointer
  ) throws(SwzipError) -> Double {
    let watch = Stopwatch()
    unsafe try contender.decode(packed, target)
    let seconds = watch.seconds
    guard unsafe equalBytes(UnsafeRawBufferPointer(target), source) else { throw SwzipError(.io, .encoderFault) }
    return seconds
  }

  func text(_ results: [BenchResult], _ style: Style) -> String {
    var columns: [(String, Table.Alignment)] = [
      ("CODER", .left), ("THREADS", .right), ("RATIO", .right), ("PACK", .right), ("UNPACK", .right),
      ("OF MEMCPY", .right), ("FRESH", .right),
    ]
    if kernels != nil { columns.insert(("KERNELS", .left), at: 1) }
    var table = Table(columns)
    table.indent = 2
    let raw = UInt64(bytes.count)
    let copy = results.first.map { median($0.decodeSeconds) } ?? 0
    for result in results {
      var row = [result.name]
      if kernels != nil { row.append(result.kernels?.rawValue ?? "") }
      row.append(String(result.threads))
      if result.error == nil {
        let decode = median(result.decodeSeconds)
        row += [
          formatRatio(result.packedByteCount, of: raw), formatRate(raw, seconds: median(result.encodeSeconds)),
          formatRate(raw, seconds: decode), decode > 0 ? fixed(copy / decode, places: 2) + "×" : "-",
          formatRate(raw, seconds: median(result.freshDecodeSeconds)),
        ]
      } else {
        row.append("not in this version")
      }
      table.add(row)
    }
    return style.bold(name.printable) + ", \(formatSize(raw)), medians of \(rounds)\n\n" + table.text(style)
  }
}

/// The figures of one coder.
struct BenchResult {
  let name: String
  let level: Int?
  let threads: Int
  /// Those that were in use; nil of a coder that has none.
  var kernels: Kernels?
  var packedByteCount: UInt64 = 0
  var encodeSeconds: [Double] = []
  var decodeSeconds: [Double] = []
  /// The same to memory that nobody has touched yet.
  var freshDecodeSeconds: [Double] = []
  var error: String?

  init(name: String, level: Int?, threads: Int) {
    self.name = name
    self.level = level
    self.threads = threads
  }

  /// Every figure, not only the medians.
  func json(_ path: String, _ raw: UInt64) -> JSONObject {
    var fields: JSONObject = ["path": .string(path), "coder": .string(name), "threads": .integer(UInt64(threads))]
    if let level { fields["level"] = .integer(UInt64(level)) }
    if let kernels { fields["kernels"] = .string(kernels.rawValue) }
    if let error {
      fields["unavailable"] = .string(error)
      return fields
    }
    fields["in_bytes"] = .integer(raw)
    fields["out_bytes"] = .integer(packedByteCount)
    fields["ratio"] = ratio(packedByteCount, of: raw)
    fields["encode_seconds"] = .array(encodeSeconds.map { .decimal($0) })
    fields["decode_seconds"] = .array(decodeSeconds.map { .decimal($0) })
    fields["decode_fresh_seconds"] = .array(freshDecodeSeconds.map { .decimal($0) })
    return fields
  }
}

/// The middle one; of an even number the lower.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[(values.count - 1) / 2]
}
