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
      for count in threads { contenders.append(SwzipContender(level: level, threads: count, base: base)) }
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
    var packedSpan = packed.mutableSpan
    var outputSpan = output.mutableSpan
    // All pointers are used inside the closures only.
    try unsafe bytes.span.withUnsafeBytes { (source) throws(SwzipError) in
      try unsafe packedSpan.withUnsafeMutableBytes { (container) throws(SwzipError) in
        var watch = Stopwatch()
        let count = unsafe try contender.encode(source, container)
        result.encodeSeconds.append(watch.seconds)
        result.packedByteCount = UInt64(count)
        try unsafe outputSpan.withUnsafeMutableBytes { (target) throws(SwzipError) in
          unsafe target.initializeMemory(as: UInt8.self, repeating: 0)
          watch = Stopwatch()
          unsafe try contender.decode(UnsafeRawBufferPointer(rebasing: container[..<count]), target)
          result.decodeSeconds.append(watch.seconds)
          guard unsafe target.elementsEqual(source) else { throw SwzipError(.io, .encoderFault) }
        }
      }
    }
  }

  func text(_ results: [BenchResult], _ style: Style) -> String {
    var table = Table([
      ("CODER", .left), ("THREADS", .right), ("RATIO", .right), ("PACK", .right), ("UNPACK", .right),
      ("OF MEMCPY", .right),
    ])
    table.indent = 2
    let raw = UInt64(bytes.count)
    let copy = results.first.map { median($0.decodeSeconds) } ?? 0
    for result in results {
      if result.error != nil {
        table.add([result.name, String(result.threads), "not in this version"])
        continue
      }
      let decode = median(result.decodeSeconds)
      table.add([
        result.name, String(result.threads), formatRatio(result.packedByteCount, of: raw),
        formatRate(raw, seconds: median(result.encodeSeconds)), formatRate(raw, seconds: decode),
        decode > 0 ? fixed(copy / decode, places: 2) + "×" : "-",
      ])
    }
    return style.bold(name.printable) + ", \(formatSize(raw)), medians of \(rounds)\n\n" + table.text(style)
  }
}

/// The figures of one coder.
struct BenchResult {
  let name: String
  let level: Int?
  let threads: Int
  var packedByteCount: UInt64 = 0
  var encodeSeconds: [Double] = []
  var decodeSeconds: [Double] = []
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
    if let error {
      fields["unavailable"] = .string(error)
      return fields
    }
    fields["in_bytes"] = .integer(raw)
    fields["out_bytes"] = .integer(packedByteCount)
    fields["ratio"] = ratio(packedByteCount, of: raw)
    fields["encode_seconds"] = .array(encodeSeconds.map { .decimal($0) })
    fields["decode_seconds"] = .array(decodeSeconds.map { .decimal($0) })
    return fields
  }
}

/// The middle one; of an even number the lower.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[(values.count - 1) / 2]
}
