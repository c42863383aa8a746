import Swzip
import SwzipCore
import SwzipSamples
import Synchronization
import Testing

/// Files packed as differences to another version.
struct BaseTests {
  /// A model, and the same after some training: some tensors changed much, some little, some not at all.
  static let before: SafetensorsFile = {
    var file = SafetensorsFile()
    file.add("embedding", .bf16, [300, 128], .weights, seed: 1)
    file.add("layer.0", .bf16, [128, 400], .weights, seed: 2)
    file.add("norm", .bf16, [128], .weights, seed: 3)
    file.add("frozen", .f32, [100, 300], .weights, seed: 4)
    file.add("layer.1", .f32, [128, 400], .weights, seed: 5)
    file.add("quantised", .i8, [64, 512], .weights, seed: 6)
    file.add("position", .i64, [1000], .weights, seed: 7)
    return file
  }()

  static let after: SafetensorsFile = {
    var file = before
    var random = Random(9)
    for (index, rate) in [(0, 2), (1, 50), (2, 2), (4, 2), (5, 20)] {
      let width = file.tensors[index].type.width
      for place in stride(from: 0, to: file.tensors[index].bytes.count, by: width) where random.below(rate) == 0 {
        file.tensors[index].bytes[place] ^= UInt8(1 + random.below(15))
      }
    }
    return file
  }()

  static func file(_ bytes: [UInt8], name: String = "base") -> BaseFile {
    BaseFile(name: name) { () throws(SwzipError) in ArraySource(bytes) }
  }

  static func packed(
    _ bytes: [UInt8], base: [UInt8], bases: [[UInt8]] = [], _ options: PackOptions = options()
  ) throws -> (bytes: [UInt8], report: PackReport) {
    let sink = ArraySink()
    let needed = try Bases(bases.map { file($0) })
    let base = try #require(try PackBase(file(base), bases: needed))
    let report = try pack(from: ArraySource(bytes), bases: [base], to: sink, options: options)
    return (sink.bytes, report)
  }

  static func unpacked(
    _ container: [UInt8], bases: [[UInt8]], isPipe: Bool = false, canReadBack: Bool = false, threads: Int = 1
  ) throws -> [UInt8] {
    let sink = ArraySink(canReadBack: canReadBack || !isPipe)
    _ = try unpack(
      from: byteSource(container, isPipe: isPipe), to: sink, bases: try Bases(bases.map { file($0) }), threads: threads
    )
    return sink.bytes
  }

  @Test(arguments: [1, 3, 7, 9], [1, 2]) func roundTrip(level: Int, threads: Int) throws {
    let (before, after) = (Self.before.bytes, Self.after.bytes)
    let (container, report) = try Self.packed(after, base: before, options(level: level, threads: threads))
    #expect(report.warnings.isEmpty && report.tensorCount == 7)
    let alone = try SwzipTests.packed(from: ArraySource(after), options(level: level)).bytes
    #expect(container.count * 3 < alone.count)
    let packedBase = try SwzipTests.packed(from: ArraySource(before), options(level: level, sha256: level == 3)).bytes
    for base in [before, packedBase] {
      #expect(same(try Self.unpacked(container, bases: [base], threads: threads), after))
      #expect(same(try Self.unpacked(container, bases: [base], isPipe: true, threads: threads), after))
    }
    // What is packed against a packed base is the same.
    #expect(try Self.packed(after, base: packedBase, options(level: level, threads: threads)).bytes == container)
    let checked = try verify(ArraySource(container), bases: Bases([Self.file(before)]), threads: threads)
    #expect(checked.rawByteCount == UInt64(after.count))
    let file = try Container(ArraySource(container))
    #expect(file.index.header.mustFlags & FileHeader.needsBase != 0)
    let frozen = try #require(file.segments.first { $0.elementType == "F32" })
    #expect(frozen.codec == "delta" && frozen.packedByteCount < 400)
  }

  /// Any range, by either way to trust a base, reads only what it needs of the base.
  @Test(arguments: [Bases.Trust.digest, .length]) func randomAccess(trust: Bases.Trust) throws {
    let (before, after) = (Self.before.bytes, Self.after.bytes)
    let container = try Self.packed(after, base: before).bytes
    let counting = CountingSource(before)
    let bases = try Bases([BaseFile(name: "b") { () throws(SwzipError) in counting }], trust: trust)
    let file = try Container(ArraySource(container), bases: bases)
    let row = try #require(file.tensors.first { $0.name == "layer.1" })
    let start = Int(row.offset) + 400 * 4 * 3
    let found = try read(file, start, 400 * 4)
    #expect(same(found, Array(after[start..<(start + 1600)])))
    let hashed = trust == .digest ? before.count : 0
    #expect(counting.byteCountRead <= hashed + 128 * 400 * 4 + 64)
    var random = Random(4)
    for _ in 0..<40 {
      let from = random.below(after.count)
      let count = random.below(min(9000, after.count - from) + 1)
      #expect(same(try read(file, from, count), Array(after[from..<(from + count)])))
    }
  }

  @Test func missingAndWrongBases() throws {
    let (before, after) = (Self.before.bytes, Self.after.bytes)
    let container = try Self.packed(after, base: before).bytes
    func rule(_ bases: [[UInt8]]) -> SwzipError.Rule? {
      do {
        _ = try Self.unpacked(container, bases: bases)
        return nil
      } catch {
        #expect((error as? SwzipError)?.kind == .base)
        return (error as? SwzipError)?.rule
      }
    }
    #expect(rule([]) == .baseMissing)
    #expect(rule([after]) == .baseDiffers)
    #expect(rule([Array(before.dropLast())]) == .baseDiffers)
    for place in [0, before.count / 2, before.count - 1] {
      var other = before
      other[place] ^= 4
      #expect(rule([other]) == .baseDiffers)
      #expect(rule([other, before]) == nil)
      // Only the length is compared here: what was decoded tells.
      let file = try Container(ArraySource(container), bases: Bases([Self.file(other)], trust: .length))
      if place == before.count / 2 {
        #expect(throws: SwzipError(.base, .baseDiffers)) { try read(file, 0, after.count) }
      }
    }
    // Exponents, which choose the tables.
    for place in stride(from: before.count / 2, to: before.count / 2 + 40, by: 1) {
      var other = before
      other[place] ^= 0x42
      let file = try Container(ArraySource(container), bases: Bases([Self.file(other)], trust: .length))
      for policy in [CheckPolicy.strict, .loader] {
        #expect(throws: SwzipError(.base, .baseDiffers)) { try read(file, 0, after.count, policy: policy) }
      }
    }
    // A packed base with a damaged block.
    var damaged = try SwzipTests.packed(from: ArraySource(before), options()).bytes
    damaged[damaged.count / 2] ^= 1
    #expect(rule([damaged]) == .baseDamaged)
    #expect(rule([damaged, before]) == nil)
    let file = try Container(ArraySource(container), bases: Bases([Self.file(damaged)], trust: .length))
    let error = #expect(throws: SwzipError.self) { try read(file, 0, after.count) }
    #expect(error?.rule == .baseDamaged && error?.kind == .base)
  }

  /// Values that hardly ever change, with long gaps between changes, of as many sizes as there are ways to look at them: all, a sample, several blocks.
  @Test(arguments: [30_000, 131_072, 150_000, 250_000, 300_000]) func rareChanges(count: Int) throws {
    var random = Random(UInt64(count))
    var before = SafetensorsFile()
    before.add("a", .bf16, [count / 500, 500], .weights, seed: 2)
    var after = before
    for place in stride(from: 0, to: after.tensors[0].bytes.count, by: 2)
    where place / 60_000 % 3 == 0 && random.below(60) == 0 {
      after.tensors[0].bytes[place] ^= UInt8(1 + random.below(3))
    }
    let container = try Self.packed(after.bytes, base: before.bytes).bytes
    #expect(container.count < after.bytes.count / 20)
    #expect(same(try Self.unpacked(container, bases: [before.bytes]), after.bytes))
  }

  /// The base's digest is known before where the header cannot be written again, and is found while packing where it can.
  @Test(arguments: [1, 3]) func digestBeforeOrMeanwhile(threads: Int) throws {
    let (before, after) = (Self.before.bytes, Self.after.bytes)
    let containers = try [true, false].map { canRewrite in
      let (sink, counting) = (ArraySink(canReadBack: canRewrite), CountingSource(before))
      let base = try #require(try PackBase(BaseFile(name: "b") { () throws(SwzipError) in counting }))
      _ = try pack(from: ArraySource(after), bases: [base], to: sink, options: options(threads: threads))
      return (bytes: sink.bytes, read: counting.byteCountRead)
    }
    #expect(containers[0].bytes == containers[1].bytes)
    #expect(containers[0].read < containers[1].read)
    #expect(same(try Self.unpacked(containers[0].bytes, bases: [before], threads: threads), after))
  }

  /// A base is read once: what it leads to is hashed.
  @Test(arguments: [1, 3]) func readOnce(threads: Int) throws {
    let (before, after) = (Self.before.bytes, Self.after.bytes)
    let container = try Self.packed(after, base: before).bytes
    let counting = CountingSource(before)
    let bases = try Bases([BaseFile(name: "b") { () throws(SwzipError) in counting }])
    let sink = ArraySink()
    _ = try unpack(from: ArraySource(container), to: sink, bases: bases, threads: threads)
    #expect(same(sink.bytes, after))
    #expect(counting.byteCountRead <= before.count + 64)
  }

  /// Whatever of it is used, in whatever order and by however many threads: with another file the right bytes come out, or it is
  /// said to be another one.
  @Test(arguments: [1, 2, 5]) func provedWhateverIsUsed(threads: Int) throws {
    var random = Random(UInt64(threads))
    let before = Self.before.bytes
    var after = Self.after
    after.tensors.reverse()
    after.tensors.remove(at: 2)
    let container = try Self.packed(after.bytes, base: before).bytes
    #expect(same(try Self.unpacked(container, bases: [before], threads: threads), after.bytes))
    var refusals = 0
    for _ in 0..<40 {
      var other = before
      other[random.below(other.count)] ^= UInt8(1 << random.below(8))
      do {
        #expect(same(try Self.unpacked(container, bases: [other], threads: threads), after.bytes))
      } catch {
        #expect((error as? SwzipError)?.rule == .baseDiffers)
        refusals += 1
      }
    }
    #expect((1..<40).contains(refusals))
  }

  /// A base that is of no use is no base; nothing is needed to unpack.
  @Test func uselessBases() throws {
    var other = SafetensorsFile()
    for tensor in Self.before.tensors {
      other.add(tensor.name, tensor.type, tensor.shape, .weights, seed: UInt64(100 + other.tensors.count))
    }
    let after = Self.after.bytes
    for base in [other.bytes, [], Array("another file".utf8)] {
      let (container, report) = try Self.packed(after, base: base)
      #expect(report.warnings.count == 1 && report.warnings[0].contains("packed alone"))
      #expect(container == (try SwzipTests.packed(from: ArraySource(after), options()).bytes))
    }
    #expect(throws: SwzipError(.refused, .notRandomAccess)) {
      try pack(
        from: PipeSource(after), bases: [#require(try PackBase(Self.file(after)))], to: ArraySink(), options: options())
    }
  }

  /// Tensors in another order, under other names, one of them grown, in a file with another header.
  @Test func renamedAndMoved() throws {
    var moved = Self.after
    moved.tensors.reverse()
    for index in moved.tensors.indices { moved.tensors[index].name = "model." + moved.tensors[index].name }
    moved.metadata = #"{"format":"pt","step":"12000","note":"longer"}"#
    let grown = moved.tensors.firstIndex { $0.name == "model.layer.0" }!
    moved.tensors[grown].shape[0] += 1
    moved.tensors[grown].bytes += Pattern.weights.bytes(.bf16, 400)
    let (before, after) = (Self.before.bytes, moved.bytes)
    let (container, _) = try Self.packed(after, base: before)
    #expect(same(try Self.unpacked(container, bases: [before]), after))
    let codecs = Dictionary(grouping: try Container(ArraySource(container)).segments, by: \.codec)
    #expect(codecs["delta"]?.count ?? 0 >= 4)
    #expect(codecs["float"]?.count == 1)
  }

  /// The same numbers in another order and under other names, among many of their size; a master beside its rounded copy.
  @Test func foundByContent() throws {
    var old = SafetensorsFile()
    for index in 0..<20 { old.add("layer.\(index)", .f32, [64, 100], .weights, seed: UInt64(index)) }
    var new = SafetensorsFile()
    for index in [17, 3, 9] {
      let rounded = stride(from: 0, to: 25_600, by: 4).flatMap { old.tensors[index].bytes[($0 + 2)..<($0 + 4)] }
      new.add("half.\(index)", .bf16, [64, 100])
      new.tensors[new.tensors.count - 1].bytes = rounded
      new.add("p\(index).value", .f32, [64, 100])
      new.tensors[new.tensors.count - 1].bytes = old.tensors[index].bytes
    }
    let (container, _) = try Self.packed(new.bytes, base: old.bytes)
    #expect(same(try Self.unpacked(container, bases: [old.bytes]), new.bytes))
    let masters = try Container(ArraySource(container)).segments.filter { $0.elementType == "F32" }
    #expect(masters.allSatisfy { $0.codec == "delta" && $0.packedByteCount < 300 })
  }

  /// What changed, counted: against the same comparison value by value.
  @Test func comparison() throws {
    var after = Self.after
    after.add("new", .bf16, [10], .weights)
    after.tensors.removeAll { $0.name == "position" }
    after.tensors[1].bytes = Self.before.tensors[1].bytes
    after.tensors[2].shape = [129]
    after.tensors[2].bytes += [0, 0]
    let found = try compare(ArraySource(Self.before.bytes), ArraySource(after.bytes), level: 3)
    let changes = Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.change) })
    #expect(
      changes == [
        "embedding": .changed, "layer.0": .equal, "norm": .replaced, "frozen": .equal, "layer.1": .changed,
        "quantised": .changed, "new": .added, "position": .removed,
      ])
    for name in ["embedding", "layer.1", "quantised"] {
      let (old, new) = (
        Self.before.tensors.first { $0.name == name }!, after.tensors.first { $0.name == name }!
      )
      let width = old.type.width
      let values = stride(from: 0, to: old.bytes.count, by: width)
      let changed = values.count { old.bytes[$0..<($0 + width)] != new.bytes[$0..<($0 + width)] }
      let tensor = try #require(found.first { $0.name == name })
      #expect(tensor.changedCount == UInt64(changed) && tensor.valueCount == UInt64(old.bytes.count / width))
      #expect(tensor.steps.reduce(0, +) == tensor.changedCount)
      // The last byte of a value changed by 1 to 15, by exclusive or.
      #expect(tensor.steps[0] > 0 && tensor.steps[3] > 0 && tensor.steps[4...].allSatisfy { $0 == 0 })
      #expect(try #require(tensor.deltaByteCount) < tensor.byteCount)
    }
    #expect(
      try compare(ArraySource(Self.before.bytes), ArraySource(Self.before.bytes), level: 3)
        .allSatisfy { $0.change == .equal && $0.changedCount == 0 })
  }

  // MARK: several bases

  /// Some tensors are like one base, some like the other; a third base is like none.
  @Test(arguments: [1, 2]) func severalBases(threads: Int) throws {
    var parts = [SafetensorsFile(), SafetensorsFile()]
    for (index, tensor) in Self.before.tensors.enumerated() { parts[index % 2].tensors.append(tensor) }
    let after = Self.after.bytes
    let bases = [parts[0].bytes, Random.made(50_000), parts[1].bytes]
    let sink = ArraySink()
    let report = try pack(
      from: ArraySource(after), bases: try bases.map { try #require(try PackBase(Self.file($0))) }, to: sink,
      options: options(threads: threads))
    #expect(report.warnings.count == 1 && report.warnings[0].hasSuffix("packed without it"))
    let container = sink.bytes
    #expect(container.count * 10 < 11 * (try Self.packed(after, base: Self.before.bytes).bytes.count))
    let file = try Container(ArraySource(container), bases: Bases([bases[2], bases[0]].map { Self.file($0) }))
    #expect(
      file.index.directory.members[0].header.bases.map(\.sha256) == [0, 2].map { HandMade.digest(bases[$0]) })
    #expect(same(try read(file, 0, after.count, threads: threads), after))
    var random = Random(6)
    for _ in 0..<40 {
      let from = random.below(after.count)
      let count = random.below(min(9000, after.count - from) + 1)
      #expect(same(try read(file, from, count), Array(after[from..<(from + count)])))
    }
    for isPipe in [false, true] {
      #expect(
        same(try Self.unpacked(container, bases: [bases[0], bases[2]], isPipe: isPipe, threads: threads), after))
    }
    for missing in [[bases[0]], [bases[2]], []] {
      let error = #expect(throws: SwzipError.self) { try Self.unpacked(container, bases: missing) }
      #expect(error?.kind == .base)
    }
  }

  /// In a folder each file has its own.
  @Test func severalBasesOfMembers() throws {
    let (before, after) = (Self.before, Self.after.bytes)
    var part = before
    part.tensors.removeLast(3)
    let first = part.bytes
    let sink = ArraySink()
    let bases = try [first, before.bytes].map { try #require(try PackBase(Self.file($0))) }
    _ = try pack(
      members: [
        PackMember(name: "a") { () throws(SwzipError) in ArraySource(first) },
        PackMember(name: "b", bases: bases) { () throws(SwzipError) in ArraySource(after) },
      ], to: sink, options: options())
    let sinks = ArraySinks()
    _ = try unpack(
      from: ArraySource(sink.bytes), to: sinks, bases: Bases([first, before.bytes].map { Self.file($0) }),
      threads: 1)
    #expect(same(sinks.content(of: "a"), first) && same(sinks.content(of: "b"), after))
  }

  // MARK: resolvers

  /// Files by their digests, packed or not.
  private struct Store: BaseResolver {
    var files: [[UInt8]: [UInt8]] = [:]
    var containers: [[UInt8]: [UInt8]] = [:]
    var proves: Bool { false }

    func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource {
      if let bytes = files[base.sha256.bytes] { return ArraySource(bytes) }
      guard let container = containers[base.sha256.bytes] else { throw SwzipError(.base, .baseMissing) }
      return try base.file(0, of: ArraySource(container), self)
    }
  }

  @Test func resolver() throws {
    var steps = [Self.before]
    for step in 1...2 {
      var next = steps[step - 1]
      for place in stride(from: 0, to: next.tensors[0].bytes.count, by: 400 * step) {
        next.tensors[0].bytes[place] ^= 1
      }
      steps.append(next)
    }
    let files = steps.map(\.bytes)
    let containers = try (1...2).map { try Self.packed(files[$0], base: files[$0 - 1]).bytes }
    var store = Store(files: [HandMade.digest(files[0]): files[0]])
    store.containers[HandMade.digest(files[1])] = containers[0]
    #expect(same(try read(Container(ArraySource(containers[1]), bases: store), 0, files[2].count), files[2]))
    let sink = ArraySink()
    _ = try unpack(from: PipeSource(containers[1]), to: sink, bases: store, threads: 2)
    #expect(same(sink.bytes, files[2]))
    func rule(_ store: Store) -> SwzipError.Rule? {
      #expect(throws: SwzipError.self) { try verify(ArraySource(containers[1]), bases: store, threads: 1) }?.rule
    }
    // What it gives is not believed: neither another length nor other bytes.
    var lying = store
    lying.files[HandMade.digest(files[0])] = Array(files[0].dropLast())
    #expect(rule(lying) == .baseDiffers)
    lying.files[HandMade.digest(files[0])] = files[0].map { ~$0 }
    #expect(rule(lying) == .baseDiffers)
    // Containers that lead back to themselves.
    lying.files = [:]
    lying.containers[HandMade.digest(files[0])] = containers[1]
    #expect(rule(lying) == .baseCycle || rule(lying) == .baseDiffers)
    #expect(rule(Store()) == .baseMissing)
  }

  // MARK: chains

  /// Steps, each packed against the one before; every one unpacks with what it needs, packed or not.
  @Test func chains() throws {
    var steps = [Self.before]
    var random = Random(12)
    for _ in 0..<3 {
      var next = steps.last!
      for place in stride(from: 0, to: next.tensors[0].bytes.count, by: 2) where random.below(9) == 0 {
        next.tensors[0].bytes[place] &+= 1
      }
      steps.append(next)
    }
    let files = steps.map(\.bytes)
    var containers = [try SwzipTests.packed(from: ArraySource(files[0]), options()).bytes]
    for step in 1..<files.count {
      let needed = Array(containers.dropLast())
      containers.append(try Self.packed(files[step], base: containers[step - 1], bases: needed).bytes)
    }
    for step in files.indices {
      #expect(same(try Self.unpacked(containers[step], bases: Array(containers[..<step])), files[step]))
    }
    // Without the first there is no third, nor any other but the first.
    #expect(throws: SwzipError.self) { try Self.unpacked(containers[3], bases: Array(containers[1..<3])) }
    #expect(same(try Self.unpacked(containers[3], bases: [containers[1], containers[2], files[0]]), files[3]))
    // A row at depth three reads the blocks concerned of each step, not the files.
    let counting = containers.dropLast().map { CountingSource($0) }
    let bases = try Bases(
      counting.map { source in BaseFile(name: "") { () throws(SwzipError) in source } }, trust: .length)
    let file = try Container(ArraySource(containers[3]), bases: bases)
    let place = Int(file.tensors.first { $0.name == "norm" }!.offset)
    for source in counting { source.restart() }
    #expect(same(try read(file, place, 256), Array(files[3][place..<(place + 256)])))
    #expect(counting[0].byteCountRead < containers[0].count / 3 + 256 << 10)
    // Of the small ones the index alone is most.
    for (source, container) in zip(counting, containers).dropFirst() {
      #expect(source.byteCountRead < 2 * container.count, "\(source.byteCountRead) of \(container.count)")
    }
  }

  /// Each version needs the one before: as many as are allowed, and one more.
  @Test func depth() throws {
    var version = SafetensorsFile()
    version.add("w", .bf16, [8192], .weights)
    var containers: [[UInt8]] = []
    for step in 0...(Limits.baseDepth + 1) {
      let before = version.bytes
      if step > 0 { version.tensors[0].bytes[2 * step] ^= 3 }
      containers.append(
        try step == 0
          ? SwzipTests.packed(from: ArraySource(before), options()).bytes
          : Self.packed(version.bytes, base: before).bytes)
    }
    let last = containers.removeLast()
    let deepest = containers[Limits.baseDepth]
    version.tensors[0].bytes[2 * (Limits.baseDepth + 1)] ^= 3
    #expect(same(try Self.unpacked(deepest, bases: containers), version.bytes))
    let error = #expect(throws: SwzipError.self) { try Self.unpacked(last, bases: containers) }
    #expect(error?.rule == .baseDepth)
  }

  /// Two containers that claim to be each other's base.
  @Test func circle() throws {
    let digests = [Random.made(32), Random.made(33).suffix(32)].map(Array.init)
    let content = Random.made(64)
    let containers = try (0..<2).map { index in
      let record = BaseRecord(sha256: digests[1 - index], byteCount: 64, hint: "b")
      return try SmallContainer.assembled(content, base: record, sha256: digests[index]) { count in
        var range = SegmentRange(offset: 0, byteCount: count, elementType: .bytes)
        range.derivation = .copy(.base(number: 0, offset: 0))
        return [range]
      }.container
    }
    for trust in [Bases.Trust.digest, .length] {
      let file = try Container(
        ArraySource(containers[0]), bases: Bases(containers.map { Self.file($0) }, trust: trust))
      let error = #expect(throws: SwzipError.self) { try read(file, 0, 64) }
      #expect(error?.rule == .baseCycle)
    }
  }
}
