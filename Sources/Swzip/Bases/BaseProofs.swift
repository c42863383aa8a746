internal import SwzipCore

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
  private let bases = Guarded<[(source: HashedBase, wanted: WantedBase)]>([])

  func hash(_ source: any RandomSource, _ wanted: WantedBase) -> any RandomSource {
    let hashed = HashedBase(source)
    bases.withLock { $0.append((hashed, wanted)) }
    return hashed
  }

  /// Throws if one is not the base that was wanted; asks once. Cost: of what was not used, reading.
  func check() throws(SwzipError) {
    let unproved = bases.withLock { bases in
      defer { bases = [] }
      return bases
    }
    for base in unproved {
      guard try base.source.digest() == base.wanted.sha256 else { throw base.wanted.failure(.baseDiffers) }
    }
  }
}
