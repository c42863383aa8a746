internal import SwzipCore

/// When bytes have to be proved to be those of the base that is wanted.
enum ProofTime: Sendable {
  /// Before any of them is used.
  case before
  /// Before what they lead to is published, as `BaseProofs` says.
  case meanwhile(BaseProofs)
  /// Never: what they lead to is proved.
  case never
}

/// The bases that are not proved before they are used.
final class BaseProofs: Sendable {
  private let state = Guarded(State())

  private struct State {
    var isResultProved = false
    var bases: [(digest: @Sendable () throws(SwzipError) -> Digest, wanted: WantedBase)] = []
  }

  /// A member follows. `isResultProved`: its own SHA-256 is compared, so that its bases need not be hashed while they are used.
  func begin(isResultProved: Bool) { state.withLock { $0.isResultProved = isResultProved } }

  /// The same bytes, hashed as they are used where nothing else will prove them.
  func watch(_ source: any RandomSource, _ wanted: WantedBase) -> any RandomSource {
    state.withLock { state in
      guard !state.isResultProved else {
        state.bases.append(({ () throws(SwzipError) in try source.sha256() }, wanted))
        return source
      }
      let hashed = HashedBase(source)
      state.bases.append(({ () throws(SwzipError) in try hashed.digest() }, wanted))
      return hashed
    }
  }

  /// The member has been decoded: throws if a base is not the one that was wanted, unless its own SHA-256 will tell.
  func checkMember() throws(SwzipError) {
    if !state.withLock(\.isResultProved) { try check() }
  }

  /// Throws if a base is not the one that was wanted; asks once. Cost: of what was not hashed, reading.
  func check() throws(SwzipError) {
    let unproved = state.withLock { state in
      defer { state.bases = [] }
      return state.bases
    }
    for base in unproved {
      guard try base.digest() == base.wanted.sha256 else { throw base.wanted.failure(.baseDiffers) }
    }
  }
}
