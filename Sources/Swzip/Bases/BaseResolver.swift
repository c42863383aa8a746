public import SwzipCore
internal import Synchronization

/// Finds the files that containers refer to, by their content (spec/FORMAT.md, section 4.1): among files that somebody named
/// (`Bases`), in memory (`MemoryBase`), in an archive. May be asked by several threads at once.
public protocol BaseResolver: Sendable {
  /// The original bytes. Throws an error of kind `base` where they cannot be had.
  func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource
  /// Whether what is opened has been hashed: then what does not decode is no fault of it. The hash of every decoded block is
  /// compared in any case.
  var proves: Bool { get }
}

/// A base that is looked for. It may be packed as differences to another one, at most `Limits.baseDepth` deep.
public struct WantedBase: Sendable {
  /// Of the original bytes.
  public let sha256: Digest
  public let byteCount: UInt64
  /// A file name to look for; never trusted.
  public let hint: String
  /// Digests of what is being read by way of each other, this one last.
  private let path: [Digest]
  let proof: ProofTime

  /// `path`: of the container that refers to it.
  init(_ record: BaseRecord, path: [Digest], _ proof: ProofTime) throws(SwzipError) {
    (sha256, byteCount, hint) = (Digest(record.sha256), record.byteCount, record.hint)
    self.path = path + [sha256]
    self.proof = proof
    guard !path.contains(sha256) else { throw failure(.baseCycle) }
    guard path.count < Limits.baseDepth else { throw SwzipError(.base, .baseDepth, detail: "\(Limits.baseDepth)") }
  }

  /// File `number` of a container that has been found to hold the base, whose own bases `resolver` finds.
  public func file(
    _ number: Int, of container: any RandomSource, _ resolver: any BaseResolver
  ) throws(SwzipError) -> any RandomSource {
    // Each decoded block is compared, and all of it is proved: what is stored need not be hashed as well.
    try file(number, of: container, resolver, .loader)
  }

  package func file(
    _ number: Int, of container: any RandomSource, _ resolver: any BaseResolver, _ policy: CheckPolicy
  ) throws(SwzipError) -> any RandomSource {
    try MemoryBudget.check(baseDepth: path.count)
    let file = try Container(container, bases: resolver, path: path, .never)
    guard file.files.indices.contains(number) else { throw SwzipError(.invalidArgument, .range) }
    return MemberSource(file, member: number, policy: policy)
  }

  /// An error that names the base.
  func failure(_ rule: SwzipError.Rule) -> SwzipError {
    let name = hint.isEmpty ? "" : hint + ", "
    return SwzipError(.base, rule, detail: "\(name)\(byteCount) bytes, SHA-256 \(sha256)")
  }
}

/// The bases of a container's members, opened when the first block needs one.
final class OpenBases: Sendable {
  private let resolver: (any BaseResolver)?
  private let path: [Digest]
  private let proof: ProofTime
  private let opened = Mutex<[Key: any RandomSource]>([:])

  private struct Key: Hashable {
    let member: Int
    let number: UInt64
  }

  /// `path`: digests of the bases that the container is read for.
  init(_ resolver: (any BaseResolver)?, path: [Digest] = [], _ proof: ProofTime = .before) {
    (self.resolver, self.path, self.proof) = (resolver, path, proof)
  }

  var proves: Bool { resolver?.proves ?? false }

  /// Base `number` of `member`, whose records are `records`.
  func source(_ number: UInt64, of member: Int, _ records: [BaseRecord]) throws(SwzipError) -> any RandomSource {
    let key = Key(member: member, number: number)
    if let source = opened.withLock({ $0[key] }) { return source }
    guard number < UInt64(records.count) else { throw SwzipError(.corrupt, .reference) }
    let base = try WantedBase(records[Int(number)], path: path, proof)
    guard let resolver else { throw base.failure(.baseMissing) }
    let source = try resolver.open(base)
    guard source.byteCount == base.byteCount else { throw base.failure(.baseDiffers) }
    opened.withLock { $0[key] = source }
    return source
  }
}

extension RandomSource {
  /// As many bytes as `target` holds, of a base whose length was compared: where they lie, or nil if they are in `target`.
  func lendBase(
    at position: UInt64, into target: UnsafeMutableRawBufferPointer
  ) throws(SwzipError) -> LentBytes? {
    if let lent = try borrow(at: position, count: target.count) { return lent }
    try unsafe readBase(at: position, into: target)
    return nil
  }

  /// Exactly as many bytes as `target` holds, of a base whose length was compared.
  func readBase(at position: UInt64, into target: UnsafeMutableRawBufferPointer) throws(SwzipError) {
    do throws(SwzipError) {
      guard try unsafe read(at: position, into: target) == target.count else { throw SwzipError(.base, .baseDiffers) }
    } catch {
      throw error.kind == .corrupt ? SwzipError(.base, .baseDamaged, detail: error.text) : error
    }
  }
}
