internal import SwzipCore
internal import Synchronization

/// The first error of jobs that run at once.
final class Failures: @unchecked Sendable {  // `first` belongs to whoever claimed it, and after the jobs to the caller
  private let claimed = Atomic<Bool>(false)
  private var first: SwzipError?

  /// Runs a job, unless one has failed.
  func catching(_ body: () throws(SwzipError) -> Void) {
    guard !claimed.load(ordering: .relaxed) else { return }
    do throws(SwzipError) {
      try body()
    } catch {
      if claimed.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged { first = error }
    }
  }

  /// Throws the first error. Only when all jobs have ended.
  func check() throws(SwzipError) {
    if let first { throw first }
  }
}
