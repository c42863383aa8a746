internal import SwzipCore
internal import Synchronization

/// When bytes have to be proved to be those of the base that is wanted.
enum ProofTime: Sendable {
  /// Before any of them is used.
  case before
  /// While they are used: nothing is published before `BaseProofs.check`.
  case meanwhile(BaseProofs)
  /// Never: what they lead to is proved.
  case never
}

/// The bases that are hashed while they are used.
final class BaseProofs: Sendable {
  private let bases = Guarded<[HashedBase]>([])

  func hash(_ source: any RandomSource, _ base: WantedBase) -> any RandomSource {
    let hashed = HashedBase(source, base)
    bases.withLock { $0.append(hashed) }
    return hashed
  }

  /// Throws if one is not the base that was wanted; asks once. Cost: of what was not used, reading.
  func check() throws(SwzipError) {
    let unproved = bases.withLock { bases in
      defer { bases = [] }
      return bases
    }
    for base in unproved { try base.prove() }
  }
}

/// A base that is hashed as it is used, mostly from its beginning to its end: so it is read once, and decoded once.
final class HashedBase: RandomSource {
  struct State {
    var sum = SHA256Sum()
    /// So many bytes have been hashed.
    var end: UInt64 = 0
    /// Bytes behind those, by where they begin: other threads are about to bring what is missing.
    var ahead: [UInt64: [UInt8]] = [:]

    /// Hashes what of some bytes follows those that have been hashed, and what is there behind it.
    mutating func add(_ bytes: UnsafeRawBufferPointer, at position: UInt64) {
      let known = end - position
      guard known < UInt64(bytes.count) else { return }
      unsafe sum.add(UnsafeRawBufferPointer(rebasing: bytes[Int(known)...]))
      end = position + UInt64(bytes.count)
      while let next = ahead.removeValue(forKey: end) {
        sum.add(next)
        end += UInt64(next.count)
      }
    }
  }

  private static let mostAhead = 32
  private static let mostAheadBytes = 8 << 20
  /// So little that is missing is read at once, such as a file's header.
  private static let nearBytes: UInt64 = 64 << 10
  private static let stepBytes = 1 << 20

  private let source: any RandomSource
  private let base: WantedBase
  let state = Guarded(State())
  /// Who waits for long waits here.
  private let gate = Mutex(())

  var byteCount: UInt64 { source.byteCount }

  init(_ source: any RandomSource, _ base: WantedBase) { (self.source, self.base) = (source, base) }

  func read(at position: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(SwzipError) -> Int {
    let count = try unsafe source.read(at: position, into: buffer)
    try unsafe take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
    return count
  }

  func borrow(at position: UInt64, count: Int) throws(SwzipError) -> LentBytes? {
    let lent = try source.borrow(at: position, count: count)
    if let lent { try unsafe take(lent.bytes, at: position) }
    return lent
  }

  func prove() throws(SwzipError) {
    try update { (state) throws(SwzipError) in
      try fill(&state, to: byteCount)
      state.ahead = [:]
      guard Digest(state.sum.finish()) == base.sha256 else { throw base.failure(.baseDiffers) }
    }
  }

  private func update(_ body: (inout State) throws(SwzipError) -> Void) throws(SwzipError) {
    try gate.withLock { (_) throws(SwzipError) in try state.withLock(body) }
  }

  private func take(_ bytes: UnsafeRawBufferPointer, at position: UInt64) throws(SwzipError) {
    try update { (state) throws(SwzipError) in
      let fits =
        state.ahead.count < Self.mostAhead
        && state.ahead.values.reduce(bytes.count) { $0 + $1.count } <= Self.mostAheadBytes
      if position > state.end + Self.nearBytes, fits {
        unsafe state.ahead[position] = Array(bytes)
        return
      }
      if position > state.end { try fill(&state, to: position) }
      unsafe state.add(bytes, at: position)
    }
  }

  /// Reads what nobody used.
  private func fill(_ state: inout State, to end: UInt64) throws(SwzipError) {
    let memory = try Memory(Self.stepBytes)
    while state.end < end {
      state.ahead = state.ahead.filter { $0.key > state.end }
      let count = Int(min((state.ahead.keys.min() ?? end) - state.end, UInt64(Self.stepBytes)))
      let part = unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[..<count])
      try unsafe source.readBase(at: state.end, into: part)
      unsafe state.add(UnsafeRawBufferPointer(part), at: state.end)
    }
  }
}
