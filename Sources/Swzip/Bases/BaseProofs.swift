internal import SwzipCore

/// When bytes have to be proved to be those of the base that is wanted.
enum ProofTime: Sendable {
  /// Before any of them is used.
  case before
  /// Where something does not decode, to say whether the base is at fault: what they lead to is proved by its own SHA-256.
  case inDoubt(BaseProofs)
  /// Never: what they lead to is proved.
  case never
}

/// The bases that were used and have not been hashed.
final class BaseProofs: Sendable {
  private let bases = Guarded<[(source: any RandomSource, sha256: Digest, failure: SwzipError)]>([])

  func add(_ source: any RandomSource, _ wanted: WantedBase) {
    bases.withLock { $0.append((source, wanted.sha256, wanted.failure(.baseDiffers))) }
  }

  /// Throws if one is not the base that was wanted. Cost: reading all of them.
  func check() throws(SwzipError) {
    for base in bases.withLock({ $0 }) {
      guard try base.source.sha256() == base.sha256 else { throw base.failure }
    }
  }
}
