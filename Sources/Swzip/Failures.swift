internal import SwzipCore
internal import Synchronization

/// The first error of jobs that run at once.
final class Failures: Sendable {
  private let first = Mutex<SwzipError?>(nil)

  func catching(_ body: () throws(SwzipError) -> Void) {
    guard first.withLock({ $0 == nil }) else { return }
    do throws(SwzipError) {
      try body()
    } catch {
      first.withLock { $0 = $0 ?? error }
    }
  }

  func check() throws(SwzipError) {
    if let error = first.withLock({ $0 }) { throw error }
  }
}
