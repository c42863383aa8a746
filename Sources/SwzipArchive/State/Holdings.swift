package import SwzipCore
internal import SwzipNames
internal import SwzipSystem

/// What an archive held when its folders were listed: doom/ before ckpt/, so that an adder that finds neither a mark nor a missing
/// container was seen by whoever makes the mark (spec/ARCHIVE.md, section 4).
package struct Holdings: Sendable {
  package internal(set) var containers: [StoredContainer] = []
  /// Containers that could not be read, and why.
  package internal(set) var unreadable: [(name: ContainerName, error: SwzipError)] = []
  package internal(set) var gone: Set<ContainerName> = []
  package internal(set) var doomed: [ContainerName: DoomMark] = [:]
  /// By name.
  package internal(set) var tags: [Tag] = []
  package internal(set) var damagedTags: [String] = []
  /// In seconds since 1970.
  var time = System.now().seconds
  /// False where others renamed or removed containers all the while.
  package internal(set) var isSettled = true

  /// With everything that is there.
  package var resolution: Resolution { Resolution(containers) }

  /// Without what is doomed: what may be relied on.
  var lasting: Resolution { Resolution(containers) { doomed[containers[$0].name] != nil } }

  /// A tag keeps what is forgotten at the same moment.
  func isListed(_ container: StoredContainer) -> Bool {
    !gone.contains(container.name) || tags.contains { $0.identity == container.identity }
  }

  /// The checkpoints, by step and attempt: listed ones, or forgotten ones of which something is there. One of several parts, some
  /// of which are forgotten, is both.
  package func checkpoints(forgotten: Bool = false) -> [Checkpoint] {
    let resolution = resolution
    let groups = Dictionary(grouping: containers.indices) { containers[$0].identity }
    let all = groups.values.compactMap { numbers -> Checkpoint? in
      let listed = numbers.filter { isListed(containers[$0]) }
      let parts = Set(listed.map { containers[$0].record.part })
      let isForgotten = !numbers.allSatisfy { parts.contains(containers[$0].record.part) }
      guard forgotten ? isForgotten : !listed.isEmpty else { return nil }
      return Checkpoint(self, forgotten ? numbers : listed, isListed: !forgotten, resolution)
    }
    return all.sorted { $0.order < $1.order }
  }

  /// What of a checkpoint is not what was added.
  package func inexact(_ checkpoint: Checkpoint) -> [InexactRecord] {
    checkpoint.parts.compactMap { containers[$0].inexact }
  }

  /// The newest that can be restored.
  package var latest: Checkpoint? { checkpoints().last { $0.depth != nil } }
}

/// What was added for a step: one container, or one for each of its parts; or several that hold the same files.
package struct Checkpoint: Sendable {
  package let identity: Digest
  package let step: UInt64
  /// The highest of its containers.
  package let attempt: UInt32
  /// Whether it has not been forgotten.
  package let isListed: Bool
  /// In the holdings: all of it.
  package let numbers: [Int]
  /// Of each part that is there, in their order: the container that it is read from first.
  package let parts: [Int]
  /// How many parts it has.
  package let partCount: Int
  /// Why it cannot be restored, or nil.
  package let lack: Lack?
  /// Of containers that it is read through, at most; nil where it cannot be restored.
  package let depth: Int?
  package let tags: [String]
  /// When the last of it was added, in seconds since 1970.
  let time: Int64
  /// What people call it: `900`, or `900@2`.
  package var name: String { CheckpointRecord.name(step, attempt) }

  package enum Lack: Sendable {
    /// So many of its parts are there.
    case parts(Int, of: Int)
    /// A part that was added twice, with other files.
    case twice(UInt16)
    case base
  }

  fileprivate init(_ holdings: Holdings, _ numbers: [Int], isListed: Bool, _ resolution: Resolution) {
    let containers = holdings.containers
    let sorted = numbers.sorted {
      (containers[$0].record.part, resolution.depths[$0] ?? .max, containers[$0].name)
        < (containers[$1].record.part, resolution.depths[$1] ?? .max, containers[$1].name)
    }
    let first = containers[sorted[0]]
    (identity, step) = (first.identity, first.record.step)
    attempt = numbers.map { containers[$0].record.attempt }.max() ?? 1
    self.isListed = isListed
    self.numbers = sorted
    partCount = Int(first.record.parts)
    var parts: [Int] = []
    var twice: UInt16?
    for number in sorted {
      guard let last = parts.last, containers[last].isSamePart(as: containers[number]) else {
        parts.append(number)
        continue
      }
      if !containers[last].hasSameFiles(as: containers[number]) { twice = containers[number].record.part }
    }
    self.parts = parts
    let depths = parts.map { resolution.depths[$0] }
    if let twice {
      lack = .twice(twice)
    } else if depths.contains(nil) {
      lack = .base
    } else {
      lack = parts.count < partCount ? .parts(parts.count, of: partCount) : nil
    }
    depth = lack == nil ? depths.compactMap { $0 }.max() : nil
    tags = holdings.tags.filter { $0.identity == first.identity }.map(\.name)
    time = numbers.map { containers[$0].status.modified.seconds }.max() ?? 0
  }

  var lacksBase: Bool { if case .base = lack { true } else { false } }

  /// By step, then attempt; two of one attempt, which came at the same moment, by what they hold.
  var order: Order { Order(checkpoint: self) }

  struct Order: Comparable {
    let checkpoint: Checkpoint

    private var number: (UInt64, UInt32) { (checkpoint.step, checkpoint.attempt) }

    static func == (left: Order, right: Order) -> Bool { left.checkpoint.identity == right.checkpoint.identity }

    static func < (left: Order, right: Order) -> Bool {
      guard left.number == right.number else { return left.number < right.number }
      return left.checkpoint.identity.bytes.lexicographicallyPrecedes(right.checkpoint.identity.bytes)
    }
  }
}
