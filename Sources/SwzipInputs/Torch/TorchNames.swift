internal import SwzipCore

/// Finds the tensors and storages that a pickle's value holds, each under the keys that lead to it, joined by dots:
/// "model.layers.0.weight", "optimizer.state.3.exp_avg".
struct TorchNames {
  private static let mostDepth = 64
  private static let mostNameBytes = 1024
  /// Keys on the way to all tensors.
  private static let mostSteps = 2 * Limits.tensors
  /// Names of all tensors together, and what else a tensor's record takes: a small pickle may repeat long keys, so a long
  /// one may take more.
  private static let leastBytes: UInt64 = 16 << 20
  private static let bytesAByte: UInt64 = 4
  private static let recordBytes = 150

  private let pickle: Pickle
  private var steps: [Step] = []
  private var work: [(value: PickleValue, step: Int)] = []
  private var seenContainers: Set<UInt32> = []
  private var seenTuples: Set<UInt32> = []
  private var nameBytes = 0

  /// A key on the way to a value, with the step before it.
  private struct Step {
    let key: PickleValue
    let before: Int
    let depth: Int
  }

  /// What `body` is called with has a name and is a storage, a tensor or an array; `body` returns false to stop.
  static func visit(_ pickle: Pickle, prefix: String, _ body: (String, PickleValue) -> Bool) {
    var names = TorchNames(pickle: pickle)
    let mostBytes = leastBytes + bytesAByte * pickle.byteCount
    names.work = [(pickle.value, -1)]
    while let (value, step) = names.work.popLast() {
      switch value {
      case .storage, .tensor, .array:
        guard let name = names.name(step, prefix) else { continue }
        guard UInt64(names.nameBytes) <= mostBytes, body(name, value) else { return }
      case .container(let number):
        guard names.seenContainers.insert(number).inserted else { continue }
        let start = names.work.count
        for entry in pickle.objects.entries(of: number) { names.add(entry.value, entry.key, after: step) }
        names.work[start...].reverse()
      case .tuple(let first, let count):
        guard names.seenTuples.insert(first).inserted else { continue }
        let start = names.work.count
        for (index, item) in pickle.objects.items(first, count).enumerated() {
          names.add(item, .integer(Int64(index)), after: step)
        }
        names.work[start...].reverse()
      default: break
      }
    }
  }

  private init(pickle: Pickle) { self.pickle = pickle }

  private mutating func add(_ value: PickleValue, _ key: PickleValue, after step: Int) {
    switch value {
    case .storage, .tensor, .array, .container, .tuple: break
    default: return
    }
    if case .other = key { return work.append((value, step)) }
    let depth = step < 0 ? 1 : steps[step].depth + 1
    guard depth <= Self.mostDepth, steps.count < Self.mostSteps else { return }
    steps.append(Step(key: key, before: step, depth: depth))
    work.append((value, steps.count - 1))
  }

  /// Nil if it is too long or a key is neither text nor number.
  private mutating func name(_ step: Int, _ prefix: String) -> String? {
    var parts: [String] = []
    var byteCount = prefix.utf8.count
    var step = step
    while step >= 0 {
      guard let part = pickle.objects.text(steps[step].key, atMost: Self.mostNameBytes) else { return nil }
      parts.append(part)
      byteCount += part.utf8.count + 1
      guard byteCount <= Self.mostNameBytes else { return nil }
      step = steps[step].before
    }
    if !prefix.isEmpty { parts.append(prefix) }
    nameBytes += byteCount + Self.recordBytes
    return parts.reversed().joined(separator: ".")
  }
}
