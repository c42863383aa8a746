public import SwzipCore
internal import Synchronization

/// A file that may be a base: a plain one, or a container whose members may be.
public struct BaseFile: Sendable {
  /// For messages and hints.
  public var name: String
  /// Opens the file at its start; the source must give the same bytes each time.
  public var open: @Sendable () throws(SwzipError) -> any RandomSource
  /// One of many that were found, not named: left out where it cannot be read.
  public var isOptional: Bool

  public init(
    name: String, isOptional: Bool = false, open: @escaping @Sendable () throws(SwzipError) -> any RandomSource
  ) {
    self.name = name
    self.isOptional = isOptional
    self.open = open
  }
}

/// The bases that a reader may use: found by length and SHA-256, never by name (spec/FORMAT.md, section 4.1). A base may be
/// packed as differences to another one, at most `Limits.baseDepth` deep. May be used by several threads at once.
public final class Bases: Sendable {
  /// What is believed of a base before its bytes are used. The hash of every decoded block is compared in any case.
  public enum Trust: Sendable {
    /// All of it is read and hashed.
    case digest
    /// What a container says of its members, or the length of the only other file that has it; else the digest.
    case length
  }

  private let trust: Trust
  private let candidates: [Candidate]

  public init(_ files: [BaseFile], trust: Trust = .digest) throws(SwzipError) {
    self.trust = trust
    var candidates: [Candidate] = []
    for file in files {
      do throws(SwzipError) {
        candidates += try Self.candidates(in: file)
      } catch {
        guard file.isOptional else { throw error }
      }
    }
    self.candidates = candidates
  }

  /// One that was hashed already.
  init(proved file: BaseFile, _ base: MemoryBase) {
    trust = .length
    let byteCount = unsafe UInt64(base.bytes.count)
    candidates = [Candidate(file, byteCount: byteCount, member: nil, recorded: base.sha256)]
  }

  /// All that these know; of one trust.
  public init(merging parts: [Bases]) {
    trust = parts.first?.trust ?? .digest
    candidates = parts.flatMap(\.candidates)
  }

  /// The file itself and what it holds.
  private static func candidates(in file: BaseFile) throws(SwzipError) -> [Candidate] {
    let source = try file.open()
    let whole = Candidate(file, byteCount: source.byteCount, member: nil)
    guard try source.beginsContainer() else { return [whole] }
    return try [whole]
      + SwzFile(source).files.enumerated().map { number, member in
        Candidate(file, byteCount: member.byteCount, member: number, recorded: member.sha256)
      }
  }

  /// None are known.
  static var none: Bases { Bases(merging: []) }

  /// Whether bases are hashed before they are used: then what does not decode is no fault of theirs.
  var proves: Bool { trust == .digest }

  /// The bytes of the base that `record` names. `path`: digests of what is being read by way of each other.
  func open(_ record: BaseRecord, path: [[UInt8]] = []) throws(SwzipError) -> any RandomSource {
    let what = "\(record.hint.isEmpty ? "" : record.hint + ", ")\(record.byteCount) bytes, SHA-256 "
    let named = what + swzipHexadecimal(record.sha256)
    guard !path.contains(record.sha256) else { throw SwzipError(.base, .baseCycle, detail: named) }
    guard path.count < Limits.baseDepth else { throw SwzipError(.base, .baseDepth, detail: "\(Limits.baseDepth)") }
    let path = path + [record.sha256]
    let fitting = candidates.filter { $0.byteCount == record.byteCount }
    if trust == .length {
      if let recorded = fitting.first(where: { $0.recorded == record.sha256 }) { return try source(recorded, path) }
      let unnamed = fitting.filter { $0.recorded == nil }
      if unnamed.count == 1 { return try source(unnamed[0], path) }
    }
    var failure: SwzipError?
    for candidate in fitting where candidate.recorded == nil || candidate.recorded == record.sha256 {
      do throws(SwzipError) {
        let source = try source(candidate, path)
        if try candidate.digest(source) == record.sha256 { return source }
      } catch {
        // It may be damaged, lack a base of its own, or be a later version, which needs this one.
        guard error.kind == .base || error.kind == .corrupt || candidate.file.isOptional else { throw error }
        let found =
          error.kind == .corrupt
          ? SwzipError(
            .base, .baseDamaged, file: candidate.file.name, detail: "\(candidate.file.name): \(error.text)") : error
        failure = failure ?? found
      }
    }
    throw failure ?? SwzipError(.base, candidates.isEmpty ? .baseMissing : .baseDiffers, detail: named)
  }

  private func source(_ candidate: Candidate, _ path: [[UInt8]]) throws(SwzipError) -> any RandomSource {
    let source = try candidate.file.open()
    guard let member = candidate.member else { return source }
    try MemoryBudget.check(baseDepth: path.count)
    return MemberSource(try SwzFile(source, bases: self, path: path), member: member)
  }

  private final class Candidate: Sendable {
    let file: BaseFile
    let byteCount: UInt64
    let member: Int?
    /// The SHA-256 that a container says a member has.
    let recorded: [UInt8]?
    private let known = Mutex<[UInt8]?>(nil)

    init(_ file: BaseFile, byteCount: UInt64, member: Int?, recorded: [UInt8]? = nil) {
      self.file = file
      self.byteCount = byteCount
      self.member = member
      self.recorded = recorded
    }

    /// The SHA-256 of its bytes, computed once.
    func digest(_ source: any RandomSource) throws(SwzipError) -> [UInt8] {
      if let digest = known.withLock({ $0 }) { return digest }
      let digest = try source.sha256()
      known.withLock { $0 = digest }
      return digest
    }
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

/// The bases of a container's members, opened when the first block needs one.
final class OpenBases: Sendable {
  let bases: Bases
  private let path: [[UInt8]]
  private let opened = Mutex<[Key: any RandomSource]>([:])

  private struct Key: Hashable {
    let member: Int
    let number: UInt64
  }

  init(_ bases: Bases?, path: [[UInt8]] = []) {
    self.bases = bases ?? .none
    self.path = path
  }

  /// Base `number` of `member`, whose records are `records`.
  func source(_ number: UInt64, of member: Int, _ records: [BaseRecord]) throws(SwzipError) -> any RandomSource {
    let key = Key(member: member, number: number)
    if let source = opened.withLock({ $0[key] }) { return source }
    guard number < UInt64(records.count) else { throw SwzipError(.corrupt, .reference) }
    let source = try bases.open(records[Int(number)], path: path)
    opened.withLock { $0[key] = source }
    return source
  }
}
