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

/// The files, named by somebody, that a reader may use as bases: found by length and SHA-256, never by name.
public final class Bases: BaseResolver {
  /// What is believed of a base before its bytes are used. The hash of every decoded block is compared in any case.
  @nonexhaustive public enum Trust: Sendable {
    /// None, unless what is unpacked is proved itself before it is published: all of it is read and hashed.
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
      + Container(source).files.enumerated().map { number, member in
        Candidate(file, byteCount: member.byteCount, member: number, recorded: member.sha256.map(Digest.init(_:)))
      }
  }

  public var proves: Bool { trust == .digest }

  public func open(_ base: WantedBase) throws(SwzipError) -> any RandomSource {
    let fitting = candidates.filter { $0.byteCount == base.byteCount }
    if trust == .length {
      if let recorded = fitting.first(where: { $0.recorded == base.sha256 }) { return try source(recorded, base) }
      let unnamed = fitting.filter { $0.recorded == nil }
      if unnamed.count == 1 { return try source(unnamed[0], base) }
    }
    var failure: SwzipError?
    let possible = fitting.filter { $0.recorded == nil || $0.recorded == base.sha256 }
    for candidate in possible {
      do throws(SwzipError) {
        let source = try source(candidate, base)
        switch base.proof {
        case .inDoubt(let proofs) where possible.count == 1:
          proofs.add(source, base)
          return source
        case .never where possible.count == 1: return source
        default: if try candidate.digest(source) == base.sha256 { return source }
        }
      } catch {
        // It may be damaged, lack a base of its own, or be a later version, which needs this one.
        guard error.kind == .base || error.kind == .corrupt || candidate.file.isOptional else { throw error }
        let found =
          error.kind == .corrupt
          ? SwzipError(.base, .baseDamaged, detail: "\(candidate.file.name): \(error.text)") : error
        failure = failure ?? found
      }
    }
    throw failure ?? base.failure(candidates.isEmpty ? .baseMissing : .baseDiffers)
  }

  private func source(_ candidate: Candidate, _ base: WantedBase) throws(SwzipError) -> any RandomSource {
    let source = try candidate.file.open()
    return try candidate.member.map { member throws(SwzipError) in try base.file(member, of: source, self) } ?? source
  }

  private final class Candidate: Sendable {
    let file: BaseFile
    let byteCount: UInt64
    let member: Int?
    /// The SHA-256 that a container says a member has.
    let recorded: Digest?
    private let known = Mutex<Digest?>(nil)

    init(_ file: BaseFile, byteCount: UInt64, member: Int?, recorded: Digest? = nil) {
      self.file = file
      self.byteCount = byteCount
      self.member = member
      self.recorded = recorded
    }

    /// The SHA-256 of its bytes, computed once.
    func digest(_ source: any RandomSource) throws(SwzipError) -> Digest {
      if let digest = known.withLock({ $0 }) { return digest }
      let digest = try source.sha256()
      known.withLock { $0 = digest }
      return digest
    }
  }
}
