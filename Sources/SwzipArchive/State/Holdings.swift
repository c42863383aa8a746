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

  /// The checkpoints, by step and attempt: listed ones, or forgotten ones of which something is there.
  package func checkpoints(forgotten: Bool = false) -> [Checkpoint] {
    let resolution = resolution
    let groups = Dictionary(grouping: containers.indices) { containers[$0].identity }
    let all = groups.values.map { numbers in
      let listed = numbers.filter { isListed(containers[$0]) }
      return Checkpoint(self, listed.isEmpty ? numbers : listed, isListed: !listed.isEmpty, resolution)
    }
    return all.filter { $0.isListed != forgotten }.sorted { $0.order < $1.order }
  }

  /// The newest that can be restored.
  package var latest: Checkpoint? { checkpoints().last { $0.depth != nil } }
}

/// What was added for a step: one container, or several that hold the same files.
package struct Checkpoint: Sendable {
  package let identity: Digest
  package let step: UInt64
  package let attempt: UInt32
  /// Whether it has not been forgotten.
  package let isListed: Bool
  /// In the holdings: the one it is read from first.
  package let numbers: [Int]
  /// Of containers that it is read through; nil where it lacks a base.
  package let depth: Int?
  package let tags: [String]
  /// What people call it: `900`, or `900@2`.
  package var name: String { CheckpointRecord.name(step, attempt) }

  fileprivate init(_ holdings: Holdings, _ numbers: [Int], isListed: Bool, _ resolution: Resolution) {
    let sorted = numbers.sorted {
      (resolution.depths[$0] ?? .max, holdings.containers[$0].name)
        < (resolution.depths[$1] ?? .max, holdings.containers[$1].name)
    }
    let first = holdings.containers[sorted[0]]
    (identity, step, attempt) = (first.identity, first.record.step, first.record.attempt)
    self.isListed = isListed
    self.numbers = sorted
    depth = resolution.depths[sorted[0]]
    tags = holdings.tags.filter { $0.identity == first.identity }.map(\.name)
  }

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
