import Swzip
import SwzipArchive
import SwzipCore
import Testing

/// What rounding keeps, whatever the values.
struct MomentTests {
  private typealias Pair = MomentPolicy.Pair
  private static let rounding: [MomentPolicy] = [.relative, .update]

  private static let odd: [Float] = [
    0, -0.0, .leastNonzeroMagnitude, 3 * .leastNonzeroMagnitude, .leastNormalMagnitude,
    .leastNormalMagnitude.nextDown, 0x1p-126 * 1.5, 0x1p-64, 1, 1.0625, 1.1875, 0x1.fffffep0, 3, 4, 0x1p63,
    .greatestFiniteMagnitude, 0x1.fp127, 0x1.e1p127, .infinity, .nan,
  ]

  /// Moments as they are, any bits, and odd ones.
  private static func pairs(_ run: Run) -> [(Float, Float)] {
    var pairs: [(Float, Float)] = odd.flatMap { first in odd.flatMap { [(first, $0), (-first, $0), (first, -$0)] } }
    for _ in 0..<10_000 {
      let second = Float(sign: .plus, exponent: Int(run.next(below: 60)) - 50, significand: 1 + unit(run))
      let sign: FloatingPointSign = run.next(below: 2) == 0 ? .plus : .minus
      let ratio = Float(sign: sign, exponent: -Int(run.next(below: 12)), significand: 1 + unit(run))
      pairs.append((ratio * second.squareRoot(), second))
      pairs.append((Float(bitPattern: word(run)), Float(bitPattern: word(run))))
    }
    return pairs
  }

  private static func word(_ run: Run) -> UInt32 { UInt32(run.next(below: 1 << 16) << 16 | run.next(below: 1 << 16)) }
  private static func unit(_ run: Run) -> Float { Float(run.next(below: 1 << 23)) / 0x1p23 }

  /// What is wrong with what is kept of a pair.
  private static func fault(_ policy: MomentPolicy, _ pair: Pair) -> String? {
    let kept = policy.kept(pair)
    if policy.kept(kept) != kept { return "rounded again it changes" }
    guard kept != pair else { return nil }
    func value(_ bits: UInt32) -> Double { Double(Float(bitPattern: bits)) }
    let (m, v, newM, newV) = (value(pair.first), value(pair.second), value(kept.first), value(kept.second))
    guard [m, v, newM, newV].allSatisfy(\.isFinite), v >= 0 else { return "it is not of moments" }
    if m == 0, kept.first != pair.first { return "zero changes" }
    if v == 0, kept.second != pair.second { return "zero changes" }
    switch policy {
    case .exact: return "it changes"
    case .relative: return abs(newM - m) <= abs(m) / 256 && abs(newV - v) <= v / 256 ? nil : "out of bounds"
    case .update:
      guard v > 0, newV > 0, abs(newV - v) <= v / 16 else { return "the second moment is out of bounds" }
      return abs(newM / newV.squareRoot() - m / v.squareRoot()) <= 1.0 / 64 ? nil : "out of bounds"
    }
  }

  @Test(arguments: MomentPolicy.allCases) func eachValueIsWithinTheBound(_ policy: MomentPolicy) throws {
    let faults = try Self.pairs(Run()).compactMap { first, second in
      Self.fault(policy, Pair(first: first.bitPattern, second: second.bitPattern)).map { "\(first), \(second): \($0)" }
    }
    #expect(faults == [])
  }

  /// What is worth rounding is rounded: to few bits.
  @Test func momentsLoseBits() throws {
    let run = try Run()
    for _ in 0..<100 {
      let second = Self.unit(run) + 0.5
      let pair = Pair(first: ((Self.unit(run) - 0.5) * second).bitPattern, second: second.bitPattern)
      #expect(MomentPolicy.relative.kept(pair).first & 0xFFFF == 0)
      #expect(MomentPolicy.update.kept(pair).second & 0xF_FFFF == 0)
      #expect(abs(Float(bitPattern: MomentPolicy.update.kept(pair).first)).remainder(dividingBy: 0x1p-6) == 0)
    }
  }

  // MARK: files

  /// A safetensors file of F32 tensors.
  private static func file(_ tensors: [(String, [Float])]) throws -> [UInt8] {
    let source = try SafetensorsSource(
      tensors.map { PackTensor(name: $0.0, elementType: .f32, shape: [$0.1.count], values: $0.1) })
    return try source.bytes(at: 0, count: Int(source.byteCount))
  }

  private static func state(_ run: Run, count: Int = 5000) throws -> [(String, [Float])] {
    let seconds = (0..<count).map { _ in
      Float(sign: .plus, exponent: -Int(run.next(below: 20)), significand: 1 + unit(run))
    }
    let firsts = seconds.map { $0.squareRoot() * (unit(run) - 0.5) }
    let weights = (0..<count).map { _ in unit(run) - 0.5 }
    return [
      ("model.w", weights), ("optimizer.master.w", weights), ("optimizer.exp_avg.w", firsts),
      ("optimizer.exp_avg_sq.w", seconds),
    ]
  }

  private static func sha256(_ bytes: [UInt8]) -> Digest {
    var sum = SHA256Sum()
    sum.add(bytes)
    return Digest(sum.finish())
  }

  @Test func onlyMomentsChange() throws {
    let run = try Run()
    let file = try Self.file(Self.state(run))
    let json = Array("{}".utf8)
    for (step, policy) in Self.rounding.enumerated() {
      let added = try run.add(["o.safetensors": file, "a.json": json], step: UInt64(step)) { $0.moments = policy }
      #expect(added.isNew && !added.isExact)
      let record = try #require(added.container.inexact)
      #expect(record.policy == policy.rawValue && record.files.map(\.name) == ["o.safetensors"])
      #expect(record.files[0].sourceSHA256 == Self.sha256(file) && record.files[0].tensorCount == 2)
      let restored = try run.restored("\(step)")
      #expect(restored["a.json"] == json)
      var after = try #require(restored["o.safetensors"])
      #expect(after != file && after.count == file.count)
      for tensor in try run.archive().open("\(step)").parts[0].container.tensors where tensor.name.contains("exp_avg") {
        let range = Int(tensor.offset)..<Int(tensor.offset + tensor.byteCount)
        #expect(after[range] != file[range])
        after.replaceSubrange(range, with: file[range])
      }
      #expect(after == file)
    }
  }

  /// Adding the same again adds nothing; adding what is restored loses nothing; a bound does not stand for all bits.
  @Test func theSameAgain() throws {
    let run = try Run()
    let files = ["o.safetensors": try Self.file(Self.state(run))]
    #expect(try run.add(files, step: 1) { $0.moments = .update }.isNew)
    let again = try run.add(files, step: 1) { $0.moments = .update }
    #expect(!again.isNew && !again.isExact && again.checkpoint.name == "1")
    let restored = try run.restored("1")
    for policy in MomentPolicy.allCases.filter({ $0 != .relative }) {
      let kept = try run.add(restored, step: 1) { $0.moments = policy }
      #expect(!kept.isNew && kept.isExact && kept.checkpoint.name == "1")
    }
    let exact = try run.add(files, step: 1)
    #expect(exact.isNew && exact.isExact && exact.checkpoint.name == "1@2")
    let there = try run.add(files, step: 1) { $0.moments = .relative }
    #expect(!there.isNew && there.isExact && there.checkpoint.name == "1@2")
    #expect(try run.restored("1@2") == files)
  }

  /// What is doubtful stays exact.
  @Test func doubtfulTensorsStayExact() throws {
    let run = try Run()
    let state = try Self.state(run, count: 300)
    func change(_ place: Int, _ value: Float) -> [(String, [Float])] {
      var state = state
      state[place].1[7] = value
      return state
    }
    var short = state
    short[2].1.removeLast()
    var renamed = state
    renamed[2].0 = "optimizer.exp_average.w"
    let doubtful = [
      change(2, .nan), change(2, .infinity), change(3, .nan), change(3, .infinity), change(3, -1), short, renamed,
    ]
    for (step, state) in doubtful.enumerated() {
      let files = ["o.safetensors": try Self.file(state)]
      let added = try run.add(files, step: UInt64(step)) { $0.moments = .update }
      #expect(added.isExact && added.container.inexact == nil && !added.warnings.isEmpty, "\(step)")
      #expect(try run.restored("\(step)") == files)
    }
  }

  /// The same container from any number of threads, and through a base.
  @Test func theSameBytesByAnyThreads() throws {
    let files = ["o.safetensors": try Self.file(Self.state(Run(), count: 60_000))]
    let stored = try [1, 2, 8].map { threads in
      let run = try Run()
      try run.add(files, step: 1) { $0.moments = .update }
      let added = try run.add(files, step: 2) {
        $0.moments = .update
        $0.packing.threads = threads
      }
      #expect(added.bases == ["1"])
      return try run.restored("2")
    }
    #expect(stored[0] == stored[1] && stored[0] == stored[2])
  }
}
