internal import CSwzip
internal import Swzip
internal import SwzipCore
internal import SwzipLibc
internal import SwzipNames
internal import SwzipSystem
internal import Synchronization

/// What is behind a `swz_container`. In a forked child the container is opened anew: locks and scratch of the one before may
/// have been in the hands of a thread that is not there.
@safe final class OpenContainer: @unchecked Sendable {  // `current` changes before its process is noted, once a process
  private let open: () throws(SwzipError) -> Container
  private let process: Atomic<pid_t>
  private var current: Described

  /// `first`: what `open` would give now.
  init(_ first: Container? = nil, _ open: @escaping () throws(SwzipError) -> Container) throws(SwzipError) {
    self.open = open
    if let first { current = Described(first) } else { current = Described(try open()) }
    process = Atomic(getpid())
  }

  static func of(_ handle: OpaquePointer?) throws(SwzipError) -> Described {
    guard let handle = unsafe handle else { throw .argument("the container is NULL") }
    return try unsafe Unmanaged<OpenContainer>.fromOpaque(UnsafeRawPointer(handle)).takeUnretainedValue().described()
  }

  private func described() throws(SwzipError) -> Described {
    let own = getpid()
    let before = process.load(ordering: .acquiring)
    if before == own { return current }
    // One thread of the child opens; the others wait for it.
    if before != -own,
      process.compareExchange(expected: before, desired: -own, ordering: .acquiringAndReleasing).exchanged
    {
      do throws(SwzipError) {
        let fresh = Described(try open())
        // What the parent handed out stays.
        _ = unsafe Unmanaged.passRetained(current)
        current = fresh
      } catch {
        process.store(before, ordering: .releasing)
        throw error
      }
      process.store(own, ordering: .releasing)
      return current
    }
    while process.load(ordering: .acquiring) == -own { sched_yield() }
    return try described()
  }
}

/// A container, and what C can see of its members and tensors, made when it is first asked for.
@safe final class Described: @unchecked Sendable {  // made once, under the lock
  let container: Container
  let processors = availableProcessors()
  private let strings = CStrings()
  private let made = Guarded(Made())

  @safe private struct Made {
    var members: [swz_member]?
    var tensors: [swz_tensor]?
    var json: UnsafePointer<CChar>?
  }

  init(_ container: Container) { self.container = container }

  var memberCount: Int { container.memberCount }

  func member(_ number: Int) throws(SwzipError) -> swz_member {
    let members = unsafe made.withLock { made in
      let members = unsafe made.members ?? container.members.map { unsafe describe($0) }
      unsafe made.members = members
      return unsafe members
    }
    guard unsafe members.indices.contains(number) else { throw .argument("there is no member \(number)") }
    return unsafe members[number]
  }

  func tensor(_ number: Int) throws(SwzipError) -> swz_tensor {
    let tensors = unsafe made.withLock { made in
      let tensors = unsafe made.tensors ?? container.tensors.map { unsafe describe($0) }
      unsafe made.tensors = tensors
      return unsafe tensors
    }
    guard unsafe tensors.indices.contains(number) else { throw .argument("there is no tensor \(number)") }
    return unsafe tensors[number]
  }

  func json() -> UnsafePointer<CChar> {
    unsafe made.withLock { made in
      let json = unsafe made.json ?? strings.add(description(of: container))
      unsafe made.json = json
      return unsafe json
    }
  }

  private func describe(_ member: Container.Member) -> swz_member {
    unsafe swz_member(
      size: MemoryLayout<swz_member>.size, name: strings.add(member.name.nameBytes + [0]), byte_count: member.byteCount,
      link: member.link.map { unsafe strings.add($0.target.nameBytes + [0]) },
      sha256: member.sha256.map { unsafe strings.add($0.description) }, mode: member.mode.map(CInt.init) ?? -1,
      time_seconds: member.time?.seconds ?? 0, time_nanoseconds: member.time.map { CInt($0.nanoseconds) } ?? -1)
  }

  private func describe(_ tensor: Container.Tensor) -> swz_tensor {
    unsafe swz_tensor(
      size: MemoryLayout<swz_tensor>.size, name: strings.add(tensor.name), type: strings.add(tensor.elementType),
      rank: tensor.shape.count, shape: strings.add(tensor.shape), member: tensor.member, offset: tensor.offset,
      byte_count: tensor.byteCount)
  }
}

/// Strings and shapes for C, which live as long as this.
@safe final class CStrings {
  private var owned: [UnsafeMutableRawPointer] = unsafe []

  func add(_ text: String) -> UnsafePointer<CChar> {
    let copy = unsafe strdup(text)!
    unsafe owned.append(copy)
    return unsafe UnsafePointer(copy)
  }

  /// Bytes that end with a zero.
  func add(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
    let copy = unsafe malloc(bytes.count)!
    unsafe copy.copyMemory(from: bytes, byteCount: bytes.count)
    unsafe owned.append(copy)
    return unsafe UnsafePointer(copy.assumingMemoryBound(to: CChar.self))
  }

  func add(_ shape: [UInt64]) -> UnsafePointer<UInt64>? {
    let byteCount = shape.count * MemoryLayout<UInt64>.stride
    let copy = unsafe malloc(max(1, byteCount))!
    unsafe copy.copyMemory(from: shape, byteCount: byteCount)
    unsafe owned.append(copy)
    return unsafe UnsafePointer(copy.assumingMemoryBound(to: UInt64.self))
  }

  deinit {
    for index in unsafe owned.indices { unsafe free(owned[index]) }
  }
}
