import Swzip
import SwzipCore
import SwzipInputs
import SwzipSamples
import Testing

/// Small containers, one for each codec and mode, for tests that damage every byte.
struct SmallContainer: Sendable, CustomTestStringConvertible {
  let name: String
  let original: [UInt8]
  let container: [UInt8]

  var testDescription: String { name }

  /// What differs from every container that packing makes of it: written by hand through the library's parts.
  static let all: [SmallContainer] = {
    do {
      let text = Array("a compressor of weights must give back every weight. ".utf8)
      var made = [
        try SmallContainer("empty", []),
        try SmallContainer("raw", Random.made(40)),
        try SmallContainer("constant", [UInt8](repeating: 9, count: 300)),
        try SmallContainer("zstd", Array([[UInt8]](repeating: text, count: 6).joined())),
        try SmallContainer(
          "lz4", Array([[UInt8]](repeating: text, count: 6).joined()), options(level: 1, sha256: true)),
      ]
      for (name, usesNodes) in [("huffman", false), ("nodes", true)] {
        made += [
          try SmallContainer(name, .bf16, [510], .weights, level: 3, usesNodes: usesNodes),
          try SmallContainer("\(name), sorted", .bf16, [16, 64], .rows, level: 3, usesNodes: usesNodes),
          try SmallContainer("\(name), patches", .bf16, [1000], .outliers, level: 3, usesNodes: usesNodes),
          try SmallContainer("\(name), f32", .f32, [700], .weights, level: 2, usesNodes: usesNodes),
          try SmallContainer("\(name), symbols", .i16, [3000], .fewValues, level: 3, usesNodes: usesNodes),
        ]
      }
      made += [
        try SmallContainer("fixed4", .bf16, [506], .outliers, level: 1),
        try SmallContainer("planes", .i32, [300], .weights, level: 2),
        try SmallContainer("J = 2", .bf16, [510], .weights, level: 5),
        try SmallContainer("symbols, rans", .bf16, [40, 75], .fewValues, level: 7),
        try SmallContainer("sparse", .bf16, [900], .zeros, level: 3),
        try SmallContainer("sparse, rans", .bf16, [900], .twoOfFour, level: 7),
        try SmallContainer("rans", .bf16, [16, 64], .rows, level: 7),
        try fewZeros(),
        try SmallContainer("rans, f16", .f16, [700], .weights, level: 7),
        try copies(),
      ]
      return made
    } catch {
      preconditionFailure("\(error)")
    }
  }()

  private init(_ name: String, _ original: [UInt8], _ container: [UInt8]) {
    self.name = name
    self.original = original
    self.container = container
  }

  private init(_ name: String, _ original: [UInt8], _ options: PackOptions = PackOptions()) throws {
    self.init(name, original, try packed(original, options))
  }

  private init(
    _ name: String, _ type: ElementType, _ shape: [Int], _ pattern: Pattern, level: Int, usesNodes: Bool = true
  ) throws {
    var file = SafetensorsFile()
    file.metadata = nil
    file.add("t", type, shape, pattern)
    try self.init(name, file, Effort(level: level, usesNodes: usesNodes))
  }

  /// Segments as the level plans them, though a lower one may be smaller here.
  private init(_ name: String, _ file: SafetensorsFile, _ effort: Effort) throws {
    let bytes = file.bytes
    let map = try Safetensors.map(SparseBytes(bytes)) ?? FileMap()
    let (original, container) = try Self.assembled(bytes, effort) {
      Planner.layout(of: map, format: "", fileByteCount: UInt64($0)).segments
    }
    self.init(name, original, container)
  }

  /// Weights of which one in 25 is zero: too few for mode sparse, enough to leave their raw bits out.
  private static func fewZeros() throws -> SmallContainer {
    var file = SafetensorsFile()
    file.metadata = nil
    file.add("t", .bf16, [600], .weights)
    for index in stride(from: 0, to: 1200, by: 50) {
      (file.tensors[0].bytes[index], file.tensors[0].bytes[index + 1]) = (0, 0)
    }
    return try SmallContainer("rans, zeros", file, Effort(level: 7))
  }

  /// A copy segment; too small for packing to look for one.
  private static func copies() throws -> SmallContainer {
    let half = Random.made(96)
    let (original, container) = try assembled(half + half) { count in
      var copy = SegmentRange(offset: 96, byteCount: 96, elementType: .bytes)
      copy.derivation = .copy(.earlier(member: 0, offset: 0))
      return [SegmentRange(offset: 0, byteCount: 96, elementType: .bytes), copy]
    }
    return SmallContainer("copy", original, container)
  }

  /// A container of these segments, made from the parts that packing uses.
  static func assembled(
    _ original: [UInt8], _ effort: Effort = Effort(level: 3), base: BaseRecord? = nil, sha256: [UInt8]? = nil,
    _ ranges: (Int) -> [SegmentRange]
  ) throws -> (original: [UInt8], container: [UInt8]) {
    let sink = ArraySink()
    let scratch = try EncodeScratch()
    var account = ContainerAccount()
    var header = FileHeader()
    header.totalByteCount = UInt64(original.count)
    let ranges = ranges(original.count)
    if ranges.contains(where: \.refersBack) { header.mustFlags |= FileHeader.refersBack }
    if base != nil { header.mustFlags |= FileHeader.needsBase }
    if sha256 != nil { header.mayFlags |= FileHeader.memberSHA256 }
    var member = MemberHeader()
    member.bases = base.map { [$0] } ?? []
    member.storesSHA256 = sha256 != nil
    member.byteCount = UInt64(original.count)
    let frame = member.frame(number: 0)
    try sink.write(header.bytes + frame.bytes)
    account.add(byteCount: FileHeader.byteCount)
    account.beginMember(member, frameByteCount: frame.bytes.count, hash: frame.hash)
    let sum = try StreamChecksum()
    try unsafe original.withUnsafeBytes { bytes in
      unsafe sum.add(bytes)
      for range in ranges {
        let start = Int(range.offset)
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[start..<(start + range.byteCount)])
        let plan = try unsafe SegmentPlan(range, part, effort: effort, scratch: scratch)
        let frame = plan.header.frame(number: account.segmentCount)
        try sink.write(frame.bytes)
        account.beginSegment(plan.header, frameByteCount: frame.bytes.count, hash: frame.hash)
        let memory = try Memory(plan.frameBound + Limits.slack)
        for block in 0..<plan.blockCount {
          let source = unsafe UnsafeRawBufferPointer(rebasing: part[plan.bytes(ofBlock: block)])
          let entry = unsafe plan.encode(block, source, into: memory.bytes, scratch: scratch)
          try unsafe sink.write(memory.prefix(entry.frameByteCount))
          account.add(entry)
        }
      }
    }
    account.endMember(
      byteCount: UInt64(original.count), checksum: sum.sum, sha256: sha256.map { [$0] } ?? [], tensors: [])
    try sink.write(try account.index(header: header.bytes).bytes)
    return (original, sink.bytes)
  }
}
