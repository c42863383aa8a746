internal import Swzip
internal import SwzipCore
internal import SwzipInputs
internal import SwzipNames
internal import SwzipSystem

/// Whether all is there that the framework which wrote a checkpoint writes: the files that its indexes name, one of each rank, and what
/// is written last. Looks at names, and into the small files that say which others there are.
struct FrameworkFiles {
  private let files: CheckpointFiles
  /// Without links: `.` says no name.
  private let path: String
  /// Of files and links.
  private let names: Set<Exact>
  private let byteCounts: [Exact: UInt64]
  /// By folder: the last parts of the names in it, of folders too.
  private let folders: [Exact: Set<Exact>]

  init(_ files: CheckpointFiles) {
    self.files = files
    path = realPath(files.path) ?? files.path
    let tree = files.files.tree
    byteCounts = Dictionary(tree.files.map { (Exact($0.name), $0.status.byteCount) }) { first, _ in first }
    names = Set(byteCounts.keys).union(tree.keptLinks.map { Exact($0.name) })
    var folders: [Exact: Set<Exact>] = [:]
    for name in names {
      var parts = name.wrappedValue.nameParts
      while let last = parts.popLast() {
        let isNew = folders[Exact(parts.joined(separator: "/")), default: []].insert(Exact(last)).inserted
        guard isNew else { break }
      }
    }
    self.folders = folders
  }

  func check() throws(SwzipError) {
    for (folder, inside) in folders.sorted(by: { $0.key < $1.key }) {
      let folder = Folder(path: folder.wrappedValue, name: name(of: folder.wrappedValue), names: inside)
      try checkDistributed(folder)
      try checkTrainer(folder)
      try checkAccelerate(folder)
      try checkPointers(folder)
      try checkShards(folder)
    }
    let ranks = RankGrid(names.map(\.wrappedValue))
    if let missing = ranks.missing() { throw absent(missing, "as of the other ranks") }
    try checkDeepSpeed()
    try checkRandomStates(ranks)
    try checkCommitted()
  }

  /// A folder of the checkpoint.
  private struct Folder {
    /// From the checkpoint on; empty for itself.
    let path: String
    let name: String
    let names: Set<Exact>

    func has(_ name: String) -> Bool { names.contains(Exact(name)) }

    func has(_ fits: (String) -> Bool) -> Bool { names.contains { fits($0.wrappedValue) } }

    func file(_ name: String) -> String { path.isEmpty ? name : path + "/" + name }
  }

  private func name(of folder: String) -> String { (folder.isEmpty ? path : folder).nameParts.last ?? "" }

  // MARK: torch.distributed, Lightning, Megatron

  private func checkDistributed(_ folder: Folder) throws(SwzipError) {
    // `__3.metadata` where ranks do not tell each other.
    let indexes = folder.names.filter {
      $0.wrappedValue.withoutSuffix(".metadata").map { $0 == "" || $0.hasPrefix("__") } ?? false
    }
    if indexes.isEmpty, folder.has({ $0.withoutSuffix(".distcp") != nil }) {
      throw absent(folder.file(".metadata"), "which is written last")
    }
    for index in indexes.sorted() { try checkParts(folder, index.wrappedValue) }
    guard folder.has(".metadata") else { return }
    if folder.name.withoutSuffix(".ckpt") != nil, !folder.has("meta.pt") {
      throw absent(folder.file("meta.pt"), "as in other checkpoints of Lightning")
    }
    if folder.name.hasPrefix("iter_") || folder.has("common.pt"), !folder.has("metadata.json") {
      throw absent(folder.file("metadata.json"), "as in other checkpoints of Megatron")
    }
  }

  /// Each file that the index names must be as long as it says.
  private func checkParts(_ folder: Folder, _ index: String) throws(SwzipError) {
    let index = folder.file(index)
    switch try TorchFacts.parts(of: files.open(index)) {
    case .unusual: break
    case .truncated: throw files.missing("\(index.printable) is cut short")
    case .files(let parts):
      for (part, byteCount) in parts.sorted(by: { $0.key < $1.key }) {
        let part = folder.file(part.wrappedValue)
        guard names.contains(Exact(part)) else { throw absent(part, "which \(index.printable) names") }
        guard byteCounts[Exact(part)] ?? .max >= byteCount else {
          throw files.missing("\(part.printable) is cut short")
        }
      }
    }
  }

  // MARK: Trainer, accelerate

  private static func isWeights(_ name: String) -> Bool {
    let others = ["training_args", "optimizer", "scheduler", "sampler"]
    return name.withoutSuffix(".safetensors") != nil
      || ["pytorch_model", "global_step"].contains(where: name.hasPrefix)
      || name.withoutSuffix(".bin") != nil && !others.contains(where: name.hasPrefix)
  }

  private static func isOptimizer(_ name: String) -> Bool {
    // Of DeepSpeed, which has both in one folder.
    name.hasPrefix("optimizer") || name.hasPrefix("global_step") || name == deepSpeed
  }

  private func require(_ folder: Folder, _ name: String, _ fits: (String) -> Bool, _ why: String) throws(SwzipError) {
    if !folder.has(fits) { throw absent(folder.file(name), why) }
  }

  private func require(_ folder: Folder, _ name: String, _ why: String) throws(SwzipError) {
    if !folder.has(name) { throw absent(folder.file(name), why) }
  }

  private func checkTrainer(_ folder: Folder) throws(SwzipError) {
    let (state, arguments) = (folder.has("trainer_state.json"), folder.has("training_args.bin"))
    guard folder.name.hasPrefix("checkpoint-"), state || arguments else { return }
    guard state else { throw absent(folder.file("trainer_state.json"), "which is written last") }
    let why = "as in other checkpoints of the Trainer"
    guard arguments else { throw absent(folder.file("training_args.bin"), why) }
    try require(folder, "model.safetensors", Self.isWeights, why)
    // With `save_only_model` none of these is there.
    guard folder.has({ Self.isOptimizer($0) || $0.hasPrefix("scheduler") || $0.hasPrefix("rng_state") }) else { return }
    try require(folder, "optimizer.pt", Self.isOptimizer, why)
    // DeepSpeed may have its own.
    if folder.has("optimizer.pt") { try require(folder, "scheduler.pt", why) }
    let count = try TorchFacts.number("num_processes", in: files.open(folder.file("training_args.bin"))) ?? 1
    guard count > 1 else { return try require(folder, "rng_state.pth", { $0.hasPrefix("rng_state") }, why) }
    for rank in 0..<min(count, 1_000_000) {
      try require(folder, "rng_state_\(rank).pth", why)
    }
  }

  private func checkAccelerate(_ folder: Folder) throws(SwzipError) {
    let isPair = folder.has("optimizer.bin") && (folder.has("scheduler.bin") || folder.has("model.safetensors"))
    guard folder.has({ $0.hasPrefix("random_states_") }) || isPair && !folder.has("trainer_state.json") else { return }
    let why = "as in other checkpoints of accelerate"
    try require(folder, "random_states_0.pkl", { $0.hasPrefix("random_states_") }, why)
    try require(folder, "model.safetensors", Self.isWeights, why)
    try require(folder, "optimizer.bin", Self.isOptimizer, why)
    for (first, start, end) in [
      ("optimizer.bin", "optimizer_", ".bin"), ("scheduler.bin", "scheduler_", ".bin"),
      ("sampler.bin", "sampler_", ".bin"),
      ("custom_checkpoint_0.pkl", "custom_checkpoint_", ".pkl"),
    ] {
      let numbers = folder.names.map(\.wrappedValue).filter { $0.hasPrefix(start) }.compactMap {
        Int($0.withoutSuffix(end)?.dropFirst(start.count) ?? "")
      }
      guard let most = numbers.max(), most < 1000 else { continue }
      for number in 0...most {
        try require(folder, number == 0 ? first : start + String(number) + end, "as the others of its kind")
      }
    }
  }

  /// Each rank writes one: there are at least as many as of what else ranks wrote.
  private func checkRandomStates(_ ranks: RankGrid) throws(SwzipError) {
    let writers = names.compactMap { name -> Int? in
      guard let rank = RankName(name.wrappedValue)?.axes.first, rank.word == .distcp else { return nil }
      return rank.number + 1
    }
    for (word, end) in [(RankName.Word.random, ".pkl"), (.rng, ".pth")] {
      guard let count = ranks.count(word), let most = writers.max(), count < most else { continue }
      throw absent("\(word.rawValue)\(count)\(end)", "as of the other ranks")
    }
  }

  // MARK: DeepSpeed, Megatron, verl

  /// As many ranks as the files of the first say.
  private func checkDeepSpeed() throws(SwzipError) {
    for name in names.sorted() {
      guard let rank = RankName(name.wrappedValue), rank.axes.allSatisfy({ $0.number == 0 }) else { continue }
      let key: String
      switch rank.words {
      case [.data, .model] where name.wrappedValue.withoutSuffix("_optim_states.pt") != nil: key = "partition_count"
      case [.model] where name.wrappedValue.withoutSuffix("_model_states.pt") != nil: key = "mp_world_size"
      default: continue
      }
      let count = try TorchFacts.number(key, in: files.open(name.wrappedValue)) ?? 1
      for number in 0..<min(Int(clamping: count), 1_000_000) {
        let numbers = [number] + rank.axes.dropFirst().map(\.number)
        let other = RankName.name(rank.pieces, numbers, digits: rank.axes.map(\.digits))
        guard names.contains(Exact(other)) else {
          throw absent(other, "as \(name.wrappedValue.printable) says")
        }
      }
    }
  }

  private static let deepSpeed = "latest"
  private static let megatron = "latest_checkpointed_iteration.txt"

  /// `latest` and the like are written last, and name a folder beside them.
  private func checkPointers(_ folder: Folder) throws(SwzipError) {
    let steps = folder.names.map(\.wrappedValue).filter { !names.contains(Exact(folder.file($0))) }
    let pointer: String
    if steps.contains(where: { Self.pointer(besides: $0) == Self.megatron }) || folder.has(Self.megatron) {
      pointer = Self.megatron
    } else if steps.contains(where: { Self.pointer(besides: $0) == Self.deepSpeed }) || folder.has("zero_to_fp32.py") {
      pointer = Self.deepSpeed
    } else {
      return
    }
    let file = folder.file(pointer)
    guard names.contains(Exact(file)) else { throw absent(file, "which is written last") }
    let text = String(decoding: try files.open(file).peek(256).filter { $0 > 0x20 }, as: UTF8.self)
    let named: [String]
    if pointer == Self.megatron, let number = Int(text) {
      named = ["iter_" + padded(String(number), to: 7), "global_step_\(number)"]
    } else {
      named = [text]
    }
    guard named.contains(where: { folder.has($0) }) else {
      throw absent(folder.file(named[0]), "which \(file.printable) names")
    }
  }

  /// What is written beside the folder of a step, when it is complete: nil where nothing is.
  private static func pointer(besides name: String) -> String? {
    for (start, pointer) in [("iter_", megatron), ("global_step_", megatron), ("global_step", deepSpeed)]
    where name.hasPrefix(start) {
      return Int(name.dropFirst(start.count)) == nil ? nil : pointer
    }
    return nil
  }

  /// Where it is the folder of a step: what is written last beside it must not be older, and of an earlier step.
  private func checkCommitted() throws(SwzipError) {
    guard let (parent, name) = splitPath(path), let pointer = Self.pointer(besides: name),
      let status = try? FileStatus.of(join(parent, pointer)), let step = step(inName: name),
      let written = files.files.tree.files.map(\.status.modified.seconds).max(), status.modified.seconds < written
    else { return }
    let text = String(decoding: try smallFile(join(parent, pointer)).filter { $0 > 0x20 }, as: UTF8.self)
    guard let last = SwzipArchive.step(inName: text), last < step else { return }
    throw files.missing("\(pointer) beside it, which is written last, says \(text.printable)")
  }

  // MARK: shards

  private func checkShards(_ folder: Folder) throws(SwzipError) {
    for name in folder.names.map(\.wrappedValue).sorted() {
      let file = folder.file(name)
      if name.withoutSuffix(".index.json") != nil { try checkIndex(folder, file) }
      guard let shard = ShardName(name) else { continue }
      for number in 1...shard.count {
        let other = folder.file(shard.name(number))
        guard names.contains(Exact(other)) else { throw absent(other, "as the others of its kind") }
      }
      if let index = shard.index, !folder.has(index) {
        throw absent(folder.file(index), "which says what \(file.printable) holds")
      }
    }
  }

  /// Every shard that an index of safetensors or torch names.
  private func checkIndex(_ folder: Folder, _ index: String) throws(SwzipError) {
    guard let byteCount = byteCounts[Exact(index)], byteCount <= UInt64(Limits.frameBytes) else { return }
    guard let shards = ShardIndex.shards(try files.open(index).peek(Int(byteCount))) else {
      throw files.missing("\(index.printable) is cut short, or no JSON")
    }
    for shard in shards where !names.contains(Exact(folder.file(shard))) {
      throw absent(folder.file(shard), "which \(index.printable) names")
    }
  }

  private func absent(_ name: String, _ why: String) -> SwzipError {
    files.missing("\(name.printable), \(why), is not there")
  }
}

/// `model-00001-of-00003.safetensors`.
private struct ShardName {
  let start: String
  let end: String
  let count: Int

  init?(_ name: String) {
    guard let end = [".safetensors", ".bin", ".gguf"].first(where: { name.withoutSuffix($0) != nil }),
      let stem = name.withoutSuffix(end)
    else { return nil }
    let parts = stem.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map {
      String(Substring($0))
    }
    guard parts.count >= 4, parts[parts.count - 2] == "of", let count = Self.number(parts[parts.count - 1]),
      let number = Self.number(parts[parts.count - 3]), number > 0, number <= count
    else { return nil }
    start = parts.dropLast(3).joined(separator: "-")
    (self.end, self.count) = (end, count)
  }

  private static func number(_ text: String) -> Int? {
    text.utf8.count == 5 && text.utf8.allSatisfy(isDigit) ? Int(text) : nil
  }

  func name(_ number: Int) -> String {
    "\(start)-\(padded(String(number), to: 5))-of-\(padded(String(count), to: 5))\(end)"
  }

  /// Says which shard holds what.
  var index: String? { end == ".gguf" || count == 1 ? nil : "\(start)\(end).index.json" }
}
