import Swzip
import SwzipCore
import SwzipSamples
import Testing

/// Checkpoints one step of Adam apart, as torch computes it: what follows from the first moments is not stored.
struct AdamTests {
  /// Weights with their moments, trained on noise of rows and columns of their own scales.
  struct Training {
    struct Weight {
      var name: String
      var rows, columns: Int
      var decays = true
      var master, first, second: [Float]

      init(_ name: String, rows: Int, columns: Int, decays: Bool = true, seed: UInt64) {
        (self.name, self.rows, self.columns, self.decays) = (name, rows, columns, decays)
        var random = Random(seed)
        master = (0..<(rows * columns)).map { _ in Float(random.below(1 << 20) - 1 << 19) / 1e7 }
        first = master.map { _ in 0 }
        second = first
      }
    }

    var weights: [Weight]
    var step = 0
    var rate = 4.9e-4
    var beta1 = 0.9
    var beta2 = 0.95
    var epsilon = 1e-8
    var decay = 0.1

    /// The operations of torch.optim.AdamW, in 32 bits, with constants that are rounded to them.
    mutating func train() {
      step += 1
      let rootOfCorrection = (1 - power(beta2, step)).squareRoot()
      let size = Float(rate / (1 - power(beta1, step)))
      for index in weights.indices {
        var weight = weights[index]
        var random = Random(UInt64(1000 * step + index))
        for place in weight.master.indices {
          // Some rows have no gradient.
          let row = place / weight.columns
          let scale = row % 9 == 4 ? 0 : Float(1 << (row % 5)) * 1e-6
          let gradient = scale * Float(random.below(2001) - 1000) / 300
          if weight.decays { weight.master[place] *= Float(1 - rate * decay) }
          weight.first[place] += Float(1 - beta1) * (gradient - weight.first[place])
          weight.second[place] = weight.second[place] * Float(beta2) + Float(1 - beta2) * gradient * gradient
          let by = weight.second[place].squareRoot() / Float(rootOfCorrection) + Float(epsilon)
          weight.master[place] -= size * weight.first[place] / by
        }
        weights[index] = weight
      }
    }

    private func power(_ base: Double, _ exponent: Int) -> Double {
      (0..<exponent).reduce(1) { value, _ in value * base }
    }

    enum Part { case halves, firsts, seconds, masters }

    func file(_ order: [Part] = [.firsts, .seconds, .masters, .halves], flat: Bool = false) -> SafetensorsFile {
      var file = SafetensorsFile()
      func add(_ name: String, _ type: ElementType, _ weight: Weight, _ bytes: [UInt8]) {
        file.add(name, type, [weight.rows, weight.columns])
        file.tensors[file.tensors.count - 1].bytes = bytes
      }
      for part in order {
        for (index, weight) in weights.enumerated() {
          switch part {
          case .halves: add(weight.name, .bf16, weight, weight.master.flatMap { bytes(half($0)) })
          case .firsts:
            add(flat ? "state.\(index).exp_avg" : "exp_avg.\(weight.name)", .f32, weight, floats(weight.first))
          case .seconds:
            add(flat ? "state.\(index).exp_avg_sq" : "exp_avg_sq.\(weight.name)", .f32, weight, floats(weight.second))
          case .masters: add("master.\(weight.name)", .f32, weight, floats(weight.master))
          }
        }
      }
      return file
    }

    private func floats(_ values: [Float]) -> [UInt8] { values.flatMap { bytes($0.bitPattern) } }
    private func half(_ value: Float) -> UInt16 {
      UInt16(truncatingIfNeeded: (value.bitPattern &+ 0x7FFF &+ (value.bitPattern >> 16 & 1)) >> 16)
    }
    private func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
      (0..<(Number.bitWidth / 8)).map { UInt8(truncatingIfNeeded: number >> (8 * Number($0))) }
    }
  }

  /// States after so many steps.
  static func training(_ steps: Int = 30) -> Training {
    var training = Training(weights: [
      Training.Weight("embed", rows: 200, columns: 128, seed: 1),
      Training.Weight("layer.0", rows: 128, columns: 128, seed: 2),
      Training.Weight("layer.1", rows: 128, columns: 128, seed: 3),
      Training.Weight("norm", rows: 1, columns: 4096, decays: false, seed: 4),
    ])
    for _ in 0..<steps { training.train() }
    return training
  }

  /// Bytes that segments of a codec take, but for the first moments.
  private func following(_ container: [UInt8], _ file: SafetensorsFile) throws -> (packed: UInt64, raw: UInt64) {
    let opened = try Container(ArraySource(container))
    var (packed, raw): (UInt64, UInt64) = (0, 0)
    for segment in opened.segments {
      let tensor = opened.tensors.first { $0.offset <= segment.offset && segment.offset < $0.offset + $0.byteCount }
      guard let tensor, !tensor.name.contains("exp_avg") || tensor.name.contains("exp_avg_sq") else { continue }
      packed += segment.packedByteCount
      raw += segment.byteCount
    }
    return (packed, raw)
  }

  /// The predictions of a container's deltas, each by the name of its case.
  private func predictions(_ container: [UInt8]) throws -> Set<String> {
    let source = ArraySource(container)
    let places = try Container(source).index.segments
    return Set(
      try places.indices.compactMap { number in
        let header = try OpenSegment.readHeader(source, places[number], number: number)
        guard header.codec == .delta else { return nil }
        return switch header.prediction {
        case .same: "same"
        case .scaled: "scaled"
        case .secondMoment: "second moment"
        case .weight: "weight"
        }
      })
  }

  @Test(arguments: [(3, 1), (3, 2), (7, 1)]) func oneStep(level: Int, threads: Int) throws {
    var training = Self.training()
    let before = training.file().bytes
    training.train()
    let after = training.file()
    let (container, report) = try BaseTests.packed(after.bytes, base: before, options(level: level, threads: threads))
    #expect(report.warnings.isEmpty)
    let taken = try following(container, after)
    #expect(taken.packed * 50 < taken.raw, "\(taken)")
    for isPipe in [false, true] {
      #expect(
        same(
          try BaseTests.unpacked(container, bases: [before], isPipe: isPipe, canReadBack: true, threads: threads),
          after.bytes))
    }
    let packedBase = try packed(from: ArraySource(before), options(level: level)).bytes
    #expect(same(try BaseTests.unpacked(container, bases: [packedBase], threads: threads), after.bytes))
    let file = try Container(ArraySource(container), bases: Bases([BaseTests.file(packedBase)]))
    var random = Random(3)
    for _ in 0..<30 {
      let from = random.below(after.bytes.count)
      let count = random.below(min(5000, after.bytes.count - from) + 1)
      #expect(same(try read(file, from, count), Array(after.bytes[from..<(from + count)])))
    }
  }

  /// Other constants, early steps with large corrections of bias, other orders and names.
  @Test func otherRuns() throws {
    func check(_ training: Training, _ order: [Training.Part], flat: Bool = false, _ share: UInt64, _ what: String)
      throws
    {
      var training = training
      let before = training.file(order, flat: flat).bytes
      training.train()
      let after = training.file(order, flat: flat)
      let container = try BaseTests.packed(after.bytes, base: before).bytes
      #expect(same(try BaseTests.unpacked(container, bases: [before]), after.bytes), "\(what)")
      let taken = try following(container, after)
      #expect(taken.packed * share < taken.raw, "\(what): \(taken)")
    }
    let usual: [Training.Part] = [.firsts, .seconds, .masters, .halves]
    try check(Self.training(), usual, flat: true, 50, "names of torch")
    try check(Self.training(3), usual, 30, "the fourth step")
    var other = Self.training(0)
    (other.beta2, other.epsilon, other.rate) = (0.999, 1e-6, 1e-3)
    for _ in 0..<12 { other.train() }
    try check(other, usual, 50, "other constants")
    // Halves before their masters are differences.
    try check(Self.training(), [.halves, .firsts, .seconds, .masters], 10, "halves first")
    // Masters without the moments of this step are differences too.
    try check(Self.training(), [.halves, .masters, .firsts, .seconds], 2, "moments last")
  }

  /// What a copy reads must not need earlier ranges: a tied master is stored as a difference.
  @Test func tiedWeights() throws {
    var training = Self.training()
    func file(_ training: Training) -> SafetensorsFile {
      var file = training.file()
      for name in ["master.layer.0", "exp_avg_sq.layer.1", "exp_avg.layer.1"] {
        var tied = file.tensors.first { $0.name == name }!
        tied.name = "tied." + name
        file.tensors.append(tied)
      }
      return file
    }
    let before = file(training).bytes
    training.train()
    let after = file(training)
    let container = try BaseTests.packed(after.bytes, base: before).bytes
    #expect(same(try BaseTests.unpacked(container, bases: [before]), after.bytes))
    #expect(same(try BaseTests.unpacked(container, bases: [before], isPipe: true, canReadBack: true), after.bytes))
    let copies = try Container(ArraySource(container)).segments.filter { $0.codec == "copy" && $0.elementType == "F32" }
    #expect(copies.count == 3)
  }

  /// In a folder, where the model is one file and the states of the optimizer another, each given its own base.
  @Test(arguments: [true, false]) func folder(modelFirst: Bool) throws {
    var training = Self.training()
    // What the masters refer to lies far behind the end of their own file.
    let notes = Random.made(3_000_000)
    func files(_ training: Training) -> [(name: String, bytes: [UInt8])] {
      var model = SafetensorsFile()
      model.add("a.frozen", .u8, [3_000_000])
      model.tensors[0].bytes = notes
      model.tensors += training.file([.halves]).tensors
      return [
        (modelFirst ? "c-model.safetensors" : "a-model.safetensors", model.bytes),
        ("b-optimizer.safetensors", training.file([.firsts, .seconds, .masters]).bytes),
        ("d-notes.txt", Array("step \(training.step)".utf8)),
      ].sorted { $0.0 > $1.0 }
    }
    let before = files(training)
    training.train()
    let after = files(training)
    let sink = ArraySink()
    let members = zip(before, after).map { old, new in
      PackMember(name: new.name, bases: [PackBase(hint: old.name) { () throws(SwzipError) in ArraySource(old.bytes) }])
      {
        () throws(SwzipError) in ArraySource(new.bytes)
      }
    }
    _ = try pack(members: members, to: sink, options: options())
    // Masters that the model's file refers to may not refer back themselves.
    #expect(try predictions(sink.bytes).contains("weight") == modelFirst)
    let file = try Container(ArraySource(sink.bytes), bases: Bases(before.map { BaseTests.file($0.bytes) }))
    for (number, new) in after.enumerated() {
      let memory = try Memory(new.bytes.count)
      try unsafe file.read(member: number, offset: 0, into: memory.bytes)
      #expect(unsafe new.bytes.elementsEqual(memory.bytes))
    }
    _ = try verify(ArraySource(sink.bytes), bases: Bases(before.map { BaseTests.file($0.bytes) }), threads: 1)
  }

  /// Far apart what has no gradient only decays: a factor tells.
  @Test func factors() throws {
    var training = Self.training()
    let before = training.file([.masters]).bytes
    let container: [UInt8]
    for _ in 0..<20 { training.train() }
    let after = training.file([.masters]).bytes
    container = try BaseTests.packed(after, base: before).bytes
    #expect(same(try BaseTests.unpacked(container, bases: [before]), after))
    let file = try Container(ArraySource(container), bases: Bases([BaseTests.file(before)]))
    #expect(try predictions(container).contains("scaled"))
    #expect(file.tensors.count == 4)
  }

  /// Without a proof of the base what is decoded tells.
  @Test func wrongBase() throws {
    var training = Self.training()
    let before = training.file().bytes
    training.train()
    let after = training.file().bytes
    let container = try BaseTests.packed(after, base: before).bytes
    var other = before
    for place in stride(from: before.count / 3, to: before.count, by: 40_000) { other[place] ^= 0x10 }
    #expect(throws: SwzipError(.base, .baseDiffers)) {
      try read(
        try Container(ArraySource(container), bases: Bases([BaseTests.file(other)], trust: .length)), 0, after.count)
    }
    let error = #expect(throws: SwzipError.self) { try BaseTests.unpacked(container, bases: [other]) }
    #expect(error?.rule == .baseDiffers)
  }

  /// Four steps, each packed given the one before: a row is read by a few blocks of each, not by ever more.
  @Test func chain() throws {
    var training = Self.training()
    var files = [training.file().bytes]
    var containers = [try packed(from: ArraySource(files[0]), options()).bytes]
    for step in 1...4 {
      training.train()
      files.append(training.file().bytes)
      containers.append(
        try BaseTests.packed(files[step], base: containers[step - 1], bases: Array(containers.dropLast())).bytes)
      #expect(same(try BaseTests.unpacked(containers[step], bases: Array(containers[..<step])), files[step]))
    }
    let counting = containers.dropLast().map { CountingSource($0) }
    let bases = try Bases(
      counting.map { source in BaseFile(name: "") { () throws(SwzipError) in source } }, trust: .length)
    let file = try Container(ArraySource(containers[4]), bases: bases)
    for source in counting { source.restart() }
    let row = Int(file.tensors.first { $0.name == "master.layer.1" }!.offset)
    #expect(same(try read(file, row, 512), Array(files[4][row..<(row + 512)])))
    // Of each: the index, and of each of the row's three tensors the one block; decoded again once at most,
    // which tells that all are to be kept.
    for (source, container) in zip(counting, containers) {
      let opened = try Container(ArraySource(container))
      let blocks = opened.segments.filter { segment in
        opened.tensors.contains {
          $0.name.hasSuffix("layer.1") && $0.elementType == "F32" && $0.offset == segment.offset
        }
      }
      let packed = Int(blocks.reduce(0) { $0 + $1.packedByteCount })
      #expect(blocks.count == 3)
      let index = 2 * FileHeader.byteCount + min(container.count, 256 << 10) + 4096
      #expect(
        source.byteCountRead <= index + 2 * packed, "\(source.byteCountRead), index \(index), blocks \(packed)")
    }
  }
}
