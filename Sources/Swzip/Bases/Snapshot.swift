public import SwzipCore
internal import SwzipInputs
internal import SwzipNames

/// The last version of a file in memory, for weights that change step by step: the sender encodes each version as differences
/// to the one before, the receiver applies them. For one thread at a time.
public final class Snapshot {
  private var current: Memory
  private var spare: Memory?
  public private(set) var byteCount: Int
  /// Of the bytes: computed, or as the container of the last step says; the hash of each block was compared.
  public private(set) var sha256: Digest
  private var tensors: [TensorRecord]

  /// Copies `bytes`, a whole file of any kind, and hashes them.
  public init(_ bytes: UnsafeRawBufferPointer) throws(SwzipError) {
    byteCount = bytes.count
    current = try Memory(bytes.count)
    unsafe current.bytes.copyMemory(from: bytes)
    let source = unsafe MemorySource(bytes)
    sha256 = try source.sha256()
    tensors = try Layouts.find(source, .automatic).tensors
  }

  /// The bytes, while `body` runs.
  public func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(current.prefix(byteCount))
  }

  private var base: MemoryBase { unsafe MemoryBase(current.prefix(byteCount), sha256: sha256) }

  /// A container of `next` as differences to the bytes, which `next` then becomes. After a throw they are as before.
  public func encode(_ next: UnsafeRawBufferPointer, options: PackOptions) throws(SwzipError) -> [UInt8] {
    var options = options
    options.sha256 = true
    let room = try Memory(packBound(next.count))
    let count = try unsafe packBytes(next, base: base, into: room.bytes, options: options)
    let container = unsafe [UInt8](room.prefix(count))
    let target = try takeSpare(next.count)
    unsafe target.bytes.copyMemory(from: next)
    try unsafe become(target, next.count, Container(MemorySource(room.prefix(count))))
    return container
  }

  /// Makes the bytes those of the container, which needs none or these as its base. Every block is verified; after a throw
  /// the bytes are as before. Cost: decoding, into memory that is used again in the next step but one.
  public func apply(
    _ container: UnsafeRawBufferPointer, threads: Int = 1, control: Control? = nil
  ) throws(SwzipError) {
    _ = try unsafe step(container, threads, control)
  }

  /// The same, and which values changed in each tensor that did.
  public func applyListingChanges(
    _ container: UnsafeRawBufferPointer, threads: Int = 1
  ) throws(SwzipError) -> [TensorUpdate] {
    let before = tensors
    let old = try unsafe step(container, threads, nil)
    let known = Dictionary(before.map { (Exact($0.name), $0) }) { first, _ in first }
    var updates: [TensorUpdate] = []
    for tensor in tensors {
      if let update = TensorUpdate(tensor, in: current, before: known[Exact(tensor.name)], in: old) {
        updates.append(update)
      }
    }
    return updates
  }

  /// Returns the memory of the bytes before.
  private func step(
    _ container: UnsafeRawBufferPointer, _ threads: Int, _ control: Control?
  ) throws(SwzipError) -> Memory {
    let file = try unsafe Container(MemorySource(container), bases: base)
    guard file.members.count == 1 else { throw SwzipError(.refused, .range) }
    let count = Int(file.index.directory.members[0].byteCount)
    let target = try takeSpare(count)
    try unsafe file.read(
      member: 0, offset: 0, into: UnsafeMutableRawBufferPointer(rebasing: target.bytes[..<count]), threads: threads,
      control: control)
    let old = current
    try become(target, count, file)
    return old
  }

  private func takeSpare(_ count: Int) throws(SwzipError) -> Memory {
    if let spare, spare.byteCount >= count { return spare }
    return try Memory(count)
  }

  private func become(_ next: Memory, _ count: Int, _ file: Container) throws(SwzipError) {
    let member = file.index.directory.members[0]
    var digest = member.sha256.map(Digest.init(_:))
    if digest == nil { digest = try unsafe MemorySource(next.prefix(count)).sha256() }
    (spare, current, byteCount) = (current, next, count)
    sha256 = digest!
    tensors = member.tensors
  }
}

/// Values of a tensor that a step changed.
public struct TensorUpdate: Equatable, Sendable {
  public var name: String
  public var elementType: String
  public var shape: [UInt64]
  /// Which values changed, in the order of the tensor; nil for all, where there was no tensor of this name, type and size.
  public var positions: [UInt64]?
  /// Those values, or all, little-endian.
  public var values: [UInt8]

  private static let valuesAtOnce = 1 << 20

  /// Nil if nothing changed.
  init?(_ tensor: TensorRecord, in memory: Memory, before: TensorRecord?, in old: Memory) {
    (name, elementType, shape) = (tensor.name, tensor.elementType.name, tensor.shape)
    let bytes = unsafe UnsafeRawBufferPointer(rebasing: memory.bytes[tensor.place])
    guard let before, before.elementType == tensor.elementType, before.byteCount == tensor.byteCount else {
      positions = nil
      values = unsafe [UInt8](bytes)
      return
    }
    let width = tensor.elementType.width
    let oldBytes = unsafe UnsafeRawBufferPointer(rebasing: old.bytes[before.place])
    var found: [UInt64] = []
    var changed: [UInt8] = []
    for start in stride(from: 0, to: bytes.count / width, by: Self.valuesAtOnce) {
      let count = min(Self.valuesAtOnce, bytes.count / width - start)
      let part = (start * width)..<((start + count) * width)
      for position in unsafe DeltaKind.changedPositions(
        UnsafeRawBufferPointer(rebasing: bytes[part]), UnsafeRawBufferPointer(rebasing: oldBytes[part]), width: width)
      {
        let place = start + Int(position)
        found.append(UInt64(place))
        unsafe changed.append(contentsOf: bytes[(place * width)..<((place + 1) * width)])
      }
    }
    guard !found.isEmpty else { return nil }
    (positions, values) = (found, changed)
  }
}

extension TensorRecord {
  fileprivate var place: Range<Int> { Int(offset)..<Int(offset + byteCount) }
}
